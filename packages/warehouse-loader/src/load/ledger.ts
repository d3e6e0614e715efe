import type { BatchCounts } from '@freshet/contracts';
import { createFencedError } from '../errors.ts';
import type { Rejection } from '../records/prepare.ts';
import { quote } from '../sql/identifiers.ts';
import type { CoveredRange } from './coverage.ts';
import type { LoadResult } from './request.ts';
import { indexBatches, type LoadTransaction } from './transaction.ts';

/** The state of the table in `_freshet_objects`, whose row is locked. */
export interface LockedTable {
  readonly coverage: CoveredRange;
  readonly hasHistory: boolean;
  /**
   * Rows that were last written before this time are rewritten when their records are loaded. The
   * time is in PostgreSQL's text form; null: no rows are rewritten.
   */
  readonly rewriteBefore: string | null;
}

/**
 * Checks the epoch and locks the table's row in `_freshet_objects` until the end of the
 * transaction, so that the loads of a table run one after the other.
 * @throws AppError `fenced` if the table's epoch is greater than the epoch of the request.
 */
export async function lockTable({ client, target, request }: LoadTransaction): Promise<LockedTable> {
  const objects = `${quote(target.schema)}._freshet_objects`;
  await client.query(`insert into ${objects} (table_name) values ($1) on conflict do nothing`, [target.name]);
  const { rows } = await client.query<{
    complete_as_of: Date | null;
    complete_back_to: Date | null;
    history: boolean;
    rewrite_before: string | null;
  }>(
    `update ${objects} set epoch = $2,
       -- Use the warehouse's clock, because this time is compared with _freshet_loaded_at.
       rewrite_before = case when $3::timestamptz is distinct from restarted_at and $3 is not null then now()
         else rewrite_before end,
       restarted_at = coalesce($3, restarted_at)
     where table_name = $1 and epoch <= $2 returning complete_as_of, complete_back_to, history, rewrite_before::text`,
    [target.name, request.epoch, request.restartedAt],
  );
  const [lockedRow] = rows;
  if (!lockedRow) {
    const currentEpoch = await client.query<{ epoch: string }>(`select epoch from ${objects} where table_name = $1`, [
      target.name,
    ]);
    throw createFencedError(target.name, Number(currentEpoch.rows[0]?.epoch));
  }
  return {
    coverage: { completeAsOf: lockedRow.complete_as_of, completeBackTo: lockedRow.complete_back_to },
    hasHistory: lockedRow.history,
    rewriteBefore: lockedRow.rewrite_before,
  };
}

/**
 * Inserts the batches into the ledger.
 * @returns the ids of the batches that were not in the ledger yet.
 */
export async function insertLedgerEntries(
  { client, target, request }: LoadTransaction,
  rejections: readonly Rejection[],
): Promise<ReadonlySet<string>> {
  const { batches, recordCounts } = request.prepared;
  const rejectedCounts = new Array<number>(batches.length).fill(0);
  for (const { batch } of rejections) rejectedCounts[batch] = (rejectedCounts[batch] as number) + 1;
  const { rows } = await client.query<{ batch_id: string }>(
    `insert into ${quote(target.schema)}._freshet_batches (batch_id, table_name, epoch, extracted_at, records, rejected)
     select b.id, $1, $2, b.extracted_at, b.records, b.rejected
     from unnest($3::uuid[], $4::timestamptz[], $5::bigint[], $6::bigint[]) as b(id, extracted_at, records, rejected)
     on conflict do nothing returning batch_id`,
    [
      target.name,
      request.epoch,
      batches.map((b) => b.id),
      batches.map((b) => b.extractedAt),
      recordCounts,
      rejectedCounts,
    ],
  );
  return new Set(rows.map((r) => r.batch_id));
}

/** The changes that the records of one batch made to the table. */
export interface MergeCounts {
  inserted: number;
  updated: number;
  deleted: number;
  missing: number;
  stale: number;
}

export interface AppliedCounts {
  /** The ids of the batches that this transaction applies. */
  readonly newBatchIds: ReadonlySet<string>;
  /** Index of the batch → counts. */
  readonly mergeCounts: readonly MergeCounts[];
  /** Batch id → number of rows that `markDeletions` marked as deleted. */
  readonly deletedCounts: ReadonlyMap<string, number>;
}

/**
 * Stores the counts of the applied batches in the ledger, and updates the coverage and row count of
 * the table.
 */
export async function recordLedgerCounts(
  { client, target, request }: LoadTransaction,
  { newBatchIds, mergeCounts, deletedCounts }: AppliedCounts,
): Promise<void> {
  const s = quote(target.schema);
  const ids = [...newBatchIds];
  const indexes = indexBatches(request);
  const counts = ids.map((id) => mergeCounts[indexes.get(id) as number] as MergeCounts);
  await client.query(
    `update ${s}._freshet_batches l set inserted = c.inserted, updated = c.updated, deleted = c.deleted,
       missing = c.missing, stale = c.stale, unchanged = l.records - l.rejected - c.inserted - c.updated
     from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])
       as c(id, inserted, updated, deleted, missing, stale)
     where l.batch_id = c.id`,
    [
      ids,
      counts.map((c) => c.inserted),
      counts.map((c) => c.updated),
      counts.map((c, i) => c.deleted + (deletedCounts.get(ids[i] as string) ?? 0)),
      counts.map((c) => c.missing),
      counts.map((c) => c.stale),
    ],
  );
  const { coverage, completedAudit } = request.prepared;
  await client.query(
    `update ${s}._freshet_objects set row_count = row_count + $2, last_loaded_at = now(),
       complete_as_of = coalesce($3, complete_as_of), complete_back_to = coalesce($4, complete_back_to),
       last_run_id = coalesce($5, last_run_id), last_audit_at = coalesce($6, last_audit_at)
     where table_name = $1`,
    [
      target.name,
      mergeCounts.reduce((sum, c) => sum + c.inserted, 0),
      coverage?.complete_as_of ?? null,
      coverage?.complete_back_to ?? null,
      coverage?.run_id ?? null,
      completedAudit?.at ?? null,
    ],
  );
}

/**
 * Reads the counts of the request's batches from the ledger, including batches that an earlier load
 * has applied.
 */
export async function readLedgerCounts({ client, target, request }: LoadTransaction): Promise<LoadResult['batches']> {
  const { rows } = await client.query<{ batch_id: string } & Record<keyof BatchCounts, string>>(
    `select batch_id, records, inserted, updated, unchanged, rejected, deleted, missing, stale
     from ${quote(target.schema)}._freshet_batches where batch_id = any($1::uuid[])`,
    [request.prepared.batches.map((b) => b.id)],
  );
  return rows.map(({ batch_id, ...counts }) => ({
    batchId: batch_id,
    counts: Object.fromEntries(
      Object.entries(counts).map(([name, count]) => [name, Number(count)]),
    ) as unknown as BatchCounts,
  }));
}
