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

/** An identifier in SQL. Always quoted: reserved words need no rule, and nothing that a name holds can leave it. */
export function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Text as an SQL literal. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
