import { AppError } from '@freshet/contracts';

/** Selects a page of a list. */
export interface ListOptions {
  readonly limit: number;
  /** The `nextCursor` of the previous page. Null: the first page. */
  readonly cursor: string | null;
}

/** A page of a list. */
export interface List<T> {
  readonly data: readonly T[];
  /** The cursor of the next page. Null: this is the last page. */
  readonly nextCursor: string | null;
}

const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const ID_PATTERN = new RegExp(`^${UUID}$`);
const RANKED_PATTERN = new RegExp(`^(?<rank>\\d+(?:\\.\\d+)?) (?<id>${UUID})$`);

/**
 * Encodes the position of the last row of a page as a cursor. Most lists are sorted by id, newest
 * first, and the position is the id. Ids increase with time, so rows that are added between two
 * requests do not shift the rows of later pages.
 */
function encodeCursor(position: string): string {
  return Buffer.from(position, 'utf8').toString('base64url');
}

/**
 * Decodes a cursor.
 * @returns the id of the last row of the previous page.
 * @throws AppError `invalid_input` when the string is not a valid cursor.
 */
export function decodeCursor(cursor: string): string {
  const id = Buffer.from(cursor, 'base64url').toString('utf8');
  if (!ID_PATTERN.test(id)) throw createCursorError();
  return id;
}

/** The position of a row in a list that is sorted by a number and then by id, highest first. */
export interface RankedPosition {
  readonly rank: number;
  readonly id: string;
}

/**
 * Decodes a cursor of a list that is sorted by a number.
 * @throws AppError `invalid_input` when the string is not a valid cursor.
 */
export function decodeRankedCursor(cursor: string): RankedPosition {
  const { rank, id } = RANKED_PATTERN.exec(Buffer.from(cursor, 'base64url').toString('utf8'))?.groups ?? {};
  if (rank === undefined || id === undefined) throw createCursorError();
  return { rank: Number(rank), id };
}

function createCursorError(): AppError {
  return new AppError(
    'invalid_input',
    'cursor is invalid. Use the next_cursor of the previous page, or omit cursor to get the first page.',
    { context: { pointer: '/cursor' } },
  );
}

/**
 * Converts rows to a page.
 * @param rows up to `limit + 1` rows: an extra row indicates that another page follows.
 */
export function toList<T extends { readonly id: string }>(rows: readonly T[], limit: number): List<T> {
  const data = rows.slice(0, limit);
  const last = data.at(-1);
  return { data, nextCursor: rows.length > limit && last ? encodeCursor(last.id) : null };
}

/** Like `toList`, for a list that is sorted by a number. */
export function toRankedList<T>(rows: readonly T[], limit: number, getPosition: (row: T) => RankedPosition): List<T> {
  const data = rows.slice(0, limit);
  const last = data.at(-1);
  if (rows.length <= limit || last === undefined) return { data, nextCursor: null };
  const { rank, id } = getPosition(last);
  return { data, nextCursor: encodeCursor(`${rank} ${id}`) };
}
