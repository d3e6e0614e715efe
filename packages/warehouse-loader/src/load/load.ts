import { AppError, type RejectedRecord, withSpan } from '@freshet/contracts';
import type { ClientBase } from 'pg';
import { getErrorCode, isDataError } from '../errors.ts';
import { readLines } from '../records/batches.ts';
import type { IdentifiedRecord } from '../records/identify.ts';
import type { PreparedBatches, Rejection } from '../records/prepare.ts';
import { ensureTable } from '../schema/ensure-table.ts';
import { evolveTable } from '../schema/evolve.ts';
import type { RefusedWidenings } from '../schema/refused-widenings.ts';
import { listSchemaChanges } from '../schema/table-state.ts';
import type { TargetTable } from '../sql/target.ts';
import { applyBatches } from './apply.ts';
import { LoadAttempt } from './attempt.ts';
import { findRefusedRecord } from './refused-record.ts';
import type { LoadRequest, LoadResult } from './request.ts';

/**
 * The maximum number of attempts of a load to change the table for its records. Each attempt adds
 * columns, widens columns or excludes columns from widening. A column is widened at most twice in a
 * load, so a few attempts are enough.
 */
const SCHEMA_ATTEMPTS_MAX = 20;

/** The properties of a warehouse that earlier loads have found. */
export interface WarehouseState {
  /** Whether the server supports LZ4 compression. */
  readonly hasLz4: boolean;
  readonly refusedWidenings: RefusedWidenings;
}

/**
 * Applies batches to a table exactly once, even if processes, connections or the server fail and
 * the load is repeated (I2). Schema changes run in separate short transactions. Rows and ledger
 * entries commit in one transaction. An attempt that needs schema changes, or in which records are
 * rejected, is rolled back and repeated.
 */
export async function loadBatches(
  client: ClientBase,
  target: TargetTable,
  request: LoadRequest,
  { hasLz4, refusedWidenings }: WarehouseState,
): Promise<LoadResult> {
  const { table, prepared } = request;
  let { state, typesBefore } = await ensureTable(client, target, table);
  let rejections: readonly Rejection[] = prepared.rejections;
  let { records } = prepared;
  let schemaAttempts = 0;
  for (;;) {
    const attempt = new LoadAttempt(request, state);
    try {
      const { appliedBefore, ...applyResult } = await withSpan(
        'warehouse transaction',
        { kind: 'CLIENT', attributes: { 'db.system.name': 'postgresql', 'db.collection.name': target.name } },
        () => applyBatches({ client, target, request, attempt, records, rejections, hasLz4 }),
      );
      rejections = [...rejections, ...toRejections(attempt.recountMisfits(appliedBefore))];
      return {
        ...applyResult,
        rejectedRecords: await readRejectedRecords(prepared, rejections),
        coverage: toCoverage(prepared),
        schemaChanges: listSchemaChanges(target, typesBefore, state),
        misfits: attempt.misfits,
      };
    } catch (error) {
      if (attempt.rejections.size > 0) rejections = [...rejections, ...toRejections(attempt.rejections)];
      else if (attempt.needsSchemaChanges) {
        if (++schemaAttempts > SCHEMA_ATTEMPTS_MAX)
          throw new AppError(
            'bug',
            `Schema evolution of table ${target.name} did not converge after ${SCHEMA_ATTEMPTS_MAX} attempts.`,
          );
        const changes = attempt.schemaChanges;
        state = await evolveTable(client, { target, table, state, changes, records, refusedWidenings });
        continue;
      } else {
        // All values were checked, so PostgreSQL has rejected a row because of a constraint or a
        // limit. Find the record of this row and load all other records.
        if (!isDataError(error) || records.length === 0) throw error;
        const refusedRecord = await findRefusedRecord({ client, target, attempt, hasLz4 }, records);
        if (refusedRecord === null) throw error;
        const { batch, line } = refusedRecord;
        rejections = [...rejections, { batch, line, reason: `refused_by_warehouse: ${getErrorCode(error)}` }];
      }
      const rejectedLines = new Set(rejections.map((r) => `${r.batch}/${r.line}`));
      records = records.filter((r) => !rejectedLines.has(`${r.batch}/${r.line}`));
    }
  }
}

function toRejections(reasons: ReadonlyMap<IdentifiedRecord, string>): Rejection[] {
  return [...reasons].map(([{ batch, line }, reason]) => ({ batch, line, reason }));
}

function toCoverage({ coverage }: PreparedBatches): LoadResult['coverage'] {
  if (coverage === null) return null;
  const toDate = (text: string | null) => (text === null ? null : new Date(text));
  return { completeAsOf: toDate(coverage.complete_as_of), completeBackTo: toDate(coverage.complete_back_to) };
}

async function readRejectedRecords(
  { batches }: PreparedBatches,
  rejections: readonly Rejection[],
): Promise<RejectedRecord[]> {
  const records: RejectedRecord[] = [];
  for (const [index, batch] of batches.entries()) {
    const batchRejections = rejections.filter((r) => r.batch === index);
    if (batchRejections.length === 0) continue;
    const lines = await readLines(batch, new Set(batchRejections.map((r) => r.line)));
    records.push(
      ...batchRejections.map(({ line, reason }) => ({ batchId: batch.id, line, reason, raw: lines.get(line) ?? '' })),
    );
  }
  return records;
}
