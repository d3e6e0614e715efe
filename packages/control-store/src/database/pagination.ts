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

/**
 * Encodes the id of the last row of a page as a cursor. Lists are sorted by id, newest first. Ids
 * increase with time, so rows that are added between two requests do not shift the rows of later
 * pages.
 */
function encodeCursor(lastId: string): string {
  return Buffer.from(lastId, 'utf8').toString('base64url');
}

/**
 * Decodes a cursor.
 * @returns the id of the last row of the previous page.
 * @throws AppError `invalid_input` when the string is not a valid cursor.
 */
export function decodeCursor(cursor: string): string {
  const id = Buffer.from(cursor, 'base64url').toString('utf8');
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) {
    throw new AppError(
      'invalid_input',
      'cursor is invalid. Use the next_cursor of the previous page, or omit cursor to get the first page.',
      { context: { pointer: '/cursor' } },
    );
  }
  return id;
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
