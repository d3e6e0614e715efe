/**
 * The metadata columns of every row and their SQL types. They are part of the warehouse contract.
 */
export const METADATA_COLUMNS = {
  _freshet_extra: 'jsonb',
  _freshet_batch_id: 'uuid',
  _freshet_extracted_at: 'timestamptz',
  _freshet_loaded_at: 'timestamptz',
  _freshet_hash: 'bytea',
  _freshet_deleted_at: 'timestamptz',
  _freshet_delete_kind: 'text',
  _freshet_notes: 'jsonb',
} as const;

/**
 * Quotes an SQL identifier. Every identifier is quoted, so that reserved words and special
 * characters are safe.
 */
export function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Quotes a string as an SQL literal. */
export function quoteLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
