import { withSpan } from '@freshet/contracts';
import type { ClientBase } from 'pg';
import type { BatchToLoad } from '../records/batches.ts';
import type { IdentifiedRecord } from '../records/identify.ts';
import type { Rejection } from '../records/prepare.ts';
import { finishCompletion, readCompletion } from '../schema/completion.ts';
import { recordVersions, setHistory } from '../schema/history.ts';
import type { TargetTable } from '../sql/target.ts';
import type { LoadAttempt } from './attempt.ts';
import { markChildRows, markDeletions } from './deletions.ts';
import { findDeletionCandidates } from './generations.ts';
import { insertLedgerEntries, type LockedTable, lockTable, readLedgerCounts, recordLedgerCounts } from './ledger.ts';
import { mergeRecords } from './merge.ts';
import type { LoadRequest, LoadResult } from './request.ts';
import { applySettings, type LoadTransaction, rollBack } from './transaction.ts';

export interface ApplyInput {
  readonly client: ClientBase;
  readonly target: TargetTable;
  readonly request: LoadRequest;
  readonly attempt: LoadAttempt;
  readonly records: readonly IdentifiedRecord[];
  readonly rejections: readonly Rejection[];
  readonly hasLz4: boolean;
}

export interface ApplyResult
  extends Pick<
    LoadResult,
    'batches' | 'deletionCandidates' | 'rejectedGenerations' | 'unconfirmedDeletions' | 'completion'
  > {
  /** Records of batches that an earlier load has applied. */
  readonly appliedBefore: readonly IdentifiedRecord[];
}

/**
 * Applies the batches in one warehouse transaction: rows, deletions, ledger and coverage commit
 * together (I2). Batches that are already in the ledger are not applied again.
 * @returns the counts of each batch, including batches that an earlier load has applied.
 */
export async function applyBatches(input: ApplyInput): Promise<ApplyResult> {
  const { client, target, request, attempt, rejections, hasLz4 } = input;
  const load: LoadTransaction = { client, target, request, columns: attempt.columns };
  const { batches, coverage, completedAudit } = request.prepared;
  await client.query('begin');
  try {
    await applySettings(client, hasLz4);
    const table = await lockTable(load);
    if (table.hasHistory !== request.hasHistory) await setHistory(client, target, request.table, request.hasHistory);
    const newBatchIds = await insertLedgerEntries(load, rejections);
    const isNew = ({ batch }: { readonly batch: number }) => newBatchIds.has((batches[batch] as BatchToLoad).id);
    const isAllNew = newBatchIds.size === batches.length;
    const newRecords = isAllNew ? input.records : input.records.filter(isNew);
    const deletions =
      newBatchIds.size === 0
        ? { rejectedGenerations: [], unconfirmedDeletions: [] }
        : await applyNewBatches(load, { attempt, table, newBatchIds, records: newRecords, isNew });
    if (coverage !== null || completedAudit !== null) await finishCompletion(client, target);
    const deletionCandidates = await findDeletionCandidates(load);
    const counts = await readLedgerCounts(load);
    const completion = await readCompletion(client, target);
    await withSpan('commit', {}, () => client.query('commit'));
    const appliedBefore = isAllNew ? [] : input.records.filter((record) => !isNew(record));
    return { batches: counts, ...deletions, deletionCandidates, completion, appliedBefore };
  } catch (error) {
    await rollBack(client);
    throw error;
  }
}

interface NewBatches {
  readonly attempt: LoadAttempt;
  readonly table: LockedTable;
  readonly newBatchIds: ReadonlySet<string>;
  readonly records: readonly IdentifiedRecord[];
  readonly isNew: (item: { readonly batch: number }) => boolean;
}

async function applyNewBatches(
  load: LoadTransaction,
  { attempt, table, newBatchIds, records, isNew }: NewBatches,
): Promise<Pick<LoadResult, 'rejectedGenerations' | 'unconfirmedDeletions'>> {
  const { client, target, request } = load;
  const { counts: mergeCounts, writtenKeys } = await mergeRecords(load, {
    table,
    records,
    encodeRows: (subset) => attempt.encodeRows(subset),
  });
  const { counts: deletedCounts, ...rejectedDeletions } = await markDeletions(load, isNew);
  const hasDeletions = [...deletedCounts.values()].some((count) => count > 0);
  if (hasDeletions) await markChildRows(load);
  if (request.hasHistory && (hasDeletions || writtenKeys.length > 0))
    await recordVersions(client, target, request.table, hasDeletions ? null : writtenKeys);
  await recordLedgerCounts(load, { newBatchIds, mergeCounts, deletedCounts });
  return rejectedDeletions;
}
