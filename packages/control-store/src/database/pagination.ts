import { AppError } from '@freshet/contracts';

export interface ListOptions {
  readonly limit: number;
  /** The `next_cursor` of the page before; null: from the beginning. */
  readonly cursor: string | null;
}

export interface List<T> {
  readonly data: readonly T[];
  readonly nextCursor: string | null;
}

/**
 * Lists run by id, newest first: ids rise with time, so rows that are added while a client pages never move
 * the rows it has yet to see.
 */
function encodeCursor(lastId: string): string {
  return Buffer.from(lastId, 'utf8').toString('base64url');
}

/** @throws AppError `invalid_input` for text that no list has given out. */
export function decodeCursor(cursor: string): string {
  const id = Buffer.from(cursor, 'base64url').toString('utf8');
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) {
    throw new AppError(
      'invalid_input',
      'cursor: not one that a list has answered with; leave it out to start at the beginning.',
      {
        context: { pointer: '/cursor' },
      },
    );
  }
  return id;
}

/** One row more than asked for tells whether there is a next page. */
export function toList<T extends { readonly id: string }>(rows: readonly T[], limit: number): List<T> {
  const data = rows.slice(0, limit);
  const last = data.at(-1);
  return { data, nextCursor: rows.length > limit && last ? encodeCursor(last.id) : null };
}
