import {
  AppError,
  encodeRecordLine,
  type JsonObject,
  type LineChunks,
  locateRecord,
  parseJson,
  RawObject,
} from '@freshet/contracts';
import type { ObjectReader } from '../reader/object-reader.ts';
import { createPage, type FailedUnit, type Page, type Position, toText } from '../reader/page.ts';
import { canReadRecord, createFailedUnit, FailureClassifier, isUnitError } from '../reader/unit-failures.ts';

/**
 * Completes records with the fields that only the endpoint of a single record returns, such as the
 * attachments of a ticket, the tags of a contact or the members of a group. Each record requires
 * one additional request.
 *
 * The records of one page may cost more credits than the account has per minute. When the credits
 * are exhausted, the records completed so far are yielded, and the next extraction requests only
 * the remaining records. A record whose endpoint keeps failing is loaded as the list returned it,
 * and is reported as a failed unit.
 */
interface DetailPosition extends Position {
  /** `<key>@<version>` of those records of the current page that have been stored. */
  readonly completedIds: readonly string[];
  /** The position of the strategy before the current page; null: at the start. */
  readonly strategyPosition: Position | null;
}

const CONCURRENCY = 8;
const REJECTED_PREFIX = Buffer.from('{"rejected":');

function isDetailPosition(position: Position | null): position is DetailPosition {
  return position !== null && 'completedIds' in position;
}

/** Returns the position of the strategy. A page whose details were incomplete is reread. */
export function getStrategyPosition(position: Position | null): Position | null {
  return isDetailPosition(position) ? position.strategyPosition : position;
}

/**
 * Completes the records of an extraction.
 * @param read starts the extraction from a position of its strategy.
 * @throws AppError the first error that does not concern a single record. The completed records are
 * yielded first.
 */
export async function* completeRecords(
  reader: ObjectReader,
  from: Position | null,
  read: (from: Position | null) => AsyncGenerator<Page>,
): AsyncGenerator<Page> {
  const details = new DetailReader(reader, isDetailPosition(from) ? from.completedIds : []);
  let pageStart = getStrategyPosition(from);
  for await (const page of read(pageStart)) {
    const { lines, recordCount, ids, failedUnits, error } = await details.complete(page.lines);
    if (error !== null) {
      const position: DetailPosition = { completedIds: details.completedIds, strategyPosition: pageStart };
      const { extractedAt, generation } = page;
      yield createPage({ position, lines, recordCount, extractedAt, generation, failedUnits });
      throw error;
    }
    yield { ...page, lines, recordCount, failedUnits: [...page.failedUnits, ...failedUnits] };
    pageStart = page.position;
    details.forget(ids);
  }
}

interface ListedLine {
  /** `<key>@<version>`. */
  readonly id: string;
  readonly key: string;
  readonly raw: RawObject;
  readonly line: LineChunks;
}

interface CompletedPage {
  readonly lines: readonly LineChunks[];
  readonly recordCount: number;
  /** All records of the page, as `<key>@<version>`. */
  readonly ids: readonly string[];
  readonly failedUnits: readonly FailedUnit[];
  /** The error that prevented the completion of the page. Null: the page is complete. */
  readonly error: unknown;
}

class DetailReader {
  readonly #reader: ObjectReader;
  readonly #completedIds: Set<string>;
  /** The key of a record whose request succeeded: evidence that the endpoint works. */
  #readableKey: string | null = null;

  constructor(reader: ObjectReader, completedIds: readonly string[]) {
    this.#reader = reader;
    this.#completedIds = new Set(completedIds);
  }

  get completedIds(): readonly string[] {
    return [...this.#completedIds];
  }

  /**
   * Removes the ids of a page that is stored completely. The ids of an interrupted page remain,
   * because other pages may be read before the interrupted page.
   */
  forget(ids: readonly string[]): void {
    for (const id of ids) this.#completedIds.delete(id);
  }

  /**
   * Completes the records of one page. Lines that are not records come last, and only if all
   * records are complete.
   */
  async complete(lines: readonly LineChunks[]): Promise<CompletedPage> {
    const { ids, queue, deletedLines, otherLines } = this.#classify(lines);
    const completedLines = [...deletedLines];
    const failedUnits: FailedUnit[] = [];
    const error = await this.#completeQueue(queue, completedLines, failedUnits);
    const rejectedLines = otherLines.filter(isRejectedLine);
    return {
      lines: error === null ? [...completedLines, ...otherLines] : completedLines,
      recordCount: completedLines.length + (error === null ? rejectedLines.length : 0),
      ids,
      failedUnits,
      error,
    };
  }

  #classify(lines: readonly LineChunks[]) {
    const { primaryKey } = this.#reader.object;
    const ids: string[] = [];
    const queue: ListedLine[] = [];
    const deletedLines: LineChunks[] = [];
    const otherLines: LineChunks[] = [];
    for (const line of lines) {
      const bytes = Buffer.concat(line);
      const location = locateRecord(bytes);
      if (location === null) {
        otherLines.push(line);
        continue;
      }
      const raw = RawObject.parse(bytes, location.start, location.end);
      const id = `${primaryKey.map((k) => toText(raw.get(k))).join('/')}@${toText(raw.get('updated_at'))}`;
      ids.push(id);
      // The endpoint does not return deleted records.
      if (location.deleted !== null) deletedLines.push(line);
      else if (!this.#completedIds.has(id))
        queue.push({ id, key: toText(raw.get(primaryKey[0] as string)), raw, line });
    }
    return { ids, queue, deletedLines, otherLines };
  }

  /**
   * Completes queued records concurrently.
   * @param completedLines receives the completed lines.
   * @param failedUnits receives the records whose endpoint keeps failing.
   * @returns the error that prevented the completion of the page, or null.
   */
  async #completeQueue(queue: ListedLine[], completedLines: LineChunks[], failedUnits: FailedUnit[]): Promise<unknown> {
    let firstError: unknown = null;
    const failedItems = new Map<string, ListedLine>();
    const classifier = new FailureClassifier(async () =>
      this.#readableKey === null ? null : canReadRecord(this.#reader, this.#readableKey),
    );
    const addFailedUnits = (units: readonly FailedUnit[]) => {
      for (const unit of units) {
        const { id, line } = failedItems.get(unit.key) as ListedLine;
        completedLines.push(line);
        this.#completedIds.add(id);
        failedUnits.push(unit);
      }
    };
    const completeNext = async (item: ListedLine) => {
      try {
        completedLines.push(await completeLine(this.#reader, item));
        this.#completedIds.add(item.id);
        this.#readableKey = item.key;
        addFailedUnits(classifier.recordSuccess());
      } catch (error) {
        if (!isUnitError(error)) throw error;
        failedItems.set(item.key, item);
        const failedUnit = createFailedUnit(this.#reader.object.name, item.key, error);
        addFailedUnits(await classifier.recordFailure(failedUnit, error));
      }
    };
    const work = async () => {
      for (let item = queue.shift(); item !== undefined && firstError === null; item = queue.shift()) {
        await completeNext(item).catch((error: unknown) => {
          firstError ??= error;
        });
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, work));
    if (firstError !== null) return firstError;
    try {
      addFailedUnits(await classifier.finish());
      return null;
    } catch (error) {
      return error;
    }
  }
}

function isRejectedLine(line: LineChunks): boolean {
  return Buffer.concat(line).subarray(0, REJECTED_PREFIX.length).equals(REJECTED_PREFIX);
}

async function completeLine(
  reader: ObjectReader,
  { key, raw, line }: Pick<ListedLine, 'key' | 'raw' | 'line'>,
): Promise<LineChunks> {
  try {
    const detail = await reader.getRecord(key);
    if (detail === null) return line;
    // The detail was requested later, so its fields replace those of the list. Fields that only the
    // list embeds remain.
    const merged: JsonObject = {
      ...(parseJson(String(raw.bytes)) as JsonObject),
      ...(parseJson(String(detail.raw.bytes)) as JsonObject),
    };
    return encodeRecordLine(Buffer.from(JSON.stringify(merged)), null);
  } catch (error) {
    // Without permission for the endpoint, the record is loaded in the form in which the list
    // returned it.
    if (error instanceof AppError && error.code === 'source_forbidden') return line;
    throw error;
  }
}
