import { AppError, type DeletedLine, encodeBatchLine } from '@freshet/contracts';
import type { ListView } from '../catalogue/strategies.ts';
import type { FetchedRecord } from '../http/response-parser.ts';
import type { ObjectReader } from '../reader/object-reader.ts';
import {
  type CompletedUnit,
  createPage,
  type Page,
  type Position,
  type ReadOptions,
  type WorkUnit,
} from '../reader/page.ts';
import { createRecordPage, findView } from '../reader/record-page.ts';
import { readWorkList, type UnitResult } from './work-list.ts';

/**
 * Looks up single records by key: the deletion candidates of an audit, which include unused ids;
 * records that a client requested; and records whose lookup failed before.
 * @param position the position of the extraction, which lookups do not change.
 */
export async function* lookUpRecords(
  reader: ObjectReader,
  position: Position,
  options: ReadOptions,
): AsyncGenerator<Page> {
  const workList = {
    fetchUnits: options.fetchUnits,
    readUnit: (candidate: WorkUnit) => lookUp(reader, candidate, options),
  };
  for await (const { readAt, page, hasPendingRequest } of readWorkList(reader, workList))
    yield createPage({ ...page, extractedAt: readAt, position, hasPendingRequest });
}

/**
 * Looks up a record at its own endpoint, then at the fallback endpoints. The version of the unit
 * holds the reason for the lookup.
 */
async function lookUp(reader: ObjectReader, candidate: WorkUnit, options: ReadOptions): Promise<UnitResult> {
  const { object } = reader;
  const key = candidate.parentId;
  const startedAt = reader.now();
  const complete = (name: string, isFinal: boolean): CompletedUnit[] => [{ ...candidate, outcome: { name, isFinal } }];
  const load = (record: FetchedRecord, view: ListView, completedUnits: CompletedUnit[]): UnitResult => {
    const extractedAt = record.serverTime;
    const page = createRecordPage(reader, options, { view, records: [record], position: {}, extractedAt });
    const { lines, recordCount, childWork } = page;
    return { readAt: extractedAt, page: { lines, recordCount, childWork, completedUnits } };
  };
  try {
    const record = await reader.getRecord(key);
    if (record !== null) {
      if (candidate.version === 'requested')
        return load(record, findView(object, record), complete('refreshed', false));
      if (candidate.version === 'gap') return load(record, findView(object, record), complete('recovered', false));
      // The record exists. It moved while the audit read the lists, and the next sync reads it.
      return createEmptyResult(record.serverTime, complete('present', false));
    }
    for (const fallback of object.detail?.fallbackLookups ?? []) {
      const fallbackRecord = await reader.getRecord(key, { path: fallback.path }).catch(ignoreMissingFeature);
      if (fallbackRecord === null) continue;
      if (fallback.deleteKind === null)
        return load(fallbackRecord, object.views[0] as ListView, complete(fallback.outcome, true));
      return markDeleted(candidate, fallback.deleteKind, complete(fallback.outcome, false), fallbackRecord.serverTime);
    }
    return markDeleted(candidate, 'not_found', complete('not_found', candidate.version === 'gap'), startedAt);
  } catch (error) {
    // Without permission, the lookup does not show whether the record exists.
    if (error instanceof AppError && error.code === 'source_forbidden')
      return createEmptyResult(startedAt, complete('forbidden', false));
    throw error;
  }
}

/**
 * Builds the result that marks a record as deleted. For an unused id (a gap), there is no row to
 * mark.
 */
function markDeleted(candidate: WorkUnit, kind: string, completedUnits: CompletedUnit[], readAt: Date): UnitResult {
  const line: DeletedLine = { gone: { key: [candidate.parentId], kind, at: readAt.toISOString() } };
  const lines = candidate.version === 'gap' ? [] : [encodeBatchLine(line)];
  return { readAt, page: { lines, recordCount: 0, childWork: [], completedUnits } };
}

function createEmptyResult(readAt: Date, completedUnits: CompletedUnit[]): UnitResult {
  return { readAt, page: { lines: [], recordCount: 0, childWork: [], completedUnits } };
}

/** Treats the record as not found if the plan or the API key does not permit the endpoint. */
function ignoreMissingFeature(error: unknown): null {
  if (error instanceof AppError && (error.code === 'source_not_in_plan' || error.code === 'source_forbidden'))
    return null;
  throw error;
}
