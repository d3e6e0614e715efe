import { AppError, type CreditClass } from '@freshet/contracts';
import { getListCredits, getRecordCredits } from '../catalogue/credits.ts';
import type { ObjectSpec } from '../catalogue/define-object.ts';
import type { RecordDetail } from '../catalogue/strategies.ts';
import type { RecordSource } from '../http/client.ts';
import type { RequestCost } from '../http/credit-budget.ts';
import type { FetchedRecord, ListPage } from '../http/response-parser.ts';
import { isTooLarge, readInParts } from './oversized-page.ts';

/** Requests the records of one object of one account. All strategies use this interface. */
export interface ObjectReader {
  readonly object: ObjectSpec;
  /**
   * Whether the next request may be sent before the current page is processed. False after the stop
   * signal.
   */
  canReadAhead(): boolean;
  /** The current time, according to the clock that orders reads. */
  now(): Date;
  /**
   * Returns the latest time that coverage may claim for a read that began at the given time (see
   * `SourceClock`).
   */
  capCoverage(time: string | Date): Date;
  /** Requests one page of the object's list, by its number from 1. */
  list(query: Readonly<Record<string, string>>, pageNumber: number, options?: ListOptions): Promise<ListPage>;
  /** Requests one record by its key. @returns null if the record does not exist. */
  getRecord(key: string, options?: GetRecordOptions): Promise<FetchedRecord | null>;
  /**
   * Requests the object's path, for an object whose path returns the URL of a file.
   * @returns null if there is no file.
   */
  getFile(query: Readonly<Record<string, string>>): Promise<FetchedRecord | null>;
  /** Downloads a file in chunks, without credentials. */
  download(url: string): AsyncGenerator<Buffer>;
}

interface GetRecordOptions {
  /** A path with `{id}`; absent: the path of the object's own endpoint. */
  readonly path?: string | undefined;
  readonly creditClass?: CreditClass | undefined;
}

interface ListOptions {
  /** The path of the list; absent: the object's own path. */
  readonly path?: string | undefined;
  /** Replaces the `{id}` in the path of a child object. */
  readonly parentId?: string | undefined;
  readonly creditClass?: CreditClass | undefined;
  /** Leaves out embedded resources, so that the page costs one credit. */
  readonly isBare?: boolean | undefined;
  /** Records per page; absent: the object's page size. */
  readonly size?: number | undefined;
  /** The page may have fewer records than its size, provided that `hasNext` is correct. */
  readonly allowShortPage?: boolean | undefined;
}

/** @param stopSignal aborted when the extractor must stop prefetching. */
export function createObjectReader(source: RecordSource, object: ObjectSpec, stopSignal?: AbortSignal): ObjectReader {
  const requests = new ListRequests(source, object);
  return {
    object,
    canReadAhead: () => stopSignal?.aborted !== true,
    now: () => source.clock?.referenceTime() ?? new Date(),
    capCoverage: (time) => source.clock?.capCoverage(time) ?? new Date(time),
    list: (query, pageNumber, options = {}) => requests.list(query, pageNumber, options),
    getRecord: (key, options = {}) => getRecord(source, object, key, options),
    getFile: (query) => getFile(source, object, query),
    download: (url) => {
      if (source.download === undefined) throw new TypeError(`${object.name}: the source has no files`);
      return source.download(url);
    },
  };
}

async function getFile(
  source: RecordSource,
  object: ObjectSpec,
  query: Readonly<Record<string, string>>,
): Promise<FetchedRecord | null> {
  try {
    return await source.get(object.path, query, getListCost(object));
  } catch (error) {
    if (error instanceof AppError && error.code === 'source_not_found') return null;
    throw error;
  }
}

async function getRecord(
  source: RecordSource,
  { name, detail }: ObjectSpec,
  key: string,
  { path, creditClass }: GetRecordOptions,
): Promise<FetchedRecord | null> {
  if (detail === null) throw new TypeError(`${name} has no endpoint for a single record`);
  const query = detail.include.length === 0 ? {} : { include: detail.include.join(',') };
  try {
    return await source.get(insertId(path ?? detail.path, key), query, { ...getRecordCost(detail), creditClass });
  } catch (error) {
    if (error instanceof AppError && error.code === 'source_not_found') return null;
    throw error;
  }
}

const PAGINATION_PARAMETERS = ['page', 'per_page'];

/**
 * Requests pages of an object's lists: by page number, by token, or in one response if the list is
 * not paginated.
 */
class ListRequests {
  readonly #source: RecordSource;
  readonly #object: ObjectSpec;
  /**
   * Whether to send a page number and a page size. The documentation does not say whether every
   * small list accepts these parameters, and Freshdesk rejects unknown parameters. A list that
   * rejects the parameters is requested without them, and then returns all of its records.
   */
  #hasPageNumbers: boolean;
  /**
   * For lists that are paginated by tokens: parent id ('' without a parent) → the query of the next
   * page.
   */
  readonly #nextQueries = new Map<string, Readonly<Record<string, string>>>();

  constructor(source: RecordSource, object: ObjectSpec) {
    this.#source = source;
    this.#object = object;
    // A list whose response is not a plain array has no page numbers.
    this.#hasPageNumbers = object.parseRecords === null;
  }

  async list(query: Readonly<Record<string, string>>, pageNumber: number, options: ListOptions): Promise<ListPage> {
    try {
      if (this.#object.getNextQuery !== null) return await this.#requestByToken(query, pageNumber, options);
      return await this.#requestByNumber(query, pageNumber, options);
    } catch (error) {
      const isSplittable = this.#hasPageNumbers && isTooLarge(error) && error.context['isList'] !== false;
      if (!isSplittable) throw error;
      const requests = {
        request: (page: number, size: number, isBare: boolean) =>
          this.#request(query, page, { ...options, isBare, size }),
        allowShortPage: options.allowShortPage === true,
      };
      return readInParts(requests, pageNumber, options.size ?? this.#object.pageSize, error);
    }
  }

  async #requestByNumber(
    query: Readonly<Record<string, string>>,
    pageNumber: number,
    options: ListOptions,
  ): Promise<ListPage> {
    try {
      const response = await this.#request(query, pageNumber, options);
      return this.#hasPageNumbers ? response : { ...response, hasNext: false };
    } catch (error) {
      if (!this.#hasPageNumbers || pageNumber !== 1 || !isPaginationRejected(error)) throw error;
      this.#hasPageNumbers = false;
      // Without page numbers, a next page could not be requested.
      return { ...(await this.#request(query, pageNumber, options)), hasNext: false };
    }
  }

  async #requestByToken(
    query: Readonly<Record<string, string>>,
    pageNumber: number,
    options: ListOptions,
  ): Promise<ListPage> {
    const { name, pageSize } = this.#object;
    const list = options.parentId ?? '';
    const token = pageNumber === 1 ? { page_size: String(pageSize) } : this.#nextQueries.get(list);
    if (token === undefined)
      throw new AppError('bug', `${name}: page ${pageNumber} was requested before the page that contains its token.`);
    const response = await this.#request({ ...query, ...token }, pageNumber, options);
    if (response.nextQuery && JSON.stringify(response.nextQuery) === JSON.stringify(token)) {
      throw new AppError(
        'source_contract',
        `The list of ${name} does not end: page ${pageNumber} contains its own token as the token of the next page.`,
      );
    }
    if (response.nextQuery) this.#nextQueries.set(list, response.nextQuery);
    else this.#nextQueries.delete(list);
    return response;
  }

  #request(
    query: Readonly<Record<string, string>>,
    pageNumber: number,
    { path, parentId, creditClass, isBare = false, size }: ListOptions,
  ): Promise<ListPage> {
    const { include, bucket, pageSize, parseRecords, getNextQuery } = this.#object;
    const listPath = path ?? this.#object.path;
    const embedded = isBare || include.length === 0 ? {} : { include: include.join(',') };
    const pagination = this.#hasPageNumbers ? { page: String(pageNumber), per_page: String(size ?? pageSize) } : {};
    return this.#source.list(
      parentId === undefined ? listPath : insertId(listPath, parentId),
      { ...query, ...embedded, ...pagination },
      { ...(isBare ? { credits: 1, bucket } : getListCost(this.#object)), creditClass },
      parseRecords === null ? null : { parseRecords, getNextQuery },
    );
  }
}

function insertId(path: string, id: string): string {
  return path.replace('{id}', encodeURIComponent(id));
}

function isPaginationRejected(error: unknown): boolean {
  if (!(error instanceof AppError) || error.code !== 'source_invalid_request') return false;
  const { fields } = error.context;
  return Array.isArray(fields) && fields.some((field) => PAGINATION_PARAMETERS.includes(field as string));
}

/** The cost of one page of an object's list. */
export function getListCost(object: ObjectSpec): RequestCost {
  return { credits: getListCredits(object), bucket: object.bucket };
}

/** The cost of one record from its own endpoint. */
export function getRecordCost(detail: RecordDetail): RequestCost {
  return { credits: getRecordCredits(detail), bucket: null };
}
