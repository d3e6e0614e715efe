import { AppError, createFuturePositionWarning, toAppError, withSpan } from '@freshet/contracts';
import type { ObjectRunLease } from '@freshet/control-store';
import {
  audit,
  buildAccount,
  buildMask,
  extract,
  FreshdeskClient,
  findFutureWatermark,
  getObject,
  listCustomColumns,
  listOwnerFields,
  type ObjectSpec,
  type Page,
  type Position,
  type ReadOptions,
  restorePosition,
} from '@freshet/freshdesk-extractor';
import { CreditReport } from './credit-report.ts';
import type { SliceOutcome } from './metrics.ts';
import type { SliceContext } from './slice-context.ts';
import { decideFailureAction } from './slice-failure.ts';
import { SliceProgress } from './slice-progress.ts';
import { SliceSignals } from './slice-signals.ts';
import { StepCommitter } from './step-committer.ts';

/**
 * A slow response may take this long to complete after its slice has ended. The time doubles with
 * each consecutive failed slice.
 */
const RESPONSE_GRACE_MS = 5000;
const RESPONSE_GRACE_MAX_MS = 60_000;
/**
 * A response of the maximum size must arrive within this time, because a job expires after one
 * hour.
 */
const RESPONSE_SECONDS_MAX = 1800;
const BYTES_PER_SECOND_MIN = 64 * 1024;
/** The interval at which a child object checks for new work while its parent is being read. */
const CHILD_POLL_MS = 500;
/** The interval at which a backlogged pipeline is checked again. */
const BACKLOG_POLL_MS = 2000;
/** The interval at which an audit checks whether its batches are loaded. */
const LOAD_POLL_MS = 1000;

type ParentState = Awaited<ReturnType<SliceContext['store']['extraction']['getParentState']>>;

/**
 * Runs one `extract` job: acquires the lease of the object run, extracts pages, starting at the
 * stored position, and finishes or requeues the object run.
 */
export async function runSlice(context: SliceContext, objectRunId: string): Promise<void> {
  const lease = await context.store.extraction.acquire(objectRunId);
  if (lease === null) return;
  const logger = context.logger.child({ runId: lease.runId, pipelineId: lease.pipelineId, object: lease.object });
  const slice = new Slice({ ...context, logger }, lease);
  const attributes = {
    'freshet.run_id': lease.runId,
    'freshet.pipeline_id': lease.pipelineId,
    'freshet.object': lease.object,
  };
  await withSpan(
    `extract ${lease.object}`,
    { kind: 'CONSUMER', traceparents: [lease.traceparent], attributes },
    async (span) => {
      const startedAt = performance.now();
      try {
        await slice.run();
      } catch (error) {
        await slice.handleFailure(toAppError(error));
      } finally {
        context.metrics.slice.observe({}, (performance.now() - startedAt) / 1000);
        context.metrics.slices.inc({ object: lease.object, outcome: slice.outcome });
        span.setAttribute('freshet.outcome', slice.outcome);
        await slice.close();
      }
    },
  );
}

/** One slice of an object run, from the acquired lease to its release. */
class Slice {
  readonly #context: SliceContext;
  readonly #lease: ObjectRunLease;
  readonly #object: ObjectSpec;
  readonly #acquiredAt = performance.now();
  readonly #signals: SliceSignals;
  readonly #credits: CreditReport;
  readonly #progress: SliceProgress;
  readonly #committer: StepCommitter;
  #client: FreshdeskClient | null = null;
  #outcome: SliceOutcome = 'handed_on';

  constructor(context: SliceContext, lease: ObjectRunLease) {
    this.#context = context;
    this.#lease = lease;
    this.#object = getObject(lease.object);
    this.#signals = new SliceSignals(context.shutdownSignal);
    this.#credits = new CreditReport(context.metrics, () => this.#client?.creditsSpent ?? {});
    this.#progress = new SliceProgress(context.store, lease, this.#object);
    this.#committer = new StepCommitter({
      context,
      lease,
      credits: this.#credits,
      progress: this.#progress,
      isChild: this.#object.strategy.kind === 'children',
      onBacklog: () => this.#signals.stop(),
    });
  }

  get outcome(): SliceOutcome {
    return this.#committer.hasFinished ? 'finished' : this.#outcome;
  }

  async run(): Promise<void> {
    const { store, shutdownSignal } = this.#context;
    const lease = this.#lease;
    // Read the parent's state before the queue: once the parent has finished, no new child work can
    // appear.
    const parent = await this.#readParentState();
    if (parent?.state === 'stopped') return this.#stopWithParent(parent.status);
    if (parent?.state === 'reading') this.#progress.parentProgress = parent.progress;
    if (await this.#committer.checkBacklog()) return this.#pauseForBackpressure();
    const client = await this.#connect();
    if (lease.isFirstSlice && this.#object.customFields !== null && !lease.isAudit)
      this.#committer.customColumns = await listCustomColumns(client, this.#object);
    // An audit derives its next requests from loaded data, so wait for the load to catch up.
    if (lease.isAudit && !(await store.extraction.isLoaded(lease))) return this.#requeue(LOAD_POLL_MS);
    const isReleased = await this.#commitPages(await this.#openPages(client), client, parent);
    if (isReleased) return;
    await this.#committer.flush();
    if (this.#committer.isBacklogged) return this.#pauseForBackpressure();
    await this.#yieldToOthers(!shutdownSignal.aborted);
  }

  /** Stops, retries, requeues or abandons the object run, depending on the error. */
  async handleFailure(error: AppError): Promise<void> {
    try {
      // Commit the pages that were read before the failure, because their requests have been
      // charged.
      if (error.code !== 'fenced' && !this.#committer.commitFailed) await this.#committer.flush();
      await this.#applyFailure(error);
    } catch (secondError) {
      // The lease was lost in the meantime, so this slice must not change the object run anymore.
      if (!(secondError instanceof AppError && secondError.code === 'fenced')) throw secondError;
    }
  }

  async close(): Promise<void> {
    this.#signals.close();
    await this.#client?.close();
  }

  async #readParentState(): Promise<ParentState | null> {
    const { strategy } = this.#object;
    if (strategy.kind !== 'children' || this.#lease.isAudit) return null;
    return this.#context.store.extraction.getParentState(this.#lease, strategy.parent);
  }

  async #connect(): Promise<FreshdeskClient> {
    const { store, originTemplate, responseBytesMax, outboundPolicy } = this.#context;
    const lease = this.#lease;
    // The key is decrypted for this slice and exists in plain text only in memory.
    const apiKey = await store.credentials.reveal(lease.credentialId, 'freshdesk_api_key');
    this.#client = new FreshdeskClient({
      account: buildAccount(lease.subdomain, originTemplate),
      apiKey,
      budget: store.budgets.forAccount(lease.subdomain, lease.creditSharePercent),
      creditClass: lease.creditClass,
      // Assume that the host is Freshdesk, so that a response from a system in front of the API,
      // such as a maintenance page, is retried.
      isKnownHost: true,
      // All workers use the clock of the control database, so that their local clocks do not
      // matter.
      now: () => lease.databaseTime.getTime() + performance.now() - this.#acquiredAt,
      localNow: Date.now,
      signals: { stopSignal: this.#signals.stopSignal, cancelSignal: this.#signals.cancelSignal },
      outboundPolicy,
      limits: {
        bodyBytesMax: responseBytesMax,
        bytesPerSecondMin: Math.max(BYTES_PER_SECOND_MIN, responseBytesMax / RESPONSE_SECONDS_MAX),
        graceMs: Math.min(RESPONSE_GRACE_MAX_MS, RESPONSE_GRACE_MS * 2 ** lease.failures),
      },
    });
    this.#committer.clock = this.#client.clock;
    return this.#client;
  }

  async #openPages(client: FreshdeskClient): Promise<AsyncIterable<Page>> {
    const { store } = this.#context;
    const lease = this.#lease;
    const owners = await Promise.all(
      listOwnerFields(this.#object).map(async (owner) => ({
        ...owner,
        keys: await store.erasures.listErasedKeys(lease.pipelineId, owner.object),
      })),
    );
    await this.#progress.countUnits();
    const usesQueue = this.#object.strategy.kind === 'children' || lease.isAudit;
    const options: ReadOptions = {
      historyFrom: lease.historyFrom,
      backfillDeadline: lease.backfillDeadline,
      readingId: lease.objectRunId,
      fetchDetail: lease.includesDetails,
      erasedOwners: owners.filter(({ keys }) => keys.size > 0),
      mask: buildMask(lease.fieldRules, () => lease.hashSalt as Buffer),
      stopSignal: this.#signals.stopSignal,
      fetchUnits: usesQueue ? store.extraction.createWorkFetcher(lease) : store.extraction.createLookupFetcher(lease),
      fetchReadableParents: () => store.extraction.listReadableParents(lease),
    };
    return lease.isAudit
      ? audit(client, this.#object, lease.position ?? {}, options)
      : extract(client, this.#object, await this.#findTrustedPosition(client), options);
  }

  /**
   * @returns true if the object run was finished or requeued; false if the slice stopped before
   *   the last page.
   */
  async #commitPages(
    pages: AsyncIterable<Page>,
    client: FreshdeskClient,
    parent: Exclude<ParentState, { state: 'stopped' }> | null,
  ): Promise<boolean> {
    for await (const page of pages) {
      await this.#committer.add(page);
      if (page.isLast) {
        await this.#finish(parent);
        return true;
      }
      if (page.waitForLoad) {
        await this.#committer.flush();
        await this.#requeue(LOAD_POLL_MS);
        return true;
      }
      await this.#progress.estimateRecords(client, this.#committer.bufferedRecords);
      await this.#committer.flushInBackground();
      // Requests in flight have already been charged, so read their pages before stopping.
      if (this.#signals.stopSignal.aborted && !page.hasPendingRequest) return false;
    }
    return false;
  }

  async #finish(parent: Exclude<ParentState, { state: 'stopped' }> | null): Promise<void> {
    if (parent === null) return this.#committer.flush({ isLast: true });
    // A child has the coverage of its parent.
    if (parent.state === 'done') return this.#committer.flush({ isLast: true, coverage: parent });
    await this.#committer.flush();
    await this.#requeue(CHILD_POLL_MS);
  }

  /**
   * Returns the stored position. If that position is in the future because a clock was wrong,
   * returns an earlier position instead, so that all changes that may have been skipped are reread.
   */
  async #findTrustedPosition(client: FreshdeskClient): Promise<Position | null> {
    const { position } = this.#lease;
    const futureWatermark = findFutureWatermark(this.#object, position, client.clock.latestTime());
    if (position === null || futureWatermark === null) return position;
    const verifiedUntil = await this.#context.store.extraction.getLastVerifiedCompleteness(this.#lease);
    const restored = restorePosition(this.#object, position, verifiedUntil);
    this.#committer.warn(createFuturePositionWarning(futureWatermark, restored.from));
    this.#context.logger.warn(
      { position: futureWatermark, resumedFrom: restored.from },
      'stored position is in the future, rereading changes from an earlier position',
    );
    return restored.position;
  }

  async #pauseForBackpressure(): Promise<void> {
    this.#outcome = 'behind';
    const limit = Math.round(this.#context.unloadedBytesMax / 2 ** 20);
    const error = new AppError(
      'warehouse_behind',
      `Extraction is paused: more than ${limit} MiB of batches are waiting to be loaded. It resumes when the backlog shrinks.`,
    );
    await this.#context.store.extraction.pauseForBackpressure(
      this.#lease,
      error,
      BACKLOG_POLL_MS,
      this.#credits.takeUnreported(),
    );
    this.#context.logger.info('extraction paused, warehouse backlogged');
  }

  async #applyFailure(error: AppError): Promise<void> {
    const { store, logger } = this.#context;
    const action = decideFailureAction(error, this.#lease.failures);
    switch (action.kind) {
      case 'abandon':
        this.#outcome = 'taken_over';
        return logger.info('lease lost: another worker holds it, or the run was cancelled or paused');
      case 'wait_for_credits': {
        this.#outcome = 'no_credits';
        const { afterMs } = action;
        const credits = this.#credits.takeUnreported();
        await store.extraction.requeue(this.#lease, { afterMs, status: 'waiting_for_credits', credits });
        return logger.info({ afterMs }, 'waiting for credits');
      }
      case 'requeue':
        await this.#requeue(0);
        return logger.info('requests aborted by the shutdown');
      case 'retry': {
        this.#outcome = 'retried';
        const { afterMs } = action;
        const credits = this.#credits.takeUnreported();
        await store.extraction.requeue(this.#lease, { afterMs, status: 'running', error, credits });
        return logger.warn({ err: error, afterMs }, 'slice failed and will be retried');
      }
      case 'stop':
        this.#outcome = 'stopped';
        await store.extraction.stop(this.#lease, action.status, error, this.#credits.takeUnreported());
        if (action.status === 'failed') logger.error({ err: error }, 'object run failed');
        else logger.warn({ status: action.status, reason: error.message }, 'object unavailable');
    }
  }

  async #requeue(afterMs: number, isLong = false): Promise<void> {
    const credits = this.#credits.takeUnreported();
    await this.#context.store.extraction.requeue(this.#lease, { afterMs, status: 'running', credits, isLong });
  }

  /** @param isLong false if a shutdown has shortened the slice. */
  async #yieldToOthers(isLong: boolean): Promise<void> {
    await this.#requeue(0, isLong);
  }

  /**
   * Stops the object run of a child object after the object run of its parent has stopped without
   * success. The table of a child cannot be complete if the table of its parent is incomplete.
   */
  async #stopWithParent(parentStatus: string): Promise<void> {
    const { parent } = this.#object.strategy as { parent: string };
    const status = parentStatus === 'forbidden' || parentStatus === 'not_in_plan' ? parentStatus : 'failed';
    const codes = {
      forbidden: 'source_forbidden',
      not_in_plan: 'source_not_in_plan',
      failed: 'source_unavailable',
    } as const;
    const message = `The parent object ${parent} could not be read (status ${parentStatus}).`;
    await this.#context.store.extraction.stop(this.#lease, status, { code: codes[status], message }, {});
  }
}
