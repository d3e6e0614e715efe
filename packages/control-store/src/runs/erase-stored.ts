import { type ErasedOwners, eraseFromBatch, hasErasedOwner } from '@freshet/contracts';
import type { Sql } from '../database/database.ts';
import { NIL_UUID } from '../database/ids.ts';
import type { SecretBox } from '../security/secret-box.ts';
import { buildRejectedRecordAad } from './rejected-records.ts';

const PAGE_ROWS = 500;

/**
 * The stored records to erase: the records of one object that belong to erased persons or to erased
 * records.
 */
interface ErasureScope {
  readonly pipelineId: string;
  readonly object: string;
  readonly owners: readonly ErasedOwners[];
  /** Whether to count the records without removing them. */
  readonly isDryRun: boolean;
}

/**
 * Removes records from stored batches.
 * @param keyField the field that contains the key of a record.
 * @returns the number of matching records, and the keys of the matching records that could be
 * parsed.
 */
export async function eraseFromBatches(
  sql: Sql,
  { pipelineId, object, owners, isDryRun }: ErasureScope,
  keyField: string,
): Promise<{ readonly records: number; readonly keys: readonly string[] }> {
  let after = 0;
  let records = 0;
  const keys: string[] = [];
  for (;;) {
    // Fetch one batch at a time, so that memory usage does not depend on the number of batches
    // (I9).
    const [batch] = await sql<{ id: string; seq: number; body: Buffer }[]>`
      select id, seq::float8 as seq, body from freshet.batches
      where pipeline_id = ${pipelineId} and object = ${object} and seq > ${after} order by seq limit 1`;
    if (!batch) return { records, keys };
    after = batch.seq;
    const erased = await eraseFromBatch(batch.body, owners, keyField);
    if (erased === null) continue;
    records += erased.records;
    keys.push(...erased.keys);
    if (isDryRun) continue;
    await sql`update freshet.batches set body = ${erased.body}, raw_bytes = ${erased.rawBytes} where id = ${batch.id}`;
  }
}

/** Removes rejected records. @returns the number of matching records. */
export async function eraseFromRejectedRecords(
  sql: Sql,
  box: SecretBox,
  { pipelineId, object, owners, isDryRun }: ErasureScope,
): Promise<number> {
  let after = NIL_UUID;
  let found = 0;
  for (;;) {
    const rows = await sql<{ id: string; raw: string }[]>`
      select id, raw from freshet.rejected_records
      where pipeline_id = ${pipelineId} and object = ${object} and id > ${after} order by id limit ${PAGE_ROWS}`;
    const last = rows.at(-1);
    if (!last) return found;
    after = last.id;
    const ids = rows
      .filter(({ id, raw }) => hasErasedOwner(Buffer.from(box.open(raw, buildRejectedRecordAad(id))), owners))
      .map(({ id }) => id);
    found += ids.length;
    if (!isDryRun && ids.length > 0) await sql`delete from freshet.rejected_records where id = any(${ids})`;
  }
}
