import { mergeWarnings, type NewWarning, type Warning } from '@freshet/contracts';
import type { Tx } from '../database/database.ts';

/**
 * Adds warnings to an object run, in the caller's transaction. If the object run already has a
 * warning with the same code and subject, no second warning is added: the count of the
 * existing warning grows, and its message states the new count. This function locks the row of the
 * object run, so a caller that also locks a run must lock the object run first.
 */
export async function addWarnings(tx: Tx, objectRunId: string, added: readonly NewWarning[]): Promise<void> {
  if (added.length === 0) return;
  const [row] = await tx<{ warnings: Warning[] }[]>`
    select warnings from freshet.object_runs where id = ${objectRunId} for no key update`;
  if (!row) return;
  const warnings = tx.json(mergeWarnings(row.warnings, added) as never);
  await tx`update freshet.object_runs set warnings = ${warnings} where id = ${objectRunId}`;
}
