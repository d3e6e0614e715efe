import { type Table, withSpan } from '@freshet/contracts';
import type { PendingBatch, TableLease } from '@freshet/control-store';
import { getObject, getPositionReset, listChildTables, toTable } from '@freshet/freshdesk-extractor';
import { type LoadResult, type PreparedBatches, prepareBatches } from '@freshet/warehouse-loader';
import type { LoadContext } from './context.ts';
import type { LoadMetrics } from './metrics.ts';

/**
 * The maximum uncompressed size of the batches in one transaction, in bytes. The limit allows
 * thousands of rows in a transaction and bounds the memory (I9).
 */
const TRANSACTION_BYTES = 8 * 1024 * 1024;
const SLICE_MS = 20_000;

/** The counts that `loaded_records_total` exports, as values of the label `result`. */
const RESULTS = ['inserted', 'updated', 'unchanged', 'rejected', 'deleted'] as const;

/** The batches of one transaction. */
interface BatchGroup {
  /** The sequence number of the last batch. */
  readonly lastSeq: number;
  readonly batches: readonly PendingBatch[];
  readonly prepared: PreparedBatches;
}

/** The properties of a group that are logged and counted after its load. */
interface GroupSummary {
  readonly batchIds: readonly string[];
  readonly objectRunIds: readonly string[];
  readonly bytes: number;
  readonly records: number;
}

/**
 * Loads the pending batches of a table in order. Stops when no batches are left, when the time
 * limit of the slice is reached, or when the process shuts down. While one group of batches is
 * loaded, the next group is prepared, and the outcome of the previous group is stored.
 */
export async function loadPendingBatches(context: LoadContext, lease: TableLease): Promise<void> {
  const { loading } = context.store;
  const deadline = performance.now() + SLICE_MS;
  const table = toTable(getObject(lease.object), lease.customColumns, lease.fieldRules);
  const prepareAfter = async (seq: number): Promise<BatchGroup | null> => {
    const batches = await loading.listPendingBatches(lease, TRANSACTION_BYTES, seq);
    const last = batches.at(-1);
    return last === undefined ? null : { lastSeq: last.seq, batches, prepared: await prepareBatches(batches, table) };
  };
  let next = prepareAfter(0);
  /**
   * Resolves when the outcomes of all loaded groups are stored. Until then, their batches are
   * pending.
   */
  let stored: Promise<void> = Promise.resolve();
  try {
    for (;;) {
      // If no group was prepared, query again, because batches may have been stored in the
      // meantime.
      const group = (await next) ?? (await stored.then(() => prepareAfter(0)));
      if (group === null) return;
      if (context.shutdownSignal.aborted) {
        await stored;
        return await loading.requeue(lease, 0, null);
      }
      if (performance.now() > deadline) {
        await stored;
        return await loading.yieldToOthers(lease);
      }
      next = prepareAfter(group.lastSeq);
      // A later iteration rethrows the failures of the preparation and of the storing. Attach
      // handlers here, so that Node does not report unhandled rejections before.
      next.catch(() => {});
      ({ stored } = await loadGroup(context, lease, { group, table, previous: stored }));
      stored.catch(() => {});
    }
  } finally {
    await Promise.allSettled([stored]);
  }
}

interface GroupLoad {
  readonly group: BatchGroup;
  readonly table: Table;
  /** Resolves when the outcome of the previous group is stored. */
  readonly previous: Promise<void>;
}

/**
 * Loads one group into the warehouse, and then stores the outcome in the background. If the outcome
 * cannot be stored, the batches remain pending. When they are loaded again, the ledger of the
 * warehouse returns the same outcome (I2).
 * @returns `stored` resolves when the outcome is stored.
 */
async function loadGroup(
  context: LoadContext,
  lease: TableLease,
  { group, table, previous }: GroupLoad,
): Promise<{ readonly stored: Promise<void> }> {
  const startedAt = performance.now();
  return await withSpan(
    `load ${lease.object}`,
    {
      kind: 'CONSUMER',
      traceparents: group.batches.map((b) => b.traceparent),
      attributes: {
        'freshet.pipeline_id': lease.pipelineId,
        'freshet.object': lease.object,
        'freshet.batches': group.batches.length,
      },
    },
    async () => {
      const result = await applyGroup(context, lease, table, group.prepared);
      // The group itself is not needed any more, so its memory can be released.
      const summary = summarize(group);
      await previous;
      return { stored: storeOutcome(context, lease, summary, { result, startedAt }) };
    },
  );
}

function summarize({ batches, prepared }: BatchGroup): GroupSummary {
  return {
    batchIds: batches.map((b) => b.id),
    objectRunIds: [...new Set(batches.map((b) => b.objectRunId))],
    bytes: batches.reduce((sum, b) => sum + b.rawBytes, 0),
    records: prepared.recordCounts.reduce((sum, n) => sum + n, 0),
  };
}

/** Loads one group into the warehouse. */
async function applyGroup(
  context: LoadContext,
  lease: TableLease,
  table: Table,
  prepared: PreparedBatches,
): Promise<LoadResult> {
  const warehouse = await context.warehouses.open(lease.destinationId);
  return await measureTransaction(context.metrics, () =>
    warehouse.load({
      schema: lease.schema,
      tablePrefix: lease.tablePrefix,
      table,
      childTables: listChildTables(lease.object),
      epoch: lease.epoch,
      schemaPolicy: lease.schemaPolicy,
      hasHistory: lease.hasHistory,
      restartedAt: lease.restartedAt,
      prepared,
      readGeneration: (id) => context.store.loading.readGeneration(lease, id),
    }),
  );
}

/** Marks the batches of a group as loaded. */
async function storeOutcome(
  context: LoadContext,
  lease: TableLease,
  summary: GroupSummary,
  { result, startedAt }: { readonly result: LoadResult; readonly startedAt: number },
): Promise<void> {
  const startedBy = await withSpan('mark loaded', {}, () =>
    context.store.loading.markLoaded(lease, result, getPositionReset(getObject(lease.object))),
  );
  if (startedBy !== null) {
    context.logger.warn(
      { pipelineId: lease.pipelineId, object: lease.object, since: result.completion?.since, by: startedBy },
      'rows lack values of a new column, completion started',
    );
  }
  reportLoad(context, lease, summary, { result, durationMs: Math.round(performance.now() - startedAt) });
}

function reportLoad(
  { metrics, logger }: LoadContext,
  { pipelineId, object }: TableLease,
  { bytes, ...summary }: GroupSummary,
  { result, durationMs }: { readonly result: LoadResult; readonly durationMs: number },
): void {
  metrics.batches.inc({ object }, result.batches.length);
  metrics.bytes.inc({ object }, bytes);
  for (const name of RESULTS) {
    const records = result.batches.reduce((sum, { counts }) => sum + counts[name], 0);
    metrics.records.inc({ object, result: name }, records);
  }
  for (const { column, wideningRefusal } of result.misfits)
    if (wideningRefusal !== undefined)
      logger.warn({ pipelineId, object, column, reason: wideningRefusal }, 'column not widened');
  logger.debug(
    {
      pipelineId,
      object,
      ...summary,
      bytes,
      durationMs,
      rejected: result.rejectedRecords.length,
    },
    'batches loaded',
  );
}

async function measureTransaction<T>({ transactionSeconds }: LoadMetrics, work: () => Promise<T>): Promise<T> {
  const startedAt = performance.now();
  const getSeconds = () => (performance.now() - startedAt) / 1000;
  try {
    const result = await work();
    transactionSeconds.observe({ outcome: 'loaded' }, getSeconds());
    return result;
  } catch (error) {
    transactionSeconds.observe({ outcome: 'failed' }, getSeconds());
    throw error;
  }
}
