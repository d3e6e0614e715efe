import { type ErrorCode, toAppError, traced } from '@freshet/contracts';
import type { ControlStore, LoadClaim, PendingBatch } from '@freshet/control-store';
import { objectNamed, rereadPosition, tableOf, tablesBelow } from '@freshet/freshdesk-extractor';
import type { Logger } from '@freshet/runtime';
import { type Prepared, prepare } from '@freshet/warehouse-loader';
import type { LoadMetrics } from './metrics.ts';
import type { Warehouses } from './warehouses.ts';

export interface LoadContext {
  readonly store: ControlStore;
  readonly warehouses: Warehouses;
  readonly logger: Logger;
  readonly metrics: LoadMetrics;
  /** Aborted when this process is to end: the batches in hand are loaded, the others left. */
  readonly drain: AbortSignal;
  /** Failures in a row by table, in this process: what the backoff counts. */
  readonly failures: Map<string, number>;
}

/** Batches of one transaction, together, uncompressed: thousands of rows, in bounded memory. */
const TRANSACTION_BYTES = 8 * 1024 * 1024;
const SLICE_MS = 20_000;
/** Failures in a row after which the object's runs have failed. With the backoff: about a minute. */
const FAILURES_MAX = 7;
const BACKOFF_MS = 1000;
const BACKOFF_MAX_MS = 30_000;
/** No use in asking for other tables either. */
const UNREACHABLE: ReadonlySet<ErrorCode> = new Set(['warehouse_unavailable', 'warehouse_auth']);

/** One `load` job: applies the pending batches of one table, in order. */
export async function runLoad(context: LoadContext, pipelineId: string, object: string): Promise<void> {
  const claim = await context.store.loading.claim(pipelineId, object);
  if (claim === null) return;
  const key = `${pipelineId}/${object}`;
  try {
    await loadPending(context, claim);
    context.failures.delete(key);
  } catch (thrown) {
    const error = toAppError(thrown);
    // Another worker has the table, and loads what is pending; or nobody has, and the warehouse is newer than what we know.
    if (error.code === 'fenced') return context.store.loading.overtake(claim, Number(error.context['epoch'] ?? 0));
    const logger = context.logger.child({ pipelineId, object });
    if (error.retryAfterMs !== null) {
      logger.info({ reason: error.message, afterMs: error.retryAfterMs }, 'the warehouse does not answer');
      return context.store.loading.handOn(claim, error.retryAfterMs, error);
    }
    if (UNREACHABLE.has(error.code)) context.warehouses.doubt(claim.destinationId);
    if (error.context['isGivenUp'] === true) {
      logger.error(
        { err: error, destinationId: claim.destinationId },
        'the warehouse does not answer: loading given up',
      );
      return context.store.loading.giveUpDestination(claim.destinationId, error);
    }
    const failures = (context.failures.get(key) ?? 0) + 1;
    context.failures.set(key, failures);
    if (failures >= FAILURES_MAX) {
      context.failures.delete(key);
      logger.error({ err: error }, 'loading given up');
      return context.store.loading.giveUp(claim, error);
    }
    const afterMs = Math.min(BACKOFF_MAX_MS, BACKOFF_MS * 2 ** (failures - 1));
    logger.warn({ err: error, afterMs }, 'loading failed, tried again');
    await context.store.loading.handOn(claim, afterMs, error);
  }
}

async function loadPending(context: LoadContext, claim: LoadClaim): Promise<void> {
  const { loading } = context.store;
  const endsAt = performance.now() + SLICE_MS;
  const table = tableOf(objectNamed(claim.object), claim.customColumns, claim.fieldRules);
  const prepareAfter = async (seq: number): Promise<Ready | null> => {
    const batches = await loading.pending(claim, TRANSACTION_BYTES, seq);
    const last = batches.at(-1);
    return last === undefined ? null : { seq: last.seq, batches, prepared: await prepare(batches, table) };
  };
  let next = prepareAfter(0);
  for (;;) {
    // With nothing in hand, what was stored since the last look counts as well.
    const ready = (await next) ?? (await prepareAfter(0));
    if (ready === null) return;
    if (context.drain.aborted) return loading.handOn(claim, 0, null);
    if (performance.now() > endsAt) return loading.makeWay(claim);
    const { seq, batches, prepared } = ready;
    const bytes = batches.reduce((sum, b) => sum + b.rawBytes, 0);
    next = prepareAfter(seq);
    // Whoever comes next meets its failure; if this one fails, it is nobody's.
    next.catch(() => {});
    const began = performance.now();
    const attributes = {
      'freshet.pipeline_id': claim.pipelineId,
      'freshet.object': claim.object,
      'freshet.batches': prepared.batches.length,
    };
    const result = await traced(
      `load ${claim.object}`,
      { kind: 'CONSUMER', causes: batches.map((b) => b.traceparent), attributes },
      async () => {
        const warehouse = await context.warehouses.open(claim.destinationId);
        const loaded = await observed(context.metrics, () =>
          warehouse.load({
            schema: claim.schema,
            tablePrefix: claim.tablePrefix,
            table,
            below: tablesBelow(claim.object),
            epoch: claim.epoch,
            policy: claim.schemaPolicy,
            history: claim.history,
            restartedAt: claim.restartedAt,
            prepared,
            generation: (id) => loading.generationBodies(claim, id),
          }),
        );
        await traced('mark loaded', {}, () => loading.markLoaded(claim, loaded));
        const started = await loading.complete(claim, loaded.completion, rereadPosition(objectNamed(claim.object)));
        if (started !== null) {
          const { since } = loaded.completion as { since: Date };
          context.logger.warn(
            { pipelineId: claim.pipelineId, object: claim.object, since, by: started },
            'a table lacks values of a column: completing it',
          );
        }
        return loaded;
      },
    );
    context.metrics.batches.inc({ object: claim.object }, result.batches.length);
    context.metrics.bytes.inc({ object: claim.object }, bytes);
    for (const name of RESULTS) {
      context.metrics.records.inc(
        { object: claim.object, result: name },
        result.batches.reduce((sum, { counts }) => sum + counts[name], 0),
      );
    }
    context.logger.debug(
      {
        pipelineId: claim.pipelineId,
        object: claim.object,
        batchIds: batches.map((b) => b.id),
        objectRunIds: [...new Set(batches.map((b) => b.objectRunId))],
        bytes,
        records: prepared.recordsIn.reduce((sum, n) => sum + n, 0),
        durationMs: Math.round(performance.now() - began),
        rejected: result.rejected.length,
      },
      'batches loaded',
    );
  }
}

const RESULTS = ['inserted', 'updated', 'unchanged', 'rejected', 'deleted'] as const;

async function observed<T>({ load }: LoadMetrics, work: () => Promise<T>): Promise<T> {
  const began = performance.now();
  const seconds = () => (performance.now() - began) / 1000;
  try {
    const done = await work();
    load.observe({ outcome: 'loaded' }, seconds());
    return done;
  } catch (error) {
    load.observe({ outcome: 'failed' }, seconds());
    throw error;
  }
}

/** What goes into one transaction, up to which place in the order of storing. */
interface Ready {
  readonly seq: number;
  readonly batches: readonly PendingBatch[];
  readonly prepared: Prepared;
}
