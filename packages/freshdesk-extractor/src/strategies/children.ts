import { AppError, batchLine, type CompleteLine, type ErrorCode, RawObject } from '@freshet/contracts';
import type { Children } from '../catalogue/define.ts';
import type { ListedRecord } from '../http/client.ts';
import { readWhole, startWhole } from '../lists/stable-list.ts';
import { lineOf, type ObjectReader, workFor } from '../object-reader.ts';
import { type ChildWork, keyTexts, type Page, page, type ReadOptions } from '../page.ts';
import { type ItemRead, readWorkList } from './units.ts';

/**
 * Reads what exists only below a parent: for each parent on the durable work list, its whole list. The answer
 * is complete, so what it no longer holds is deleted. A parent that is gone is settled, too; one that fails is set aside as a failed unit.
 */

export async function* readChildren(reader: ObjectReader, way: Children, options: ReadOptions): AsyncGenerator<Page> {
  let lastRead = reader.now();
  const list = {
    next: options.nextParents,
    read: (parent: ChildWork) => readParent(reader, way, parent, options),
    readable: options.readableParents,
  };
  for await (const { readAt, page: read, ahead } of readWorkList(reader, list)) {
    lastRead = readAt;
    yield page({ ...read, extractedAt: readAt, position: {}, ahead });
  }
  yield page({
    position: {},
    extractedAt: lastRead,
    reached: { completeAsOf: reader.claim(lastRead), completeBackTo: new Date(0) },
    finished: true,
  });
}

async function readParent(
  reader: ObjectReader,
  way: Children,
  parent: ChildWork,
  options: ReadOptions,
): Promise<ItemRead> {
  const unchanged = { readAt: reader.now(), page: { lines: [], records: 0, work: [], settled: [parent] } };
  let read: WholeChildren;
  try {
    read = await readTree(reader, way, parent.parentId);
  } catch (error) {
    // Some parents in the trash refuse their children: what was read of them before stays as it is.
    if (error instanceof AppError && HIDDEN.has(error.code)) return unchanged;
    throw error;
  }
  const { records, beganAt, readAt, unsettled, gone } = read;
  const complete: CompleteLine = {
    complete: {
      where: { [way.column]: parent.parentId },
      keys: records.map((record) => keyTexts(record, reader.object.primaryKey)),
      began_at: beganAt,
      ...(gone || parent.doubted === true ? { confirmed: true as const } : {}),
    },
  };
  return {
    readAt,
    page: {
      // Nothing is concluded from what a list that never held still did not show.
      lines: [...records.map((record) => lineOf(record, null)), ...(unsettled ? [] : [batchLine(complete)])],
      records: records.length,
      work: workFor(reader.object, records, options.readingId),
      settled: [parent],
    },
  };
}

const HIDDEN = new Set<ErrorCode>(['source_forbidden', 'source_not_in_plan']);

interface WholeChildren {
  readonly records: readonly ListedRecord[];
  readonly beganAt: string;
  readonly readAt: Date;
  readonly unsettled: boolean;
  /** What the list belongs to does not exist. */
  readonly gone: boolean;
}

/** All children of one parent, with those that stand within others. */
async function readTree(reader: ObjectReader, way: Children, parentId: string): Promise<WholeChildren> {
  const top = await readList(reader, way, parentId, parentId);
  if (way.within === undefined) return top;
  const { path, count } = way.within;
  const records = new Map(top.records.map((record) => [keyTexts(record, reader.object.primaryKey).join('/'), record]));
  let { readAt, unsettled } = top;
  // The map grows while it is gone through, and holds each only once.
  for (const [key, record] of records) {
    if (record.raw.get(count) === 0) continue;
    const below = await readList(reader, way, parentId, key, path);
    for (const inner of below.records) records.set(keyTexts(inner, reader.object.primaryKey).join('/'), inner);
    unsettled = unsettled || below.unsettled;
    readAt = below.readAt;
  }
  return { ...top, records: [...records.values()], readAt, unsettled };
}

/**
 * One whole list of children; none when what it belongs to does not exist any more, here or elsewhere.
 * @param listId fills the `{id}` of the list's path.
 */
async function readList(
  reader: ObjectReader,
  way: Children,
  parentId: string,
  listId: string,
  path?: string,
): Promise<WholeChildren> {
  let records: ListedRecord[] = [];
  let reading = 1;
  let beganAt: string | null = null;
  let unsettled = false;
  let readAt = reader.now();
  const proof = reader.object.rows === null ? 'still' : 'readings';
  try {
    for await (const step of readWhole(
      reader,
      (n, size) => reader.list({}, n, { parentId: listId, path, size }),
      startWhole(null, proof),
      proof,
    )) {
      readAt = step.serverTime;
      beganAt = beganAt ?? step.serverTime.toISOString();
      for (const record of step.records) records.push(ownedBy(record, way.column, parentId));
      unsettled = step.outcome === 'unsettled';
      if (step.state.reading !== reading && step.outcome === 'next') {
        reading = step.state.reading;
        records = [];
        beganAt = null;
      }
    }
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'source_not_found') throw error;
    if (path === undefined && way.elsewhere !== null) return readList(reader, way, parentId, listId, way.elsewhere);
    return { records: [], beganAt: readAt.toISOString(), readAt, unsettled: false, gone: true };
  }
  return { records, beganAt: beganAt ?? readAt.toISOString(), readAt, unsettled, gone: false };
}

/** The record; where the list leaves out which parent it belongs to, that is added. */
function ownedBy(record: ListedRecord, column: string, parentId: string): ListedRecord {
  if (record.raw.has(column)) return record;
  const text = record.raw.bytes.toString('utf8');
  const own = text.slice(text.indexOf('{') + 1);
  return {
    ...record,
    raw: RawObject.of(
      Buffer.from(`{${JSON.stringify(column)}:${parentId}${own.trimStart().startsWith('}') ? '' : ','}${own}`),
    ),
  };
}
