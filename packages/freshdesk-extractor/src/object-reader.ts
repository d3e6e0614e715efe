import {
  AppError,
  batchLine,
  type CreditClass,
  type JsonObject,
  type LinePieces,
  parseJson,
  RawObject,
  recordLine,
} from '@freshet/contracts';
import type { ObjectSpec, Single, View } from './catalogue/define.ts';
import { INCLUDE_COST } from './catalogue/define.ts';
import { childrenOf } from './catalogue/index.ts';
import type { CallCost, ListedRecord, ListPage, Lists, ViewedRecord } from './http/client.ts';
import { type ChildWork, type FailedUnit, type Page, type Position, page, type ReadOptions, textOf } from './page.ts';

/** One object of one account, ready to be read: what every way of reading shares. */
export interface ObjectReader {
  readonly object: ObjectSpec;
  /** Whether what comes next may be asked for while what was read is worked on: not when the reading is to stop soon. */
  mayReadAhead(): boolean;
  /** The time, by the clock that orders readings. */
  now(): Date;
  /** The latest moment that may be claimed for a reading that began at a time (`SourceClock`). */
  claim(time: string | Date): Date;
  /** One page of the object's list. */
  list(query: Readonly<Record<string, string>>, pageNumber: number, options?: ListCall): Promise<ListPage>;
  /**
   * One record, from its own address or from another that takes the same `{id}`.
   * @returns null when it is not there.
   */
  view(key: string, options?: ViewCall): Promise<ViewedRecord | null>;
}

interface ViewCall {
  /** Absent: the object's own. */
  readonly path?: string | undefined;
  readonly creditClass?: CreditClass | undefined;
}

interface ListCall {
  /** Absent: the object's own. */
  readonly path?: string | undefined;
  /** Fills the `{id}` of a child's path. */
  readonly parentId?: string | undefined;
  readonly creditClass?: CreditClass | undefined;
  /** Without what a page can embed, for one credit: to see whether there is anything. */
  readonly plain?: boolean | undefined;
  /** Records a page, if not the object's own page size. */
  readonly size?: number | undefined;
  /** A page with fewer records than it could have does as well, as long as it says that there are more. */
  readonly mayBeShort?: boolean | undefined;
}

const PAGING = ['page', 'per_page'];

/**
 * Whether a small list honours `page` is not documented for every endpoint, and unknown parameters are refused: a list
 * that refuses them is asked without, and comes in one answer.
 */
export function readerOf(client: Lists, object: ObjectSpec, ending?: AbortSignal): ObjectReader {
  const include = object.include.length === 0 ? {} : { include: object.include.join(',') };
  const { rows, nextQuery } = object;
  // What is no list has no pages by number.
  let paged = rows === null;
  /** Lists paged by tokens: path → the query of the page after the last one that was read. */
  const tokens = new Map<string, Readonly<Record<string, string>>>();
  const ask = (
    query: Readonly<Record<string, string>>,
    pageNumber: number,
    { path = object.path, parentId, creditClass, plain = false, size = object.pageSize }: ListCall,
  ) =>
    client.list(
      parentId === undefined ? path : withId(path, parentId),
      { ...query, ...(plain ? {} : include), ...(paged ? { page: String(pageNumber), per_page: String(size) } : {}) },
      { ...(plain ? { credits: 1, bucket: object.bucket } : costOf(object)), creditClass },
      rows === null ? null : { rows, nextQuery },
    );
  const askByToken = async (
    query: Readonly<Record<string, string>>,
    pageNumber: number,
    options: ListCall,
  ): Promise<ListPage> => {
    const list = options.parentId ?? '';
    const token = pageNumber === 1 ? { page_size: String(object.pageSize) } : tokens.get(list);
    if (token === undefined)
      throw new AppError('bug', `${object.name}: page ${pageNumber} was asked for before the one that names it.`);
    const answer = await ask({ ...query, ...token }, pageNumber, options);
    if (answer.nextQuery && JSON.stringify(answer.nextQuery) === JSON.stringify(token)) {
      throw new AppError(
        'source_contract',
        `The list of ${object.name} names the page that it answers as the next one.`,
      );
    }
    if (answer.nextQuery) tokens.set(list, answer.nextQuery);
    else tokens.delete(list);
    return answer;
  };
  const askPlainly = async (
    query: Readonly<Record<string, string>>,
    pageNumber: number,
    options: ListCall,
  ): Promise<ListPage> => {
    try {
      if (nextQuery !== null) return await askByToken(query, pageNumber, options);
      const answer = await ask(query, pageNumber, options);
      return paged ? answer : { ...answer, hasNext: false };
    } catch (error) {
      if (!paged || pageNumber !== 1 || !refusesPaging(error)) throw error;
      paged = false;
      // Whatever it says of a next page, there is no way to ask for it.
      return { ...(await ask(query, pageNumber, options)), hasNext: false };
    }
  };
  return {
    object,
    mayReadAhead: () => ending?.aborted !== true,
    now: () => client.clock?.ordered() ?? new Date(),
    claim: (time) => client.clock?.claim(time) ?? new Date(time),
    list: async (query, pageNumber, options = {}) => {
      try {
        return await askPlainly(query, pageNumber, options);
      } catch (error) {
        // What is not a list has no parts.
        if (
          !paged ||
          !(error instanceof AppError) ||
          error.code !== 'source_too_large' ||
          error.context['isList'] === false
        )
          throw error;
        const size = options.size ?? object.pageSize;
        return inParts(
          (page, partSize, plain) => ask(query, page, { ...options, plain, size: partSize }),
          pageNumber,
          size,
          options.mayBeShort === true,
          error,
        );
      }
    },
    view: async (key, { path, creditClass } = {}) => {
      const { single } = object;
      if (single === null) throw new TypeError(`${object.name} has no address for one record`);
      const query = single.include.length === 0 ? {} : { include: single.include.join(',') };
      try {
        return await client.view(withId(path ?? single.path, key), query, { ...singleCostOf(single), creditClass });
      } catch (error) {
        if (error instanceof AppError && error.code === 'source_not_found') return null;
        throw error;
      }
    },
  };
}

/** Page sizes to which the pages of a list too large for one response are reduced. */
const PART_SIZES = [50, 25, 5, 1] as const;

/**
 * A page that is too large to be answered at once, read in smaller ones that cover the same places. What is too large alone is
 * a rejected record, of which only what a list shows without embedding is known.
 */
async function inParts(
  ask: (page: number, size: number, plain: boolean) => Promise<ListPage>,
  page: number,
  size: number,
  mayBeShort: boolean,
  tooLarge: AppError,
): Promise<ListPage> {
  if (size === 1) {
    const { records, hasNext, serverTime } = await ask(page, 1, true).catch((error: unknown): ListPage => {
      if (!(error instanceof AppError) || error.code !== 'source_too_large') throw error;
      // Not even its key is known.
      return {
        records: [{ raw: RawObject.of(Buffer.from('{}')) }],
        hasNext: tooLarge.context['hasNext'] === true,
        serverTime: new Date(),
      };
    });
    return { records: records.map((record) => ({ ...record, rejected: 'too_large' })), hasNext, serverTime };
  }
  const partSize = PART_SIZES.find((s) => s < size) as number;
  const [start, end] = [(page - 1) * size, page * size];
  const records: ListedRecord[] = [];
  for (let at = Math.floor(start / partSize) + 1; ; at++) {
    const answer = await ask(at, partSize, false).catch((error: unknown) => {
      if (error instanceof AppError && error.code === 'source_too_large')
        return inParts(ask, at, partSize, mayBeShort, error);
      throw error;
    });
    // The first and the last part may reach beyond the page.
    const offset = (at - 1) * partSize;
    records.push(...answer.records.slice(Math.max(0, start - offset), end - offset));
    const isLast = offset + partSize >= end;
    const hasNext = answer.hasNext || offset + answer.records.length > end;
    // One part is enough where the next page follows from what was read.
    if (isLast || !answer.hasNext || (mayBeShort && records.length > 0)) return { ...answer, records, hasNext };
  }
}

function withId(path: string, id: string): string {
  return path.replace('{id}', encodeURIComponent(id));
}

function refusesPaging(error: unknown): boolean {
  if (!(error instanceof AppError) || error.code !== 'source_invalid_request') return false;
  const { fields } = error.context;
  return Array.isArray(fields) && fields.some((field) => PAGING.includes(field as string));
}

export function costOf(object: ObjectSpec): CallCost {
  return { credits: 1 + INCLUDE_COST * object.include.length, bucket: object.bucket };
}

/** What one record costs from its own address. [documented: each include +1] */
export function singleCostOf(single: Single): CallCost {
  return { credits: 1 + single.include.length, bucket: null };
}

interface RecordsRead {
  readonly view: View;
  readonly records: readonly ListedRecord[];
  readonly position: Position;
  readonly extractedAt: Date;
  readonly generation?: string | null;
  readonly failed?: readonly FailedUnit[];
  readonly progress?: number | null;
  readonly ahead?: boolean;
}

/** The view of which a record says that it stands there; the first of all if it says nothing. */
export function viewOf(object: ObjectSpec, record: ListedRecord): View {
  const says = (view: View) =>
    view.deleted !== null && Object.values(view.query).some((value) => record.raw.get(value) === true);
  return object.views.find(says) ?? (object.views[0] as View);
}

/** A record's line in a batch. */
export function lineOf({ raw, rejected }: ListedRecord, deleted: string | null): LinePieces {
  if (rejected === undefined) return recordLine(raw.bytes, deleted);
  return batchLine({ rejected: { reason: rejected, record: parseJson(raw.bytes.toString('utf8')) as JsonObject } });
}

/** A page of records, with the child work that they call for. */
export function recordPage(reader: ObjectReader, options: ReadOptions, read: RecordsRead): Page {
  return page({
    lines: read.records.map((record) => lineOf(record, read.view.deleted)),
    records: read.records.length,
    extractedAt: read.extractedAt,
    position: read.position,
    // Children of records in the trash are refused or gone; they are read again when the record is restored.
    work: read.view.deleted === null ? workFor(reader.object, read.records, options.readingId) : [],
    generation: read.generation ?? null,
    failed: read.failed ?? [],
    progress: read.progress ?? null,
    ahead: read.ahead ?? false,
  });
}

/** The parents among these records, once for each kind of child. */
export function workFor(object: ObjectSpec, records: readonly ListedRecord[], readingId: string): ChildWork[] {
  const work: ChildWork[] = [];
  for (const child of childrenOf(object.name)) {
    if (child.way.kind !== 'children') continue;
    const fields = child.way.versionFields;
    for (const { raw } of records) {
      work.push({
        object: child.name,
        parentId: textOf(raw.get(object.primaryKey[0] as string)),
        version: fields.length === 0 ? readingId : fields.map((field) => textOf(raw.get(field))).join('|'),
      });
    }
  }
  return work;
}
