import { hash } from 'node:crypto';

/**
 * The naming rule of warehouse columns: the only source of column names for DDL and COPY. A name depends on the field's path alone;
 * the loader uses {@link distinctColumnName} where two paths have one name.
 */

/** PostgreSQL truncates longer identifiers, so two of them could become one. */
const NAME_BYTES_MAX = 63;
const HASH_DIGITS = 8;

/** PostgreSQL's own columns; no table can have a column of such a name. */
const SYSTEM_COLUMNS: ReadonlySet<string> = new Set(['tableoid', 'xmin', 'cmin', 'xmax', 'cmax', 'ctid']);

/** Names that the history of a table needs: its two columns, and the parameter of its function. */
const HISTORY_NAMES: ReadonlySet<string> = new Set(['valid_from', 'valid_to', 'moment']);

/**
 * The column name of a field name. A name stays as it is if it consists of lower-case letters, digits and underscores, has at most 63
 * bytes, begins with a letter or underscore, and is not reserved. Any other name is reduced to such characters, truncated to 54
 * bytes, and ends with the first 8 hexadecimal digits of the SHA-256 of the field name.
 */
export function columnName(field: string): string {
  const isPlain = /^[a-z_][a-z0-9_]*$/.test(field) && field.length <= NAME_BYTES_MAX;
  const isReserved = field.startsWith('_freshet') || SYSTEM_COLUMNS.has(field) || HISTORY_NAMES.has(field);
  return isPlain && !isReserved ? field : hashedName(field, field);
}

/** The column name of a field by its path in a record. Fields of the account (`['custom_fields', 'x']`) have the prefix `cf_`. */
export function columnNameOf(path: readonly string[]): string {
  const field = path.at(-1) as string;
  return columnName(path.length === 1 ? field : customFieldName(field));
}

/** The name of an account's own field with its prefix. Ticket fields carry it already, fields of contacts and companies mostly do not. */
export function customFieldName(field: string): string {
  return field.startsWith('cf_') ? field : `cf_${field}`;
}

/**
 * The column name of a field whose name by the rule belongs to another field: it ends with 8 hexadecimal digits of the SHA-256 of the
 * field's path.
 * @param attempt 0, or greater if the names of lower attempts are taken as well.
 */
export function distinctColumnName(name: string, path: readonly string[], attempt: number): string {
  return hashedName(name, `${JSON.stringify(path)}${attempt === 0 ? '' : `#${attempt}`}`);
}

function hashedName(name: string, hashed: string): string {
  const plain = name
    .toLowerCase()
    .replace(/[^a-z0-9_]+/g, '_')
    .replace(/^(?![a-z])/, 'f_')
    .slice(0, NAME_BYTES_MAX - HASH_DIGITS - 1);
  return `${plain}_${hash('sha256', hashed, 'hex').slice(0, HASH_DIGITS)}`;
}
