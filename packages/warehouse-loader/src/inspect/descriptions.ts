/**
 * Descriptions of the columns that Freshet adds to its tables. The loader writes no comments for
 * these columns.
 */
export const METADATA_DESCRIPTIONS: Readonly<Record<string, string>> = {
  _freshet_batch_id: 'The batch that last wrote the row. References _freshet_batches.',
  _freshet_extracted_at: 'When Freshdesk returned the record.',
  _freshet_loaded_at: 'When the row was last written.',
  _freshet_hash: 'A hash of the record, used to detect changes.',
  _freshet_deleted_at: 'The time since which the record is known to be deleted. Null while the record exists.',
  _freshet_delete_kind: 'How the deletion was detected.',
  _freshet_notes: 'Notes about changed values, or null.',
  _freshet_extra: 'Values without a column, or null.',
};

/** Descriptions of the columns that only a history table has. */
export const HISTORY_DESCRIPTIONS: Readonly<Record<string, string>> = {
  valid_from: 'When the version became current.',
  valid_to: 'When the next version became current. Null: the version is still current.',
};

/** Descriptions of the columns of the ledger tables that are part of the warehouse contract. */
export const LEDGER_DESCRIPTIONS: Readonly<Record<string, string>> = {
  table_name: 'The table.',
  complete_as_of: 'The table contains every change up to this time.',
  complete_back_to: 'The table contains every record from this time on. A time in 1970 means all history.',
  last_run_id: 'The last run that completed the table.',
  last_loaded_at: 'When rows were last loaded into the table.',
  last_audit_at: 'When an audit last completed the table.',
  row_count: 'The number of rows.',
  history: 'Whether row versions are stored.',
  batch_id: 'The batch.',
  extracted_at: 'When the records of the batch were extracted.',
  loaded_at: 'When the batch was applied.',
  records: 'The number of records in the batch.',
  inserted: 'The number of inserted rows.',
  updated: 'The number of updated rows.',
  unchanged: 'The number of records whose row was already up to date.',
  rejected: 'The number of rejected records.',
  deleted: 'The number of rows that were marked as deleted.',
};
