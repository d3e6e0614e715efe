import { getFieldName } from '@freshet/contracts';

/** The column index of a field without a column. */
export const NO_COLUMN = -1;

/**
 * Finds the column of each field of a record. The lookup caches the column for each field position,
 * because the records of a list usually have their fields in the same order.
 */
export class ColumnLookup {
  /** Field name → column index. */
  readonly #columns: ReadonlyMap<string, number>;
  /**
   * Field position → the bytes of the name that was last found at this position, and the column.
   * Equal bytes always denote the same name, so the name need not be decoded.
   */
  readonly #cache: { name: Buffer; column: number }[] = [];

  constructor(columns: ReadonlyMap<string, number>) {
    this.#columns = columns;
  }

  /** @param position the position of the field among the fields of its JSON object. */
  find(source: Buffer, fields: Int32Array, field: number, position: number): number {
    const start = fields[field] as number;
    const end = fields[field + 1] as number;
    const cached = this.#cache[position];
    if (cached !== undefined && hasBytes(source, start, end, cached.name)) return cached.column;
    const column = this.#columns.get(getFieldName(source, fields, field)) ?? NO_COLUMN;
    this.#cache[position] = { name: Buffer.from(source.subarray(start, end)), column };
    return column;
  }
}

function hasBytes(source: Buffer, start: number, end: number, bytes: Buffer): boolean {
  const { length } = bytes;
  if (end - start !== length) return false;
  for (let i = 0; i < length; i++) if (source[start + i] !== bytes[i]) return false;
  return true;
}
