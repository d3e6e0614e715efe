import { createHash } from 'node:crypto';

/** PostgreSQL cuts longer names without a word, and two of them would become one. */
const NAME_BYTES_MAX = 63;
const HASH_DIGITS = 8;

/** Columns that every row has, with their SQL types. Part of the warehouse contract. */
export const META_COLUMNS = {
  _freshet_extra: 'jsonb',
  _freshet_batch_id: 'uuid',
  _freshet_extracted_at: 'timestamptz',
  _freshet_loaded_at: 'timestamptz',
  _freshet_hash: 'bytea',
  _freshet_deleted_at: 'timestamptz',
  _freshet_delete_kind: 'text',
  _freshet_notes: 'jsonb',
} as const;

const SYSTEM_COLUMNS = new Set(['tableoid', 'xmin', 'cmin', 'xmax', 'cmax', 'ctid']);

/** An identifier in SQL. Always quoted: reserved words need no rule, and nothing that a name holds can leave it. */
export function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/**
 * The column of a field, by a rule that depends on nothing but the field's name: a name that is lower-case
 * letters, digits and underscores, at most 63 bytes, and none of ours or PostgreSQL's, stays as it is. Any other
 * is made so, cut to 54 bytes, and gets the first 8 hexadecimal digits of the SHA-256 of the field's name, so that
 * no two fields meet in one column, in whatever order they arrive.
 */
export function columnName(field: string): string {
  const usual = /^[a-z_][a-z0-9_]*$/.test(field) && field.length <= NAME_BYTES_MAX && !field.startsWith('_freshet') && !SYSTEM_COLUMNS.has(field);
  if (usual) return field;
  const plain = field
    .toLowerCase()
    .replace(/[^a-z0-9_]+/g, '_')
    .replace(/^(?![a-z])/, 'f_')
    .slice(0, NAME_BYTES_MAX - HASH_DIGITS - 1);
  return `${plain}_${createHash('sha256').update(field).digest('hex').slice(0, HASH_DIGITS)}`;
}
