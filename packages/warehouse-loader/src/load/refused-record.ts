import type { ClientBase } from 'pg';
import { isDataError } from '../errors.ts';
import type { IdentifiedRecord } from '../records/identify.ts';
import { copyChunks } from '../sql/copy.ts';
import type { TargetTable } from '../sql/target.ts';
import type { LoadAttempt } from './attempt.ts';
import { buildColumnList } from './merge.ts';
import { applySettings } from './transaction.ts';

export interface RefusedRecordSearch {
  readonly client: ClientBase;
  readonly target: TargetTable;
  readonly attempt: LoadAttempt;
  readonly hasLz4: boolean;
}

/**
 * Finds the first record whose row PostgreSQL rejects. Bisects the records: each trial copies rows
 * to a temporary table and is rolled back.
 * @returns null if PostgreSQL accepts all rows.
 */
export async function findRefusedRecord(
  { client, target, attempt, hasLz4 }: RefusedRecordSearch,
  records: readonly IdentifiedRecord[],
): Promise<IdentifiedRecord | null> {
  const isRefused = async (tested: readonly IdentifiedRecord[]): Promise<boolean> => {
    await client.query('begin');
    try {
      await applySettings(client, hasLz4);
      await client.query(`create temp table freshet_trial (like ${target.sql} including constraints) on commit drop`);
      const statement = `copy freshet_trial (${buildColumnList(attempt.columns)}) from stdin`;
      await copyChunks(client, statement, attempt.encodeRows(tested));
      return false;
    } catch (error) {
      if (!isDataError(error)) throw error;
      return true;
    } finally {
      await client.query('rollback');
    }
  };
  if (!(await isRefused(records))) return null;
  let candidates = records;
  while (candidates.length > 1) {
    const half = candidates.slice(0, Math.ceil(candidates.length / 2));
    candidates = (await isRefused(half)) ? half : candidates.slice(half.length);
  }
  return candidates[0] ?? null;
}
