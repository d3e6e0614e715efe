import {
  AppError,
  ERROR_POLICY,
  eraseFromBatch,
  type FieldRules,
  isOwnedLine,
  OPEN_OBJECT_RUN_STATUSES,
  type Owners,
} from '@freshet/contracts';
import { columnsOf, type Sql, type Tx } from '../database/database.ts';
import { uuidv7 } from '../database/ids.ts';
import { decodeCursor, type List, type ListOptions, toList } from '../database/pagination.ts';
import { type ErasedFrom, type ErasureProof, erasures } from '../database/schema.ts';
import { emit } from '../notifications/events.ts';
import type { SecretBox } from '../security/secret-box.ts';
import { sendExtract } from '../work/jobs.ts';
import type { JobQueue } from '../work/queue.ts';
import { boundTo } from './rejected-records.ts';

export type Erasure = typeof erasures.$inferSelect;

/** All that taking a person out of a pipeline needs to know. */
export interface ErasureClaim {
  readonly id: string;
  readonly pipelineId: string;
  readonly object: string;
  readonly key: string;
  readonly destinationId: string;
  readonly schema: string;
  readonly tablePrefix: string;
  /** What is done with fields on their way, by object. */
  readonly fieldRules: Readonly<Record<string, FieldRules>>;
  /** What hashed fields are salted with; null: none is hashed. */
  readonly hashSalt: Buffer | null;
}

export interface ErasureOutcome {
  readonly removed: readonly ErasedFrom[];
  readonly unsearchable: readonly string[];
  readonly proof: ErasureProof;
}

const FAILURES_MAX = 7;
const BACKOFF_MS = 1000;
const BACKOFF_MAX_MS = 60_000;
const ROWS_AT_ONCE = 500;

/** People who are taken out of what a pipeline holds, and kept out of it. */
export class Erasures {
  readonly #sql: Sql;
  readonly #queue: JobQueue;
  readonly #box: SecretBox;

  constructor(sql: Sql, queue: JobQueue, box: SecretBox) {
    this.#sql = sql;
    this.#queue = queue;
    this.#box = box;
  }

  /** From now on what belongs to this one is left out of every reading that begins. */
  async request(pipelineId: string, object: string, key: string): Promise<Erasure> {
    return await this.#sql.begin(async (tx) => {
      const [pipeline] = await tx`select id from freshet.pipelines where id = ${pipelineId} for no key update`;
      if (!pipeline) throw new AppError('not_found', `There is no pipeline ${pipelineId}.`);
      const [open] = await tx<Erasure[]>`
        select ${columnsOf(tx, erasures)} from freshet.erasures where pipeline_id = ${pipelineId} and object = ${object} and key = ${key} and status in ('queued', 'running')`;
      if (open) return open;
      const id = uuidv7();
      const [made] = await tx<Erasure[]>`
        insert into freshet.erasures (id, pipeline_id, object, key) values (${id}, ${pipelineId}, ${object}, ${key}) returning ${columnsOf(tx, erasures)}`;
      await addKeys(tx, pipelineId, id, object, [key]);
      await this.#queue.send(tx, 'erase', { erasureId: id }, { key: pipelineId });
      return made as Erasure;
    });
  }

  async get(pipelineId: string, id: string): Promise<Erasure> {
    const [row] = await this.#sql<
      Erasure[]
    >`select ${columnsOf(this.#sql, erasures)} from freshet.erasures where pipeline_id = ${pipelineId} and id = ${id}`;
    if (!row) throw new AppError('not_found', `There is no erasure ${id}.`);
    return row;
  }

  async list(pipelineId: string, { limit, cursor }: ListOptions): Promise<List<Erasure>> {
    const sql = this.#sql;
    const rows = await sql<Erasure[]>`
      select ${columnsOf(sql, erasures)} from freshet.erasures where pipeline_id = ${pipelineId} ${cursor === null ? sql`` : sql`and id < ${decodeCursor(cursor)}`}
      order by id desc limit ${limit + 1}`;
    return toList([...rows], limit);
  }

  /** Who was erased may be read again from now on: by mistake, or because they came back. What was removed stays removed until it is. */
  async lift(pipelineId: string, id: string): Promise<Erasure> {
    return await this.#sql.begin(async (tx) => {
      const [row] = await tx<
        Erasure[]
      >`select ${columnsOf(tx, erasures)} from freshet.erasures where pipeline_id = ${pipelineId} and id = ${id} for no key update`;
      if (!row) throw new AppError('not_found', `There is no erasure ${id}.`);
      if (row.status === 'queued' || row.status === 'running')
        throw new AppError('conflict', 'The erasure is under way: it can be lifted when it is over.');
      await tx`
        delete from freshet.audit_work a using freshet.erased_keys k
        where k.erasure_id = ${id} and a.pipeline_id = k.pipeline_id and a.object = k.object and a.key = k.key and a.outcome = 'erased'`;
      await tx`delete from freshet.erased_keys where erasure_id = ${id}`;
      const [lifted] = await tx<
        Erasure[]
      >`update freshet.erasures set status = 'lifted' where id = ${id} returning ${columnsOf(tx, erasures)}`;
      return lifted as Erasure;
    });
  }

  /** Takes up an erasure; null when it is over. It may be taken up again and again: what is done stays done. */
  async claim(id: string): Promise<ErasureClaim | null> {
    const [row] = await this.#sql<
      (Pick<Erasure, 'pipeline_id' | 'object' | 'key'> & {
        destination_id: string;
        destination_schema: string;
        table_prefix: string;
        objects: Record<string, { columns?: FieldRules }>;
        hash_salt: string | null;
      })[]
    >`
      update freshet.erasures e set status = 'running' from freshet.pipelines p
      where e.id = ${id} and p.id = e.pipeline_id and e.status in ('queued', 'running')
      returning e.pipeline_id, e.object, e.key, p.destination_id, p.destination_schema, p.table_prefix, p.objects, p.hash_salt`;
    if (!row) return null;
    return {
      id,
      pipelineId: row.pipeline_id,
      object: row.object,
      key: row.key,
      destinationId: row.destination_id,
      schema: row.destination_schema,
      tablePrefix: row.table_prefix,
      fieldRules: Object.fromEntries(
        Object.entries(row.objects).map(([object, { columns }]) => [object, columns ?? {}]),
      ),
      hashSalt:
        row.hash_salt === null
          ? null
          : Buffer.from(this.#box.open(row.hash_salt, `pipelines/${row.pipeline_id}/hash_salt`), 'base64'),
    };
  }

  /** The keys of an object that are kept out of a pipeline. @param erasureId of this erasure alone; null: of all. */
  async keys(pipelineId: string, object: string, erasureId: string | null = null): Promise<Set<string>> {
    const sql = this.#sql;
    const rows = await sql<{ key: string }[]>`
      select key from freshet.erased_keys
      where pipeline_id = ${pipelineId} and object = ${object} ${erasureId === null ? sql`` : sql`and erasure_id = ${erasureId}`}`;
    return new Set(rows.map(({ key }) => key));
  }

  /** More keys to keep out: records that were removed, and that others stand below. */
  async keepOut({ id, pipelineId }: ErasureClaim, object: string, keys: readonly string[]): Promise<void> {
    await this.#sql.begin((tx) => addKeys(tx, pipelineId, id, object, keys));
  }

  /**
   * Whoever reads the object now has begun without knowing of all those keys: they are fenced off, and others begin anew. After this no
   * batch can come that holds what belongs to them.
   */
  async fenceReaders({ pipelineId }: ErasureClaim, object: string): Promise<void> {
    await this.#sql.begin(async (tx) => {
      // Object runs before the object: the order in which everybody locks them.
      const open = await tx<{ id: string }[]>`
        select id from freshet.object_runs
        where pipeline_id = ${pipelineId} and object = ${object} and extracted_at is null and status = any(${[...OPEN_OBJECT_RUN_STATUSES]})
        order by id for no key update`;
      await tx`
        update freshet.pipeline_objects set extract_epoch = extract_epoch + 1 where pipeline_id = ${pipelineId} and object = ${object}`;
      await tx`update freshet.object_runs set extract_epoch = extract_epoch + 1 where id = any(${open.map((o) => o.id)})`;
      for (const { id } of open) await sendExtract(this.#queue, tx, id, null);
    });
  }

  /**
   * Takes them out of all batches that are stored.
   * @param dry only counts.
   * @returns how many records, and the keys of those that could be read.
   */
  async takeOutOfBatches(
    { pipelineId }: ErasureClaim,
    object: string,
    owners: readonly Owners[],
    keyField: string,
    dry = false,
  ): Promise<{ readonly records: number; readonly keys: readonly string[] }> {
    let after = 0;
    let records = 0;
    const keys: string[] = [];
    for (;;) {
      // One at a time: memory does not depend on how many there are.
      const [batch] = await this.#sql<{ id: string; seq: number; body: Buffer }[]>`
        select id, seq::float8 as seq, body from freshet.batches
        where pipeline_id = ${pipelineId} and object = ${object} and seq > ${after} order by seq limit 1`;
      if (!batch) return { records, keys };
      after = batch.seq;
      const erased = await eraseFromBatch(batch.body, owners, keyField);
      if (erased === null) continue;
      records += erased.records;
      keys.push(...erased.keys);
      if (!dry)
        await this
          .#sql`update freshet.batches set body = ${erased.body}, raw_bytes = ${erased.rawBytes} where id = ${batch.id}`;
    }
  }

  /** Takes them out of the rejected records. @param dry only counts. @returns how many. */
  async takeOutOfRejected(
    { pipelineId }: ErasureClaim,
    object: string,
    owners: readonly Owners[],
    dry = false,
  ): Promise<number> {
    let after = '00000000-0000-0000-0000-000000000000';
    let found = 0;
    for (;;) {
      const rows = await this.#sql<{ id: string; raw: string }[]>`
        select id, raw from freshet.rejected_records
        where pipeline_id = ${pipelineId} and object = ${object} and id > ${after} order by id limit ${ROWS_AT_ONCE}`;
      const last = rows.at(-1);
      if (!last) return found;
      after = last.id;
      const ids = rows
        .filter(({ id, raw }) => isOwnedLine(Buffer.from(this.#box.open(raw, boundTo(id))), owners))
        .map(({ id }) => id);
      found += ids.length;
      if (!dry && ids.length > 0) await this.#sql`delete from freshet.rejected_records where id = any(${ids})`;
    }
  }

  /** What stands below these records is not asked for any more, nor are they themselves. @param below objects whose parents they are. */
  async forgetWork(
    { id, pipelineId }: ErasureClaim,
    object: string,
    below: readonly string[],
    keys: readonly string[],
  ): Promise<void> {
    await this
      .#sql`delete from freshet.child_work where pipeline_id = ${pipelineId} and object = any(${[...below]}) and parent_id = any(${[...keys]})`;
    await this
      .#sql`delete from freshet.audit_work where pipeline_id = ${pipelineId} and object = any(${[...below]}) and key = any(${[...keys]})`;
    await this.#sql`
      insert into freshet.audit_work (pipeline_id, object, key, reason, object_run_id, outcome, lasting)
      select ${pipelineId}, ${object}, k, 'gap', ${id}, 'erased', true from unnest(${[...keys]}::text[]) as k
      on conflict (pipeline_id, object, key) do update set outcome = 'erased', lasting = true`;
  }

  async complete({ id, pipelineId }: ErasureClaim, { removed, unsearchable, proof }: ErasureOutcome): Promise<void> {
    await this.#sql.begin(async (tx) => {
      const [done] = await tx`
        update freshet.erasures set status = 'completed', finished_at = now(), error_code = null, error_message = null,
          removed = ${tx.json(removed as never)}, unsearchable = ${tx.json(unsearchable as never)}, proof = ${tx.json(proof as never)}
        where id = ${id} and status = 'running' returning id`;
      if (done) await emit(tx, this.#queue, 'erasure.completed', { pipeline_id: pipelineId, erasure_id: id });
    });
  }

  /** It goes on later; after too many failures, or one that no repetition mends, it has failed. @returns whether it has. */
  async failed({ id, pipelineId }: ErasureClaim, error: AppError): Promise<boolean> {
    return await this.#sql.begin(async (tx) => {
      const [row] = await tx<{ failures: number }[]>`
        update freshet.erasures set failures = failures + 1, error_code = ${error.code}, error_message = ${error.message}
        where id = ${id} and status = 'running' returning failures`;
      if (!row) return false;
      const isLast = row.failures >= FAILURES_MAX || ERROR_POLICY[error.code].job === 'fail';
      if (!isLast) {
        const startAfterMs = Math.min(BACKOFF_MAX_MS, BACKOFF_MS * 2 ** (row.failures - 1));
        await this.#queue.send(tx, 'erase', { erasureId: id }, { key: pipelineId, startAfterMs });
        return false;
      }
      await tx`update freshet.erasures set status = 'failed', finished_at = now() where id = ${id}`;
      await emit(tx, this.#queue, 'erasure.failed', {
        pipeline_id: pipelineId,
        erasure_id: id,
        error: { code: error.code, message: error.message },
      });
      return true;
    });
  }
}

async function addKeys(
  tx: Tx,
  pipelineId: string,
  erasureId: string,
  object: string,
  keys: readonly string[],
): Promise<void> {
  await tx`
    insert into freshet.erased_keys (pipeline_id, object, key, erasure_id)
    select distinct ${pipelineId}::uuid, ${object}, k, ${erasureId}::uuid from unnest(${[...keys]}::text[]) as k
    on conflict (pipeline_id, object, key) do update set erasure_id = excluded.erasure_id`;
}
