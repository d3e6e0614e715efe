import type { ObjectSpec } from '@freshet/freshdesk-extractor';
import type { SimulatedAccount } from './account.ts';
import { NO_HIDDEN_COLUMNS } from './account-options.ts';
import { hash } from './random.ts';
import type { RecordList } from './record-list.ts';

/**
 * Deviations of an account's lists from the documented behavior. Some deviations occur in real
 * accounts. Others violate an assumption of the extractor, so that tests can verify that the
 * extractor detects the violation.
 */
export interface ListQuirks {
  /** Query parameters that the account rejects as unknown, such as a changed-since filter. */
  readonly rejectedParams?: readonly string[];
  /** Changed-since filters that the account accepts and ignores. */
  readonly ignoredParams?: readonly string[];
  /**
   * In a list that is sorted by the filtered column in ascending order, the changed-since filter
   * excludes records whose timestamp equals the given time.
   */
  readonly exclusiveSince?: boolean;
  /** Records with equal `updated_at` are in a different order in every response. */
  readonly unstableTies?: boolean;
  /** The list ignores `order_by`, and is sorted by `id`. */
  readonly ignoresOrder?: boolean;
}

/** The list that a request reads. */
export interface ListTarget {
  readonly object: ObjectSpec;
  /** The parent's key; undefined for a list without a parent. */
  readonly key?: number | undefined;
  /** Whether to find the parent in the archive. */
  readonly isArchive?: boolean;
  /**
   * Whether `key` is the key of a child, and the list contains the children that are nested in it.
   */
  readonly isNested?: boolean;
}

export type ListResponse = { readonly body: Buffer; readonly hasNext: boolean } | { readonly invalid: object };

const DAY_SECONDS = 86_400;
/**
 * The number of list responses so far, used to vary the order of records with equal `updated_at`.
 */
let responseCount = 0;

/** Parses the `include` parameter. */
export function parseIncludes(query: URLSearchParams): string[] {
  return (query.get('include') ?? '').split(',').filter((name) => name !== '');
}

/**
 * Renders one page of a list. Returns null if the parent does not exist, and a validation error if
 * a parameter is invalid.
 */
export function renderListPage(
  account: SimulatedAccount,
  { object, key: parentKey, isArchive = false, isNested = false }: ListTarget,
  query: URLSearchParams,
  quirks: ListQuirks,
): ListResponse | null {
  responseCount++;
  account.applyPendingChanges();
  const include = parseIncludes(query);
  const invalid = findInvalidParam(object, quirks, query, include);
  if (invalid) return { invalid };
  const page = Number(query.get('page') ?? '1');
  const perPage = Number(query.get('per_page') ?? '30');
  if (parentKey !== undefined) {
    const children = isNested
      ? account.listNestedChildren(object, parentKey)
      : account.listTopLevelChildren(object, parentKey, isArchive);
    if (children === null) return null;
    return {
      body: Buffer.from(`[${children.slice((page - 1) * perPage, page * perPage).join(',')}]`),
      hasNext: page * perPage < children.length,
    };
  }
  const { numbers, total } = selectRecords(account, object, quirks, query, { page, perPage });
  return {
    body: account.renderRecords(object, numbers, getHiddenColumns(object, include)),
    hasNext: page * perPage < total,
  };
}

/**
 * Selects the record numbers of one page.
 * @returns the record numbers, and the total number of records on all pages.
 */
function selectRecords(
  account: SimulatedAccount,
  object: ObjectSpec,
  quirks: ListQuirks,
  query: URLSearchParams,
  { page, perPage }: { readonly page: number; readonly perPage: number },
): { numbers: number[]; total: number } {
  const start = (page - 1) * perPage;
  const end = page * perPage;
  const list = account.getList(object);
  const view = findViewIndex(object, query);
  const column = query.get('order_by') ?? object.list.defaultOrder[0];
  const direction = query.get('order_type') ?? (query.has('order_by') ? 'desc' : object.list.defaultOrder[1]);
  const rank = () => rankByColumn(account, object, column);
  let order = quirks.ignoresOrder === true ? list.getOrder(view, 'id', rank) : list.getOrder(view, column, rank);
  if (quirks.unstableTies === true) order = shuffleTies(order, (n) => list.getUpdatedAt(n));
  const since = parseSinceFilter(object, quirks, query);
  let selected: readonly number[] = order;
  let from = 0;
  const ascending = direction === 'asc';
  if (since !== null && since.column === column && ascending && ['created_at', 'updated_at'].includes(column)) {
    from = list.findFirstSince(order, column, quirks.exclusiveSince === true ? since.seconds + 1 : since.seconds);
  } else if (since !== null) {
    selected = order.filter((n) => getTime(list, n, since.column) >= since.seconds);
  } else if (object.list.defaultWindowDays !== null) {
    const oldest = account.nowSeconds() - object.list.defaultWindowDays * DAY_SECONDS;
    selected = order.filter((n) => list.getCreatedAt(n) >= oldest);
  }
  const to = selected.length;
  const numbers = ascending
    ? selected.slice(from + start, from + end)
    : selected.slice(Math.max(0, to - end), Math.max(0, to - start)).reverse();
  return { numbers, total: to - from };
}

/**
 * Returns a record's time in a column, in seconds. Columns other than `created_at` and `updated_at`
 * contain the creation time until they are edited.
 */
function getTime(list: RecordList, n: number, column: string): number {
  if (column === 'updated_at') return list.getUpdatedAt(n);
  if (column === 'created_at') return list.getCreatedAt(n);
  const edited = list.edits.get(n)?.[column];
  return typeof edited === 'string' ? Math.floor(Date.parse(edited) / 1000) : list.getCreatedAt(n);
}

const SEARCH_PAGE = 30;
/**
 * The only supported form of a search query. It selects the records whose timestamp is on or after
 * a day.
 */
const SEARCH = /^"(created_at|updated_at):>'(\d{4}-\d{2}-\d{2})'"$/;

/**
 * Renders one page of a search: the total and up to 30 records. Searches exclude records in the
 * trash, in spam and in the archive.
 */
export function renderSearchPage(
  account: SimulatedAccount,
  object: ObjectSpec,
  query: URLSearchParams,
): Buffer | { readonly invalid: object } {
  account.applyPendingChanges();
  const [, column, day] = SEARCH.exec(query.get('query') ?? '') ?? [];
  if (column === undefined || day === undefined) {
    return {
      invalid: {
        field: 'query',
        message: 'Given query is invalid. Please provide a valid query.',
        code: 'invalid_value',
      },
    };
  }
  const list = account.getList(object);
  const order = list.getOrder(0, column, () => []);
  const first = list.findFirstSince(order, column, Math.floor(Date.parse(day) / 1000));
  const start = first + (Number(query.get('page') ?? '1') - 1) * SEARCH_PAGE;
  const results = account.renderRecords(object, order.slice(start, start + SEARCH_PAGE), getHiddenColumns(object, []));
  return Buffer.concat([Buffer.from(`{"total":${order.length - first},"results":`), results, Buffer.from('}')]);
}

function parseSinceFilter(
  object: ObjectSpec,
  quirks: ListQuirks,
  query: URLSearchParams,
): { column: string; seconds: number } | null {
  const { strategy } = object;
  if (strategy.kind !== 'keyset' && strategy.kind !== 'changed-since') return null;
  for (const param of listSinceParams(object)) {
    const value = query.get(param);
    if (value !== null && !quirks.ignoredParams?.includes(param))
      return { column: strategy.cursorColumn, seconds: Math.floor(Date.parse(value) / 1000) };
  }
  return null;
}

function findInvalidParam(
  object: ObjectSpec,
  quirks: ListQuirks,
  query: URLSearchParams,
  include: readonly string[],
): object | null {
  const known = new Set(['page', 'per_page', ...object.list.filters, ...listSinceParams(object)]);
  if (object.list.orderBy.length > 0) known.add('order_by').add('order_type');
  if (Object.keys(object.list.includeColumns).length > 0) known.add('include');
  for (const param of quirks.rejectedParams ?? []) known.delete(param);
  for (const [name, value] of query) {
    const createError = (message: string, code = 'invalid_value') => ({ field: name, message, code });
    if (!known.has(name)) return createError('Unexpected/invalid field in request', 'invalid_field');
    if (name === 'page' && !(/^\d+$/.test(value) && Number(value) >= 1))
      return createError('It should be a Positive Integer', 'datatype_mismatch');
    if (name === 'page' && object.maxPages !== null && Number(value) > object.maxPages) {
      return createError(
        `You cannot access ${object.name} beyond the ${object.maxPages}th page. Please provide a smaller page number.`,
      );
    }
    if (name === 'per_page' && !(/^\d+$/.test(value) && Number(value) >= 1 && Number(value) <= object.pageSize)) {
      return createError(`It should be a Positive Integer less than or equal to ${object.pageSize}`);
    }
    if (name === 'order_by' && !object.list.orderBy.includes(value))
      return createError(`It should be one of these values: '${object.list.orderBy.join(',')}'`);
    if (name === 'order_type' && value !== 'asc' && value !== 'desc')
      return createError("It should be one of these values: 'asc,desc'");
    if (listSinceParams(object).includes(name) && Number.isNaN(Date.parse(value)))
      return createError('It should be in the date format', 'invalid_value');
  }
  const unknown = include.find((name) => object.list.includeColumns[name] === undefined);
  return unknown === undefined
    ? null
    : { field: 'include', message: `Unknown include ${unknown}`, code: 'invalid_value' };
}

function listSinceParams({ strategy }: ObjectSpec): readonly string[] {
  return strategy.kind === 'keyset'
    ? [strategy.sinceParam]
    : strategy.kind === 'changed-since'
      ? strategy.sinceParams
      : [];
}

function findViewIndex(object: ObjectSpec, query: URLSearchParams): number {
  const index = object.views.findIndex((view) => {
    const filters = Object.entries(view.query);
    return filters.length > 0 && filters.every(([name, value]) => query.get(name) === value);
  });
  return Math.max(0, index);
}

const hiddenSets = new WeakMap<ObjectSpec, Map<string, ReadonlySet<string>>>();

/**
 * Returns the columns to omit because the request lacks the `include` that returns them. The `Set`
 * instance is the same for equal arguments. It is `NO_HIDDEN_COLUMNS` if there are no such columns.
 */
function getHiddenColumns(object: ObjectSpec, include: readonly string[]): ReadonlySet<string> {
  const sets = hiddenSets.get(object) ?? new Map<string, ReadonlySet<string>>();
  hiddenSets.set(object, sets);
  const key = include.join();
  let hidden = sets.get(key);
  if (!hidden) {
    const omitted = Object.entries(object.list.includeColumns).flatMap(([name, columns]) =>
      include.includes(name) ? [] : columns,
    );
    const names = omitted.filter((name) => object.columns.some((column) => column.name === name));
    hidden = names.length === 0 ? NO_HIDDEN_COLUMNS : new Set(names);
    sets.set(key, hidden);
  }
  return hidden;
}

/** Sorts the records by a column's JSON values. @returns each record's rank, by record number. */
function rankByColumn(account: SimulatedAccount, object: ObjectSpec, column: string): number[] {
  const list = account.getList(object);
  const unedited = getCachedSortKeys(list, column);
  const toSortKey = (fields: Record<string, unknown>) => JSON.stringify(fields[column] ?? '');
  const keys = Array.from({ length: list.length }, (_, n) => {
    const edit = list.edits.get(n);
    if (edit !== undefined && column in edit) return toSortKey(edit);
    unedited[n] ??= toSortKey(
      JSON.parse(account.renderRecord(object, n, NO_HIDDEN_COLUMNS)) as Record<string, unknown>,
    );
    return unedited[n];
  });
  const sorted = keys
    .map((_, n) => n)
    .sort((a, b) =>
      (keys[a] as string) < (keys[b] as string) ? -1 : (keys[a] as string) > (keys[b] as string) ? 1 : a - b,
    );
  const ranks: number[] = new Array(list.length);
  sorted.forEach((n, rank) => {
    ranks[n] = rank;
  });
  return ranks;
}

const sortKeys = new WeakMap<RecordList, Map<string, string[]>>();

/**
 * Returns the array in which the sort keys of unedited records are cached, indexed by record
 * number. Without this cache, computing a new order would render all records.
 */
function getCachedSortKeys(list: RecordList, column: string): string[] {
  const columns = sortKeys.get(list) ?? new Map<string, string[]>();
  sortKeys.set(list, columns);
  const keys = columns.get(column) ?? [];
  columns.set(column, keys);
  return keys;
}

/**
 * Sorts the records by `updated_at`, and shuffles records with equal `updated_at`. Each response
 * has a different order.
 */
function shuffleTies(order: readonly number[], getUpdatedAt: (n: number) => number): number[] {
  return [...order].sort(
    (a, b) => getUpdatedAt(a) - getUpdatedAt(b) || hash(responseCount, a, 0) - hash(responseCount, b, 0),
  );
}
