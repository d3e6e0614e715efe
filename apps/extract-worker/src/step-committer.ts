import { type Column, createClockSkewWarning, type NewWarning, withSpan } from '@freshet/contracts';
import type { ObjectRunLease, Step } from '@freshet/control-store';
import type { FreshdeskClient, Page } from '@freshet/freshdesk-extractor';
import type { CreditReport } from './credit-report.ts';
import type { SliceContext } from './slice-context.ts';
import type { SliceProgress } from './slice-progress.ts';
import { StepBuffer } from './step-buffer.ts';

interface StepEnd {
  /** The object run has no further pages. */
  readonly isLast?: true;
  /**
   * For a child object: the coverage of its parent. Other objects use the coverage of their pages.
   */
  readonly coverage?: Step['coverage'];
}

/**
 * Commits pages as steps, in order. Extraction continues while a step is being committed, but is at
 * most one step ahead. Each step contains the warnings and credits since the previous step.
 */
export class StepCommitter {
  readonly #context: SliceContext;
  readonly #lease: ObjectRunLease;
  readonly #credits: CreditReport;
  readonly #progress: SliceProgress;
  readonly #isChild: boolean;
  readonly #onBacklog: () => void;
  readonly #buffer: StepBuffer;
  /**
   * The custom columns of the object, if they have been listed and not yet committed; otherwise
   * null.
   */
  customColumns: readonly Column[] | null = null;
  /** The clock of the account; null until a client is connected. */
  clock: FreshdeskClient['clock'] | null = null;
  /** Resolves when all steps so far are committed. */
  #lastCommit: Promise<void> = Promise.resolve();
  /**
   * The compressed bytes that wait to be loaded: the last count from the store plus the batches
   * that have been committed since.
   */
  #unloadedBytes = 0;
  #isBacklogged = false;
  #commitFailed = false;
  #hasFinished = false;
  #warnings: NewWarning[] = [];
  #isSkewReported = false;

  constructor(options: {
    readonly context: SliceContext;
    readonly lease: ObjectRunLease;
    readonly credits: CreditReport;
    readonly progress: SliceProgress;
    readonly isChild: boolean;
    /** Called when more bytes than `unloadedBytesMax` wait to be loaded. */
    readonly onBacklog: () => void;
  }) {
    this.#context = options.context;
    this.#lease = options.lease;
    this.#credits = options.credits;
    this.#progress = options.progress;
    this.#isChild = options.isChild;
    this.#onBacklog = options.onBacklog;
    this.#buffer = new StepBuffer(options.lease);
  }

  /** Whether more bytes than `unloadedBytesMax` wait to be loaded. */
  get isBacklogged(): boolean {
    return this.#isBacklogged;
  }

  /**
   * Whether a commit failed. Later pages must then not be committed, or the stored position would
   * skip the pages of the failed step.
   */
  get commitFailed(): boolean {
    return this.#commitFailed;
  }

  /** Whether the last step of the object run is committed. */
  get hasFinished(): boolean {
    return this.#hasFinished;
  }

  get bufferedRecords(): number {
    return this.#buffer.records;
  }

  /** Adds a warning to the next step. */
  warn(warning: NewWarning): void {
    this.#warnings.push(warning);
  }

  /**
   * Buffers a page. Commits the buffered pages first if they cannot share a batch with the page.
   */
  async add(page: Page): Promise<void> {
    if (!this.#buffer.hasRoomFor(page)) await this.flush();
    this.#buffer.add(page);
  }

  /** Commits the buffered pages and waits for all commits. */
  async flush(end: StepEnd = {}): Promise<void> {
    if (!this.#buffer.isEmpty) this.#startCommit(end);
    await this.#lastCommit;
  }

  /** Starts to commit the buffered pages if they are due, and waits for the previous commit. */
  async flushInBackground(): Promise<void> {
    if (!this.#buffer.shouldFlush) return;
    const previousCommit = this.#lastCommit;
    this.#startCommit({});
    await previousCommit;
  }

  /**
   * Counts the unloaded bytes. If the warehouse is slower than the extraction, the backlog must not
   * fill the disk of the control database.
   * @returns whether the pipeline is backlogged.
   */
  async checkBacklog(): Promise<boolean> {
    this.#unloadedBytes = await this.#context.store.extraction.getUnloadedBytes(this.#lease);
    this.#isBacklogged = this.#unloadedBytes > this.#context.unloadedBytesMax;
    if (this.#isBacklogged) this.#onBacklog();
    return this.#isBacklogged;
  }

  #startCommit(end: StepEnd): void {
    const coverage = end.coverage ?? (this.#isChild ? null : this.#buffer.coverage);
    const { customColumns } = this;
    this.customColumns = null;
    const progress = this.#progress.addStep({ records: this.#buffer.records, units: this.#buffer.units });
    const credits = this.#credits.takeUnreported();
    // The step is compressed while the previous step is being committed.
    const step = this.#buffer.takeStep({ credits, customColumns, coverage, progress, isLast: end.isLast ?? false });
    const commit = this.#commit(this.#lastCommit, step);
    // The next `flush` rethrows a rejection. Attach a handler so that Node does not report the
    // rejection as unhandled.
    commit.catch(() => {});
    this.#lastCommit = commit;
  }

  async #commit(previousCommit: Promise<void>, nextStep: Promise<Step>): Promise<void> {
    const [pages] = await Promise.all([nextStep, previousCommit]);
    this.#reportClockSkew();
    const step: Step = { ...pages, warnings: this.#warnings };
    this.#warnings = [];
    const batchId = await this.#commitStep(step);
    this.#unloadedBytes += step.batch?.body.length ?? 0;
    // Much of the backlog may have been loaded in the meantime, so count again before pausing.
    if (!step.isLast && this.#unloadedBytes > this.#context.unloadedBytesMax) await this.checkBacklog();
    this.#reportStep(step, batchId);
    this.#hasFinished = step.isLast;
  }

  async #commitStep(step: Step): Promise<string | null> {
    const attributes = { 'freshet.records': step.batch?.records ?? 0, 'freshet.bytes': step.batch?.rawBytes ?? 0 };
    try {
      return await withSpan('store step', { attributes }, () =>
        this.#context.store.extraction.commitStep(this.#lease, step),
      );
    } catch (error) {
      this.#commitFailed = true;
      throw error;
    }
  }

  #reportStep({ batch, failedUnits, isLast }: Step, batchId: string | null): void {
    const { metrics, logger } = this.#context;
    const { object } = this.#lease;
    const [records, bytes] = [batch?.records ?? 0, batch?.rawBytes ?? 0];
    metrics.records.inc({ object }, records);
    metrics.bytes.inc({ object }, bytes);
    const [unit] = failedUnits;
    if (unit)
      logger.warn(
        { units: failedUnits.length, key: unit.key, code: unit.code, reason: unit.message },
        'failed units excluded from the run',
      );
    logger.debug({ batchId, records, bytes, isLast }, 'step committed');
    if (isLast) logger.info('extraction of the object finished');
  }

  /** Reports clock skew between the account and this deployment, once per slice. */
  #reportClockSkew(): void {
    const { clock } = this;
    if (clock === null || this.#isSkewReported) return;
    this.#context.metrics.clockSkew.set({}, clock.skewMs / 1000);
    if (!clock.isSkewed) return;
    this.#isSkewReported = true;
    this.warn(createClockSkewWarning(clock.skewMs));
    this.#context.logger.warn(
      { skewSeconds: Math.round(clock.skewMs / 1000) },
      'clock skew between account and worker',
    );
  }
}
