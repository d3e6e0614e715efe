import { getFieldName, isFieldNamed } from '@freshet/contracts';

/** The column index of a field without a column. */
export const NO_COLUMN = -1;

/**
 * Finds the column of each field of a record. The lookup caches the column for each field position,
 * because the records of a list usually have their fields in the same order.
 */
export class ColumnLookup {
  /** Field name → column index. */
  readonly #columns: ReadonlyMap<string, number>;
  /** Field position → the field that was last found at this position, and its column. */
  readonly #cache: { name: string; column: number }[] = [];

  constructor(columns: ReadonlyMap<string, number>) {
    this.#columns = columns;
  }

  /** @param position the position of the field among the fields of its JSON object. */
  find(source: Buffer, fields: Int32Array, field: number, position: number): number {
    const cached = this.#cache[position];
    if (cached !== undefined && isFieldNamed(source, fields, field, cached.name)) return cached.column;
    const name = getFieldName(source, fields, field);
    const column = this.#columns.get(name) ?? NO_COLUMN;
    this.#cache[position] = { name, column };
    return column;
  }
}
