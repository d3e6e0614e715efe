import {
  AppError,
  type Column,
  type CreditClass,
  type CreditsSpent,
  clockSkewWarning,
  ERROR_POLICY,
  futurePositionWarning,
  type NewWarning,
  toAppError,
  traced,
} from '@freshet/contracts';
import type { Claim, ControlStore, Step } from '@freshet/control-store';
import {
  accountAt,
  audit,
  countRecords,
  customColumnsOf,
  extract,
  FreshdeskClient,
  futureWatermark,
  maskOf,
  type ObjectSpec,
  objectNamed,
  ownerFields,
  type Position,
  restoredPosition,
  verdictFor,
} from '@freshet/freshdesk-extractor';
import type { Logger } from '@freshet/runtime';
import type { ExtractMetrics, SliceOutcome } from './metrics.ts';
import { StepBuffer } from './step-buffer.ts';

export interface SliceContext {
  readonly store: ControlStore;
  readonly logger: Logger;
  readonly metrics: ExtractMetrics;
  /** Replaces the accounts' own hosts; null: it does not. */
  readonly originTemplate: string | null;
  /** A larger answer is asked for in parts, and a larger record rejected. */
  readonly answerBytesMax: number;
  /** A pipeline that has read so much more than was loaded waits for its warehouse. In bytes, as they are stored. */
  readonly unloadedBytesMax: number;
  /** Aborted when this process is to end: the page in hand is stored, and the job goes back. */
  readonly drain: AbortSignal;
}

/** Slices are short, so that accounts share workers fairly and a drain is quick. */
const SLICE_MS = 20_000;
/** At the end of a slice a response that arrives too slowly gets so many milliseconds more, and twice as many after each failed slice. */
const GRACE_MS = 5000;
const GRACE_MAX_MS = 60_000;
/** A response of the largest size must arrive before its job expires, which is after an hour. */
const RESPONSE_SECONDS_MAX = 1800;
const BYTES_PER_SECOND_MIN = 64 * 1024;
/** After a shutdown signal, requests in flight get so many milliseconds. */
const DRAIN_GRACE_MS = 5000;
/** A child whose parent is still being read looks for new work this often. */
const CHILD_WAIT_MS = 500;
/** What waits for a slow warehouse is looked at this often. */
const BEHIND_WAIT_MS = 2000;
/** An audit that waits for its load looks again this often. */
const LOAD_WAIT_MS = 1000;
/** Slices in a row without a stored page, after which an object run has failed. With the backoff: three to five minutes. */
const FAILURES_MAX = 9;
const BACKOFF_MS = 1000;
const BACKOFF_MAX_MS = 60_000;

/** One `extract` job: takes an object run over, reads on from its position, and hands it on or ends it. */
export async function runSlice(context: SliceContext, objectRunId: string): Promise<void> {
  const claim = await context.store.extraction.claim(objectRunId);
  if (claim === null) return;
  const logger = context.logger.child({ runId: claim.runId, pipelineId: claim.pipelineId, object: claim.object });
  const slice = new Slice({ ...context, logger }, claim);
  const attributes = {
    'freshet.run_id': claim.runId,
    'freshet.pipeline_id': claim.pipelineId,
    'freshet.object': claim.object,
  };
  await traced(
    `extract ${claim.object}`,
    { kind: 'CONSUMER', causes: [claim.traceparent], attributes },
    async (span) => {
      const began = performance.now();
      try {
        await slice.read();
      } catch (error) {
        await slice.settle(toAppError(error));
      } finally {
        context.metrics.slice.observe({}, (performance.now() - began) / 1000);
        context.metrics.slices.inc({ object: claim.object, outcome: slice.outcome });
        span.setAttribute('freshet.outcome', slice.outcome);
        await slice.close();
      }
    },
  );
}

class Slice {
  readonly #context: SliceContext;
  readonly #claim: Claim;
  readonly #object: ObjectSpec;
  readonly #buffer: StepBuffer;
  readonly #claimedAt = performance.now();
  #client: FreshdeskClient | null = null;
  #customColumns: readonly Column[] | null = null;
  /** Aborted when the slice is to end before its time. */
  readonly #stopping = new AbortController();
  /** Aborted when the slice must stop reading soon: its time is over, the process shuts down, or the warehouse is behind. */
  readonly #ending: AbortSignal;
  /** Aborts the requests in flight. */
  readonly #cancel = new AbortController();
  #cancelTimer: NodeJS.Timeout | null = null;
  #creditsStored: CreditsSpent = {};
  /** The last step that is being stored while the next pages are read, and all before it. */
  #storing: Promise<void> = Promise.resolve();
  /** Bytes that wait to be loaded, as far as this slice knows: when it looked, and what it has stored since. */
  #unloaded = 0;
  /** More waits to be loaded than may. */
  #behind = false;
  /** A step was refused: what was read after it must not be stored, or the position would pass over it. */
  #refused = false;
  /** Units of the work list: those read or set aside so far in the object run, and those known in all. */
  #units = { done: 0, total: 0 };
  /** Records extracted by the object run, and those that it is expected to bring; null when that is not known, undefined before it was asked. */
  #records: { done: number; expected: number | null | undefined };
  /** Share of the parent's reading that is done; null when it is not known. */
  #parentProgress: number | null = 1;
  /** Not stored yet. */
  #warnings: NewWarning[] = [];
  #isSkewReported = false;
  outcome: SliceOutcome = 'handed_on';

  constructor(context: SliceContext, claim: Claim) {
    this.#context = context;
    this.#claim = claim;
    this.#object = objectNamed(claim.object);
    this.#buffer = new StepBuffer(claim);
    this.#records = { done: claim.recordsExtracted, expected: claim.recordsExpected ?? undefined };
    this.#ending = AbortSignal.any([context.drain, AbortSignal.timeout(SLICE_MS), this.#stopping.signal]);
    if (context.drain.aborted) this.#cancelAfterGrace();
    else context.drain.addEventListener('abort', this.#cancelAfterGrace, { once: true });
  }

  /** A shutdown does not wait for slow responses: their requests are sent again by another worker. */
  readonly #cancelAfterGrace = (): void => {
    const cancel = () =>
      this.#cancel.abort(
        new AppError('interrupted', 'The worker is shutting down. Another worker sends the request again.'),
      );
    this.#cancelTimer = setTimeout(cancel, DRAIN_GRACE_MS);
  };

  async read(): Promise<void> {
    const { store, drain } = this.#context;
    const claim = this.#claim;
    // Looked at before the work list is: a parent that was done by then adds no more to it.
    const parent =
      this.#object.way.kind === 'children' && !claim.isAudit
        ? await store.extraction.parentState(claim, this.#object.way.parent)
        : null;
    if (parent?.state === 'stopped') return this.#stopWithParent(parent.status);
    if (parent?.state === 'reading') this.#parentProgress = parent.progress;
    await this.#look();
    if (this.#behind) return this.#holdBack();
    const client = await this.#connect();
    if (claim.isFirstSlice && this.#object.customFields !== null && !claim.isAudit)
      this.#customColumns = await customColumnsOf(client, this.#object);
    // What an audit asks for next is found by loading what it has read.
    if (claim.isAudit && !(await store.extraction.isLoaded(claim))) return this.#handOn(LOAD_WAIT_MS);
    const ending = this.#ending;
    const owners = ownerFields(this.#object);
    const erased = await Promise.all(
      owners.map(async (o) => ({ ...o, keys: await store.erasures.keys(claim.pipelineId, o.object) })),
    );
    const isChild = this.#object.way.kind === 'children';
    if (isChild)
      this.#units = { done: claim.unitsDone, total: claim.unitsDone + (await store.extraction.pendingUnits(claim)) };
    const options = {
      historyFrom: claim.historyFrom,
      pastUntil: claim.pastUntil,
      readingId: claim.objectRunId,
      detail: claim.detail,
      erased: erased.filter(({ keys }) => keys.size > 0),
      mask: maskOf(claim.fieldRules, () => claim.hashSalt as Buffer),
      ending,
      nextParents: isChild || claim.isAudit ? store.extraction.nextParents(claim) : store.extraction.dueLookups(claim),
      readableParents: () => store.extraction.readableParents(claim),
    };
    const pages = claim.isAudit
      ? audit(client, this.#object, claim.position ?? {}, options)
      : extract(client, this.#object, await this.#trustedPosition(client), options);
    for await (const page of pages) {
      if (!this.#buffer.takes(page)) await this.#store();
      this.#buffer.add(page);
      if (page.finished) {
        if (parent === null) return this.#store({ finished: true });
        // A child is as complete as its parent.
        if (parent.state === 'done') return this.#store({ finished: true, reached: parent });
        await this.#store();
        return this.#handOn(CHILD_WAIT_MS);
      }
      if (page.awaitsLoad) {
        await this.#store();
        return this.#handOn(LOAD_WAIT_MS);
      }
      if (this.#records.expected === undefined) this.#records.expected = await this.#expectedRecords();
      if (this.#buffer.isDue) await this.#storeAside();
      // What has been asked for already is paid.
      if (ending.aborted && !page.ahead) break;
    }
    await this.#store();
    if (this.#behind) return this.#holdBack();
    await this.#handOn(0, !drain.aborted);
  }

  /** The stored position, unless a wrong clock has put it into the future: then one that reads again what may have been skipped. */
  async #trustedPosition(client: FreshdeskClient): Promise<Position | null> {
    const { position } = this.#claim;
    const ahead = futureWatermark(this.#object, position, client.clock.latest());
    if (position === null || ahead === null) return position;
    const certain = await this.#context.store.extraction.lastCertainCompleteness(this.#claim);
    const restored = restoredPosition(this.#object, position, certain);
    this.#warnings.push(futurePositionWarning(ahead, restored.from));
    this.#context.logger.warn(
      { position: ahead, resumedFrom: restored.from },
      'the stored position is in the future; changes are read again',
    );
    return restored.position;
  }

  /** Reports clocks that disagree, once in a slice. */
  #reportClockSkew(): void {
    const clock = this.#client?.clock;
    if (clock === undefined || this.#isSkewReported) return;
    this.#context.metrics.clockSkew.set({}, clock.skewMs / 1000);
    if (!clock.isSkewed) return;
    this.#isSkewReported = true;
    this.#warnings.push(clockSkewWarning(clock.skewMs));
    this.#context.logger.warn(
      { skewSeconds: Math.round(clock.skewMs / 1000) },
      'the clock of the account and of this deployment disagree',
    );
  }

  /** A warehouse that takes less than is read must not fill the control database's disk. */
  async #look(): Promise<void> {
    this.#unloaded = await this.#context.store.extraction.unloadedBytes(this.#claim);
    this.#behind = this.#unloaded > this.#context.unloadedBytesMax;
    if (this.#behind) this.#stopping.abort();
  }

  async #holdBack(): Promise<void> {
    this.outcome = 'behind';
    const limit = Math.round(this.#context.unloadedBytesMax / 2 ** 20);
    const error = new AppError(
      'warehouse_behind',
      `More than ${limit} MiB wait to be loaded: reading goes on when the warehouse has caught up.`,
    );
    await this.#context.store.extraction.holdBack(this.#claim, error, BEHIND_WAIT_MS, this.#newCredits());
    this.#context.logger.info('waiting for the warehouse');
  }

  /** What an error means for the object run. Pages that were read before it are stored first: they are paid for. */
  async settle(error: AppError): Promise<void> {
    const { store, logger } = this.#context;
    try {
      if (error.code !== 'fenced' && !this.#refused) await this.#store();
      if (error.code === 'fenced') {
        this.outcome = 'taken_over';
        return logger.info('object run taken over, cancelled or paused');
      }
      if (error.code === 'out_of_credits') {
        this.outcome = 'no_credits';
        const afterMs = error.retryAfterMs ?? 60_000;
        await store.extraction.handOn(this.#claim, {
          afterMs,
          status: 'waiting_for_credits',
          credits: this.#newCredits(),
        });
        return logger.info({ afterMs }, 'waiting for credits');
      }
      if (error.code === 'interrupted') {
        this.outcome = 'handed_on';
        await store.extraction.handOn(this.#claim, { afterMs: 0, status: 'running', credits: this.#newCredits() });
        return logger.info('requests aborted by the shutdown');
      }
      const isLast = this.#claim.failures + 1 >= FAILURES_MAX;
      if (ERROR_POLICY[error.code].job === 'retry' && !isLast) {
        this.outcome = 'retried';
        const afterMs = Math.min(BACKOFF_MAX_MS, BACKOFF_MS * 2 ** this.#claim.failures);
        await store.extraction.handOn(this.#claim, {
          afterMs,
          status: 'running',
          failed: error,
          credits: this.#newCredits(),
        });
        return logger.warn({ err: error, afterMs }, 'slice failed, tried again');
      }
      this.outcome = 'stopped';
      const verdict = verdictFor(error);
      const status = verdict === 'forbidden' || verdict === 'not_in_plan' ? verdict : 'failed';
      await store.extraction.stop(this.#claim, status, error, this.#newCredits());
      if (status === 'failed') logger.error({ err: error }, 'object run failed');
      else logger.warn({ status, reason: error.message }, 'object not available');
    } catch (second) {
      // Taken over meanwhile: whoever has it now meets the same error, or does not.
      if (!(second instanceof AppError && second.code === 'fenced')) throw second;
    }
  }

  async close(): Promise<void> {
    if (this.#cancelTimer !== null) clearTimeout(this.#cancelTimer);
    this.#context.drain.removeEventListener('abort', this.#cancelAfterGrace);
    await this.#client?.close();
  }

  async #connect(): Promise<FreshdeskClient> {
    const { store, originTemplate, answerBytesMax } = this.#context;
    const claim = this.#claim;
    // Decrypted here, for this slice, in memory only.
    const apiKey = await store.credentials.reveal(claim.credentialId, 'freshdesk_api_key');
    this.#client = new FreshdeskClient({
      account: accountAt(claim.subdomain, originTemplate),
      apiKey,
      budget: store.budgets.forAccount(claim.subdomain, claim.sharePercent),
      creditClass: claim.creditClass,
      // A pipeline's connection was tested when it was created: what does not look like Freshdesk now may pass.
      isKnownHost: true,
      // The control database's clock: the same for all workers, whatever their own clocks show.
      now: () => claim.databaseTime.getTime() + performance.now() - this.#claimedAt,
      localNow: Date.now,
      signals: { ending: this.#ending, cancel: this.#cancel.signal },
      limits: {
        bodyBytesMax: answerBytesMax,
        bytesPerSecondMin: Math.max(BYTES_PER_SECOND_MIN, answerBytesMax / RESPONSE_SECONDS_MAX),
        graceMs: Math.min(GRACE_MAX_MS, GRACE_MS * 2 ** claim.failures),
      },
    });
    return this.#client;
  }

  /**
   * Stores what was read, and all that came before it.
   * @param end what is said of a child's reading is its parent's; of others, what their pages say.
   */
  async #store(end: { readonly finished?: true; readonly reached?: Step['reached'] } = {}): Promise<void> {
    if (!this.#buffer.isEmpty) this.#enqueue(end);
    await this.#storing;
  }

  /** Stores what was read while reading goes on: in order, and never more than one step behind the one that is being stored. */
  async #storeAside(): Promise<void> {
    const before = this.#storing;
    this.#enqueue({});
    await before;
  }

  #enqueue(end: { readonly finished?: true; readonly reached?: Step['reached'] }): void {
    const isChild = this.#object.way.kind === 'children';
    const reached = end.reached ?? (isChild ? null : this.#buffer.reached);
    const customColumns = this.#customColumns;
    this.#customColumns = null;
    // Compressed while the step before it is still being stored.
    const progress = isChild ? this.#unitProgress() : this.#recordProgress();
    const taken = this.#buffer.take(this.#newCredits(), customColumns, reached, progress, end.finished ?? false);
    const storing = this.#commit(this.#storing, taken);
    // Whoever stores next meets the failure; until then it is nobody's.
    storing.catch(() => {});
    this.#storing = storing;
  }

  async #commit(before: Promise<void>, taken: Promise<Step>): Promise<void> {
    const [pages] = await Promise.all([taken, before]);
    this.#reportClockSkew();
    const step: Step = { ...pages, warnings: this.#warnings };
    this.#warnings = [];
    let batchId: string | null;
    try {
      const attributes = { 'freshet.records': step.batch?.records ?? 0, 'freshet.bytes': step.batch?.rawBytes ?? 0 };
      batchId = await traced('store step', { attributes }, () =>
        this.#context.store.extraction.commit(this.#claim, step),
      );
    } catch (error) {
      this.#refused = true;
      throw error;
    }
    this.#unloaded += step.batch?.body.length ?? 0;
    const { metrics } = this.#context;
    metrics.records.inc({ object: this.#claim.object }, step.batch?.records ?? 0);
    metrics.bytes.inc({ object: this.#claim.object }, step.batch?.rawBytes ?? 0);
    // Much of it may have been loaded meanwhile.
    if (!step.finished && this.#unloaded > this.#context.unloadedBytesMax) await this.#look();
    const [unit] = step.failed;
    if (unit)
      this.#context.logger.warn(
        { units: step.failed.length, key: unit.key, code: unit.code, reason: unit.message },
        'units could not be read and were set aside',
      );
    this.#context.logger.debug(
      { batchId, records: step.batch?.records ?? 0, bytes: step.batch?.rawBytes ?? 0, finished: step.finished },
      'step stored',
    );
    if (step.finished) {
      this.outcome = 'finished';
      this.#context.logger.info('object read');
    }
  }

  /**
   * How many records a reading of more than one page will bring: as many as the last one for a list that is always read completely, and as many
   * as the account's search counts for a first reading. Null when neither is known: then the strategy's own estimate is used. Undefined before
   * a page was read completely.
   */
  async #expectedRecords(): Promise<number | null | undefined> {
    const { way, history, pageSize } = this.#object;
    const { store } = this.#context;
    if (way.kind === 'children' || this.#claim.isAudit) return null;
    // A reading of one page ends before its progress is of use.
    if (this.#records.done + this.#buffer.records <= pageSize) return undefined;
    const expected =
      way.kind === 'sweep'
        ? await store.extraction.lastRecordCount(this.#claim)
        : this.#claim.mode === 'full'
          ? await countRecords(this.#client as FreshdeskClient, this.#object, history ? this.#claim.historyFrom : null)
          : null;
    if (expected !== null) await store.extraction.expectRecords(this.#claim, expected);
    return expected;
  }

  /** Share of the expected records that is extracted once the buffered pages are stored. */
  #recordProgress(): number | null {
    this.#records.done += this.#buffer.records;
    const { done, expected } = this.#records;
    return expected == null || expected === 0 ? null : Math.min(1, done / expected);
  }

  /** Share of the work list that is read once the buffered pages are stored. It grows while the parent is read. */
  #unitProgress(): number | null {
    this.#units.done += this.#buffer.units;
    const { done, total } = this.#units;
    return this.#parentProgress === null || total === 0 ? null : this.#parentProgress * Math.min(1, done / total);
  }

  async #handOn(afterMs: number, isLong = false): Promise<void> {
    await this.#context.store.extraction.handOn(this.#claim, {
      afterMs,
      status: 'running',
      credits: this.#newCredits(),
      isLong,
    });
  }

  /** A child cannot be complete where its parent is not. */
  async #stopWithParent(status: string): Promise<void> {
    const { parent } = this.#object.way as { parent: string };
    const own = status === 'forbidden' || status === 'not_in_plan' ? status : 'failed';
    const code =
      own === 'forbidden' ? 'source_forbidden' : own === 'not_in_plan' ? 'source_not_in_plan' : 'source_unavailable';
    await this.#context.store.extraction.stop(
      this.#claim,
      own,
      { code, message: `${parent}, which it belongs to, could not be read: ${status}.` },
      {},
    );
  }

  /** What was spent since they were last told. */
  #newCredits(): CreditsSpent {
    const spent = this.#client?.creditsSpent ?? {};
    const fresh: Partial<Record<CreditClass, number>> = {};
    for (const [name, credits] of Object.entries(spent) as [CreditClass, number][]) {
      fresh[name] = credits - (this.#creditsStored[name] ?? 0);
      this.#context.metrics.credits.inc({ credit_class: name }, fresh[name]);
    }
    this.#creditsStored = spent;
    return fresh;
  }
}
