import { AppError, type CompleteListLine, type ErrorCode, encodeBatchLine, RawObject } from '@freshet/contracts';
import type { ChildrenStrategy } from '../catalogue/strategies.ts';
import type { ListedRecord } from '../http/response-parser.ts';
import { createListState, readStableList } from '../lists/stable-list.ts';
import type { ObjectReader } from '../reader/object-reader.ts';
import { createPage, getKeyValues, type Page, type ReadOptions, type WorkUnit } from '../reader/page.ts';
import { encodeListedRecord, listChildWork } from '../reader/record-page.ts';
import { readWorkList, type UnitResult } from './work-list.ts';

/**
 * Reads a child object: the complete list of children of each parent on the durable work list. A
 * complete list shows deletions, because children that the list no longer contains do not exist. A
 * parent that does not exist has no children. A parent that keeps failing is reported as a failed
 * unit.
 */
export async function* readChildren(
  reader: ObjectReader,
  strategy: ChildrenStrategy,
  options: ReadOptions,
): AsyncGenerator<Page> {
  let extractedAt = reader.now();
  const children = new ChildrenReader(reader, strategy, options);
  const workList = {
    fetchUnits: options.fetchUnits,
    readUnit: (parent: WorkUnit) => children.readParent(parent),
    fetchReadable: options.fetchReadableParents,
  };
  for await (const { readAt, page, hasPendingRequest } of readWorkList(reader, workList)) {
    extractedAt = readAt;
    yield createPage({ ...page, extractedAt, position: {}, hasPendingRequest });
  }
  yield createPage({
    position: {},
    extractedAt,
    coverage: { completeAsOf: reader.capCoverage(extractedAt), completeBackTo: new Date(0) },
    isLast: true,
  });
}

/**
 * Errors that mean that a parent's children are inaccessible, such as the children of some deleted
 * parents. The rows of inaccessible children are left unchanged.
 */
const INACCESSIBLE_CODES = new Set<ErrorCode>(['source_forbidden', 'source_not_in_plan']);

interface ChildList {
  readonly records: readonly ListedRecord[];
  /** RFC 3339. */
  readonly beganAt: string;
  readonly readAt: Date;
  /** The list changed too fast to be read completely, so absent records do not count as deleted. */
  readonly isUnsettled: boolean;
  /** The parent does not exist. */
  readonly isMissing: boolean;
}

class ChildrenReader {
  readonly #reader: ObjectReader;
  readonly #strategy: ChildrenStrategy;
  readonly #options: ReadOptions;

  constructor(reader: ObjectReader, strategy: ChildrenStrategy, options: ReadOptions) {
    this.#reader = reader;
    this.#strategy = strategy;
    this.#options = options;
  }

  async readParent(parent: WorkUnit): Promise<UnitResult> {
    const startedAt = this.#reader.now();
    let list: ChildList;
    try {
      list = await this.#readNested(parent.parentId);
    } catch (error) {
      if (!(error instanceof AppError) || !INACCESSIBLE_CODES.has(error.code)) throw error;
      return {
        readAt: startedAt,
        page: { lines: [], recordCount: 0, childWork: [], completedUnits: [parent] },
      };
    }
    const { records, readAt, isUnsettled } = list;
    const completeList = isUnsettled ? [] : [encodeBatchLine(this.#createCompleteListLine(parent, list))];
    return {
      readAt,
      page: {
        lines: [...records.map((record) => encodeListedRecord(record, null)), ...completeList],
        recordCount: records.length,
        childWork: listChildWork(this.#reader.object, records, this.#options.readingId),
        completedUnits: [parent],
      },
    };
  }

  #createCompleteListLine(parent: WorkUnit, list: ChildList): CompleteListLine {
    const { records, beganAt, isMissing } = list;
    return {
      complete: {
        where: { [this.#strategy.parentColumn]: parent.parentId },
        keys: records.map((record) => getKeyValues(record, this.#reader.object.primaryKey)),
        began_at: beganAt,
        ...(isMissing || parent.needsConfirmation === true ? { confirmed: true as const } : {}),
      },
    };
  }

  /** Reads all children of a parent, including children that are nested in other children. */
  async #readNested(parentId: string): Promise<ChildList> {
    const top = await this.#readList(parentId, parentId);
    const { nested } = this.#strategy;
    if (nested === undefined) return top;
    const getKey = (record: ListedRecord) => getKeyValues(record, this.#reader.object.primaryKey).join('/');
    const records = new Map(top.records.map((record) => [getKey(record), record]));
    let { readAt, isUnsettled } = top;
    // The loop also visits records that it adds to the map.
    for (const [key, record] of records) {
      if (record.raw.get(nested.countColumn) === 0) continue;
      const list = await this.#readList(parentId, key, nested.path);
      for (const child of list.records) records.set(getKey(child), child);
      isUnsettled = isUnsettled || list.isUnsettled;
      readAt = list.readAt;
    }
    return { ...top, records: [...records.values()], readAt, isUnsettled };
  }

  /**
   * Reads one complete list. Returns an empty list if the parent exists neither at the path nor at
   * the fallback path.
   * @param listId replaces the `{id}` in the path.
   * @param path absent: the object's own path.
   */
  async #readList(parentId: string, listId: string, path?: string): Promise<ChildList> {
    let records: ListedRecord[] = [];
    let reading = 1;
    let beganAt: string | null = null;
    let isUnsettled = false;
    let readAt = this.#reader.now();
    const proof = this.#reader.object.parseRecords === null ? 'still' : 'readings';
    const fetchPage = (page: number, size: number) => this.#reader.list({}, page, { parentId: listId, path, size });
    try {
      for await (const step of readStableList(this.#reader, fetchPage, createListState(null, proof), proof)) {
        readAt = step.serverTime;
        beganAt = beganAt ?? step.serverTime.toISOString();
        for (const record of step.records) records.push(addParentId(record, this.#strategy.parentColumn, parentId));
        isUnsettled = step.outcome === 'unsettled';
        if (step.state.reading !== reading && step.outcome === 'next') {
          reading = step.state.reading;
          records = [];
          beganAt = null;
        }
      }
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'source_not_found') throw error;
      const { fallbackPath } = this.#strategy;
      if (path === undefined && fallbackPath !== null) return this.#readList(parentId, listId, fallbackPath);
      return { records: [], beganAt: readAt.toISOString(), readAt, isUnsettled: false, isMissing: true };
    }
    return { records, beganAt: beganAt ?? readAt.toISOString(), readAt, isUnsettled, isMissing: false };
  }
}

/** Adds the parent's id to a record if the list omits the id. */
function addParentId(record: ListedRecord, column: string, parentId: string): ListedRecord {
  if (record.raw.has(column)) return record;
  const json = record.raw.bytes.toString('utf8');
  const fields = json.slice(json.indexOf('{') + 1);
  const separator = fields.trimStart().startsWith('}') ? '' : ',';
  const raw = RawObject.parse(Buffer.from(`{${JSON.stringify(column)}:${parentId}${separator}${fields}`));
  return { ...record, raw };
}
