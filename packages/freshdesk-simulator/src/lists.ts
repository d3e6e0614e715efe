import type { ObjectSpec } from '@freshet/freshdesk-extractor';
import type { SimulatedAccount } from './account.ts';
import { hash } from './random.ts';
import type { RecordList } from './record-list.ts';

/**
 * How an account's lists differ from what a reader hopes for. Some accounts have some of them; others are there to
 * break an assumption of the reading, so that tests can show that it is noticed.
 */
export interface ListQuirks {
  /** Since filters that the account refuses as unknown. */
  readonly refusedParams?: readonly string[];
  /** Since filters that the account takes and ignores. */
  readonly ignoredParams?: readonly string[];
  /** The since filter leaves out the very second that it names. */
  readonly exclusiveSince?: boolean;
  /** Records of one second stand in another order in every answer. */
  readonly unstableTies?: boolean;
  /** The list comes in an order that was not asked for. */
  readonly ignoresOrder?: boolean;
}

export type ListAnswer = { readonly body: Buffer; readonly hasNext: boolean } | { readonly invalid: object };

const DAY_SECONDS = 86_400;
const NOTHING_HIDDEN: ReadonlySet<string> = new Set();
let answers = 0;

export function includesOf(query: URLSearchParams): string[] {
  return (query.get('include') ?? '').split(',').filter((name) => name !== '');
}

/** One page of an object's list, as the account answers it; null: the parent does not exist. */
export function answerList(
  account: SimulatedAccount,
  object: ObjectSpec,
  parent: number | undefined,
  query: URLSearchParams,
  quirks: ListQuirks,
  { archived = false, within = false }: { readonly archived?: boolean; readonly within?: boolean } = {},
): ListAnswer | null {
  answers++;
  account.settle();
  const include = includesOf(query);
  const invalid = invalidParam(object, quirks, query, include);
  if (invalid) return { invalid };
  const page = Number(query.get('page') ?? '1');
  const perPage = Number(query.get('per_page') ?? '30');
  if (parent !== undefined) {
    const children = within ? account.childrenWithin(object, parent) : account.childrenAtTop(object, parent, archived);
    if (children === null) return null;
    return {
      body: Buffer.from(`[${children.slice((page - 1) * perPage, page * perPage).join(',')}]`),
      hasNext: page * perPage < children.length,
    };
  }
  const { numbers, from, to } = selection(account, object, quirks, query, (page - 1) * perPage, page * perPage);
  return {
    body: account.arrayOf(object, numbers, hiddenColumns(object, include)),
    hasNext: page * perPage < to - from,
  };
}

/** The record numbers of one page, and the range of the order that the whole answer spans. */
function selection(
  account: SimulatedAccount,
  object: ObjectSpec,
  quirks: ListQuirks,
  query: URLSearchParams,
  start: number,
  end: number,
): { numbers: number[]; from: number; to: number } {
  const list = account.listOf(object);
  const view = viewIndex(object, query);
  const column = query.get('order_by') ?? object.list.defaultOrder[0];
  const direction = query.get('order_type') ?? (query.has('order_by') ? 'desc' : object.list.defaultOrder[1]);
  const rank = () => rankBy(account, object, column);
  let order = quirks.ignoresOrder === true ? list.ordered(view, 'id', rank) : list.ordered(view, column, rank);
  if (quirks.unstableTies === true) order = shuffleTies(order, (n) => list.updatedAt(n));
  const since = sinceOf(object, quirks, query);
  let selected: readonly number[] = order;
  let from = 0;
  const ascending = direction === 'asc';
  if (since !== null && since.column === column && ascending && ['created_at', 'updated_at'].includes(column)) {
    from = list.firstSince(order, column, quirks.exclusiveSince === true ? since.seconds + 1 : since.seconds);
  } else if (since !== null) {
    selected = order.filter((n) => getTime(list, n, since.column) >= since.seconds);
  } else if (object.list.defaultWindowDays !== null) {
    const oldest = account.nowSeconds() - object.list.defaultWindowDays * DAY_SECONDS;
    selected = order.filter((n) => list.createdAt(n) >= oldest);
  }
  const to = selected.length;
  const numbers = ascending
    ? selected.slice(from + start, from + end)
    : selected.slice(Math.max(0, to - end), Math.max(0, to - start)).reverse();
  return { numbers, from, to };
}

/** A time of a record in seconds. One that is neither creation nor last change is as old as the record until somebody edits it. */
function getTime(list: RecordList, n: number, column: string): number {
  if (column === 'updated_at') return list.updatedAt(n);
  if (column === 'created_at') return list.createdAt(n);
  const edited = list.edits.get(n)?.[column];
  return typeof edited === 'string' ? Math.floor(Date.parse(edited) / 1000) : list.createdAt(n);
}

const SEARCH_PAGE = 30;
/** The one form of query that is understood: records of which a time is not before a day. */
const SEARCH = /^"(created_at|updated_at):>'(\d{4}-\d{2}-\d{2})'"$/;

/** One page of a search: how many there are, and 30 of them. Records in the trash, in spam and in the archive are not found. */
export function answerSearch(
  account: SimulatedAccount,
  object: ObjectSpec,
  query: URLSearchParams,
): Buffer | { readonly invalid: object } {
  account.settle();
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
  const list = account.listOf(object);
  const order = list.ordered(0, column, () => []);
  const first = list.firstSince(order, column, Math.floor(Date.parse(day) / 1000));
  const start = first + (Number(query.get('page') ?? '1') - 1) * SEARCH_PAGE;
  const results = account.arrayOf(object, order.slice(start, start + SEARCH_PAGE), hiddenColumns(object, []));
  return Buffer.concat([Buffer.from(`{"total":${order.length - first},"results":`), results, Buffer.from('}')]);
}

function sinceOf(
  object: ObjectSpec,
  quirks: ListQuirks,
  query: URLSearchParams,
): { column: string; seconds: number } | null {
  const { way } = object;
  if (way.kind !== 'keyset' && way.kind !== 'since') return null;
  for (const param of sinceParams(object)) {
    const value = query.get(param);
    if (value !== null && !quirks.ignoredParams?.includes(param))
      return { column: way.column, seconds: Math.floor(Date.parse(value) / 1000) };
  }
  return null;
}

function invalidParam(
  object: ObjectSpec,
  quirks: ListQuirks,
  query: URLSearchParams,
  include: readonly string[],
): object | null {
  const known = new Set(['page', 'per_page', ...object.list.filters, ...sinceParams(object)]);
  if (object.list.orderBy.length > 0) known.add('order_by').add('order_type');
  if (Object.keys(object.list.includeColumns).length > 0) known.add('include');
  for (const param of quirks.refusedParams ?? []) known.delete(param);
  for (const [name, value] of query) {
    const bad = (message: string, code = 'invalid_value') => ({ field: name, message, code });
    if (!known.has(name)) return bad('Unexpected/invalid field in request', 'invalid_field');
    if (name === 'page' && !(/^\d+$/.test(value) && Number(value) >= 1))
      return bad('It should be a Positive Integer', 'datatype_mismatch');
    if (name === 'page' && object.maxPages !== null && Number(value) > object.maxPages) {
      return bad(
        `You cannot access ${object.name} beyond the ${object.maxPages}th page. Please provide a smaller page number.`,
      );
    }
    if (name === 'per_page' && !(/^\d+$/.test(value) && Number(value) >= 1 && Number(value) <= object.pageSize)) {
      return bad(`It should be a Positive Integer less than or equal to ${object.pageSize}`);
    }
    if (name === 'order_by' && !object.list.orderBy.includes(value))
      return bad(`It should be one of these values: '${object.list.orderBy.join(',')}'`);
    if (name === 'order_type' && value !== 'asc' && value !== 'desc')
      return bad("It should be one of these values: 'asc,desc'");
    if (sinceParams(object).includes(name) && Number.isNaN(Date.parse(value)))
      return bad('It should be in the date format', 'invalid_value');
  }
  const unknown = include.find((name) => object.list.includeColumns[name] === undefined);
  return unknown === undefined
    ? null
    : { field: 'include', message: `Unknown include ${unknown}`, code: 'invalid_value' };
}

function sinceParams({ way }: ObjectSpec): readonly string[] {
  return way.kind === 'keyset' ? [way.sinceParam] : way.kind === 'since' ? way.sinceParams : [];
}

function viewIndex(object: ObjectSpec, query: URLSearchParams): number {
  const index = object.views.findIndex((view) => {
    const asked = Object.entries(view.query);
    return asked.length > 0 && asked.every(([name, value]) => query.get(name) === value);
  });
  return Math.max(0, index);
}

const hiddenSets = new Map<string, ReadonlySet<string>>();

/** Columns that only an `include` brings and that was not asked for. */
function hiddenColumns(object: ObjectSpec, include: readonly string[]): ReadonlySet<string> {
  const key = `${object.name}|${include.join()}`;
  let hidden = hiddenSets.get(key);
  if (!hidden) {
    hidden = new Set(
      Object.entries(object.list.includeColumns).flatMap(([name, columns]) => (include.includes(name) ? [] : columns)),
    );
    hiddenSets.set(key, hidden);
  }
  return hidden;
}

/** Record number → its place when all are sorted by a column's text. */
function rankBy(account: SimulatedAccount, object: ObjectSpec, column: string): number[] {
  const list = account.listOf(object);
  const unedited = cachedKeys(list, column);
  const keyOf = (fields: Record<string, unknown>) => JSON.stringify(fields[column] ?? '');
  const keys = Array.from({ length: list.length }, (_, n) => {
    const edit = list.edits.get(n);
    if (edit !== undefined && column in edit) return keyOf(edit);
    unedited[n] ??= keyOf(JSON.parse(account.textOf(object, n, NOTHING_HIDDEN)) as Record<string, unknown>);
    return unedited[n];
  });
  const sorted = keys
    .map((_, n) => n)
    .sort((a, b) =>
      (keys[a] as string) < (keys[b] as string) ? -1 : (keys[a] as string) > (keys[b] as string) ? 1 : a - b,
    );
  const ranks: number[] = new Array(list.length);
  sorted.forEach((n, place) => {
    ranks[n] = place;
  });
  return ranks;
}

const sortKeys = new WeakMap<RecordList, Map<string, string[]>>();

/** Sort keys of the records that nobody has edited, by record number: sorting a list again must not render all of its records. */
function cachedKeys(list: RecordList, column: string): string[] {
  const columns = sortKeys.get(list) ?? new Map<string, string[]>();
  sortKeys.set(list, columns);
  const keys = columns.get(column) ?? [];
  columns.set(column, keys);
  return keys;
}

/** The same order, but for records of one time, which stand otherwise in every answer. */
function shuffleTies(order: readonly number[], timeOf: (n: number) => number): number[] {
  return [...order].sort((a, b) => timeOf(a) - timeOf(b) || hash(answers, a, 0) - hash(answers, b, 0));
}
