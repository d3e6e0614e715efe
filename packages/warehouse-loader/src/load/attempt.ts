import type { Misfits } from '@freshet/contracts';
import type { IdentifiedRecord } from '../records/identify.ts';
import { type BatchMetadata, RowWriter, type SchemaChanges } from '../records/row-writer.ts';
import type { WritableColumn } from '../records/writable-columns.ts';
import type { TableState } from '../schema/table-state.ts';
import type { LoadRequest } from './request.ts';

/**
 * One attempt to write the records to a table in a given state. Collects the schema changes and
 * rejections that the next attempt must take into account.
 */
export class LoadAttempt {
  readonly columns: readonly WritableColumn[];
  /** The changes that the table needs before the records can be written. */
  readonly schemaChanges: SchemaChanges = { columnsToWiden: new Set(), fieldsToAdd: new Map() };
  /** Records that cannot be written: record → reason. */
  readonly rejections = new Map<IdentifiedRecord, string>();
  readonly #writer: RowWriter;
  readonly #batches: readonly BatchMetadata[];
  readonly #wideningRefusals: TableState['wideningRefusals'];

  constructor({ table, schemaPolicy, prepared }: LoadRequest, state: TableState) {
    const { columns, fixedColumns, extraFields } = state;
    this.columns = columns;
    this.#wideningRefusals = state.wideningRefusals;
    this.#writer = new RowWriter({ table, columns, schemaPolicy, fixedColumns, extraFields }, this.schemaChanges);
    this.#batches = prepared.batches.map(({ id, extractedAt }) => ({ id, extractedAt: extractedAt.toISOString() }));
  }

  get needsSchemaChanges(): boolean {
    return this.schemaChanges.columnsToWiden.size > 0 || this.schemaChanges.fieldsToAdd.size > 0;
  }

  get misfits(): readonly Misfits[] {
    return this.#writer.misfits.map((misfits) => {
      const wideningRefusal = this.#wideningRefusals.get(misfits.column);
      return wideningRefusal === undefined ? misfits : { ...misfits, wideningRefusal };
    });
  }

  /**
   * Counts the values that do not fit their columns.
   * @param records the records of batches that an earlier load has applied. The result of the
   *   earlier load may have been lost, so these counts and the rejections are reported again.
   * @returns the records that the earlier load rejected: record → reason.
   */
  recountMisfits(records: readonly IdentifiedRecord[]): ReadonlyMap<IdentifiedRecord, string> {
    const rejections = new Map<IdentifiedRecord, string>();
    for (const record of records) {
      const reason = this.#writeRow(record);
      if (reason !== null) rejections.set(record, reason);
      this.#writer.buffer.truncate(0);
    }
    return rejections;
  }

  /**
   * Encodes rows lazily while COPY streams them.
   * @throws Error after the last record if the table needs schema changes or records were rejected,
   *   so that nothing is written.
   */
  async *encodeRows(records: readonly IdentifiedRecord[]): AsyncGenerator<Buffer> {
    const { buffer } = this.#writer;
    // Discard bytes that an earlier, failed COPY has left in the buffer.
    buffer.truncate(0);
    for (const record of records) {
      const reason = this.#writeRow(record);
      if (reason !== null) this.rejections.set(record, reason);
      if (buffer.isChunkFull) yield buffer.takeChunk();
    }
    if (this.rejections.size > 0 || this.needsSchemaChanges) throw new Error('The load has to be attempted again.');
    if (buffer.length > 0) yield buffer.takeChunk();
  }

  #writeRow(record: IdentifiedRecord): string | null {
    return this.#writer.write(record, this.#batches[record.batch] as BatchMetadata);
  }
}
