import { hash } from 'node:crypto';

/**
 * The naming rule of warehouse columns, and the only source of column names for DDL and COPY. A
 * name depends only on the field's path. If two paths yield the same name, the loader calls {@link
 * getDistinctColumnName}.
 */

/** PostgreSQL truncates longer identifiers, so two different names could become equal. */
const NAME_BYTES_MAX = 63;
const HASH_DIGITS = 8;

/** PostgreSQL's system columns, whose names no other column can have. */
const SYSTEM_COLUMNS: ReadonlySet<string> = new Set(['tableoid', 'xmin', 'cmin', 'xmax', 'cmax', 'ctid']);

/**
 * Names that history uses: two columns of a history table, and the parameter of the history
 * function.
 */
const HISTORY_NAMES: ReadonlySet<string> = new Set(['valid_from', 'valid_to', 'moment']);

/**
 * Returns the column name for a field. The name of the field is unchanged if it consists of
 * lower-case letters, digits and underscores, has at most 63 bytes, starts with a letter or
 * underscore, and is not reserved. Any other name is converted to these characters, truncated to 54
 * bytes, and followed by an underscore and the first 8 hexadecimal digits of the SHA-256 of the
 * field's name.
 */
export function getColumnName(field: string): string {
  const isPlain = /^[a-z_][a-z0-9_]*$/.test(field) && field.length <= NAME_BYTES_MAX;
  const isReserved = field.startsWith('_freshet') || SYSTEM_COLUMNS.has(field) || HISTORY_NAMES.has(field);
  return isPlain && !isReserved ? field : buildHashedName(field, field);
}

/**
 * Returns the column name for the field at a path in a record. The name of a custom field
 * (`['custom_fields', 'x']`) gets the prefix `cf_`.
 */
export function getColumnNameByPath(path: readonly string[]): string {
  const field = path.at(-1) as string;
  return getColumnName(path.length === 1 ? field : toCustomFieldName(field));
}

/**
 * Adds the prefix `cf_` to the name of a custom field if the name lacks the prefix. Most custom
 * fields of contacts and companies lack this prefix.
 */
export function toCustomFieldName(field: string): string {
  return field.startsWith('cf_') ? field : `cf_${field}`;
}

/**
 * Returns an alternative column name for a field whose regular name is already taken. The
 * alternative ends with 8 hexadecimal digits of the SHA-256 of the field's path.
 * @param attempt 0 for the first alternative. Pass 1, 2, … if the names of the lower attempts are
 * also taken.
 */
export function getDistinctColumnName(name: string, path: readonly string[], attempt: number): string {
  return buildHashedName(name, `${JSON.stringify(path)}${attempt === 0 ? '' : `#${attempt}`}`);
}

function buildHashedName(name: string, hashed: string): string {
  const plain = name
    .toLowerCase()
    .replace(/[^a-z0-9_]+/g, '_')
    .replace(/^(?![a-z])/, 'f_')
    .slice(0, NAME_BYTES_MAX - HASH_DIGITS - 1);
  return `${plain}_${hash('sha256', hashed, 'hex').slice(0, HASH_DIGITS)}`;
}
