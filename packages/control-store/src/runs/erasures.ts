import {
  AppError,
  ERROR_POLICY,
  type ErasedOwners,
  type FieldRules,
  OPEN_OBJECT_RUN_STATUSES,
} from '@freshet/contracts';
import { buildColumnList, type Tx } from '../database/database.ts';
import { uuidv7 } from '../database/ids.ts';
import { decodeCursor, type List, type ListOptions, toList } from '../database/pagination.ts';
import { type ErasedObject, type ErasureProof, erasures } from '../database/schema/index.ts';
import { emit } from '../notifications/events.ts';
import { enqueueExtract } from '../queue/jobs.ts';
import { requestAnalyticsRefresh } from '../resources/analytics.ts';
import { openHashSalt } from '../security/hash-salt.ts';
import { Store } from '../store.ts';
import { eraseFromBatches, eraseFromRejectedRecords } from './erase-stored.ts';

export type Erasure = typeof erasures.$inferSelect;

/** The data that a worker needs to erase a person from a pipeline. */
export interface ErasureTask {
  readonly id: string;
  readonly pipelineId: string;
  /** The object that contains the person, such as contacts. */
  readonly object: string;
  /** The key of the person in the object. */
  readonly key: string;
  readonly destinationId: string;
  readonly schema: string;
  readonly tablePrefix: string;
  /** Object name → the rules that rename, drop or hash fields of the object. */
  readonly fieldRules: Readonly<Record<string, FieldRules>>;
  /** The salt of hashed fields. Null: no field is hashed. */
  readonly hashSalt: Buffer | null;
  /** The time zone of the analytics models. */
  readonly timeZone: string | null;
  /** Whether Freshet maintains analytics models of the pipeline. */
  readonly hasModels: boolean;
}

/** The result of an erasure. */
export interface ErasureOutcome {
  readonly removed: readonly ErasedObject[];
  /**
   * The owner fields that the pipeline drops, each in the form `object.field`. Freshet cannot
   * search these fields for the person.
   */
  readonly unsearchable: readonly string[];
  readonly proof: ErasureProof;
}

const FAILURES_MAX = 7;
const BACKOFF_MS = 1000;
const BACKOFF_MAX_MS = 60_000;

/**
 * Erasures: each erasure removes the data of a person from a pipeline, and excludes the data from
 * later runs.
 */
export class Erasures extends Store {
  /**
   * Creates an erasure and its job, or returns the open erasure of the same person. Extractions
   * that begin afterwards exclude the person's records.
   * @throws AppError `not_found` when the pipeline does not exist.
   */
  async create(pipelineId: string, object: string, key: string): Promise<Erasure> {
    return await this.sql.begin(async (tx) => {
      const [pipeline] = await tx`select id from freshet.pipelines where id = ${pipelineId} for no key update`;
      if (!pipeline) throw new AppError('not_found', `Pipeline ${pipelineId} does not exist.`);
      const columns = buildColumnList(tx, erasures);
      const [open] = await tx<Erasure[]>`
        select ${columns} from freshet.erasures
        where pipeline_id = ${pipelineId} and object = ${object} and key = ${key} and status in ('queued', 'running')`;
      if (open) return open;
      const id = uuidv7();
      const [created] = await tx<Erasure[]>`
        insert into freshet.erasures (id, pipeline_id, object, key) values (${id}, ${pipelineId}, ${object}, ${key})
        returning ${columns}`;
      await insertErasedKeys(tx, { id, pipelineId }, object, [key]);
      await this.queue.enqueue(tx, 'erase', { erasureId: id }, { key: pipelineId });
      return created as Erasure;
    });
  }

  /** @throws AppError `not_found`. */
  async get(pipelineId: string, id: string): Promise<Erasure> {
    const [row] = await this.sql<Erasure[]>`
      select ${buildColumnList(this.sql, erasures)} from freshet.erasures
      where pipeline_id = ${pipelineId} and id = ${id}`;
    if (!row) throw new AppError('not_found', `Erasure ${id} does not exist.`);
    return row;
  }

  async list(pipelineId: string, { limit, cursor }: ListOptions): Promise<List<Erasure>> {
    const sql = this.sql;
    const rows = await sql<Erasure[]>`
      select ${buildColumnList(sql, erasures)} from freshet.erasures
      where pipeline_id = ${pipelineId} ${cursor === null ? sql`` : sql`and id < ${decodeCursor(cursor)}`}
      order by id desc limit ${limit + 1}`;
    return toList([...rows], limit);
  }

  /**
   * Lifts an erasure, so that later runs extract the person's records again. Removed data stays
   * removed until then.
   * @throws AppError `not_found`, or `conflict` while the erasure is queued or running.
   */
  async lift(pipelineId: string, id: string): Promise<Erasure> {
    return await this.sql.begin(async (tx) => {
      const columns = buildColumnList(tx, erasures);
      const [row] = await tx<Erasure[]>`
        select ${columns} from freshet.erasures where pipeline_id = ${pipelineId} and id = ${id} for no key update`;
      if (!row) throw new AppError('not_found', `Erasure ${id} does not exist.`);
      if (row.status === 'queued' || row.status === 'running')
        throw new AppError('conflict', `Erasure ${id} is ${row.status}. Lift the erasure after it has finished.`);
      await tx`
        delete from freshet.audit_work a using freshet.erased_keys k
        where k.erasure_id = ${id} and a.pipeline_id = k.pipeline_id and a.object = k.object and a.key = k.key
          and a.outcome = 'erased'`;
      await tx`delete from freshet.erased_keys where erasure_id = ${id}`;
      const [lifted] = await tx<Erasure[]>`
        update freshet.erasures set status = 'lifted' where id = ${id} returning ${columns}`;
      return lifted as Erasure;
    });
  }

  /**
   * Starts an erasure, or continues it after a crash. All work of an erasure can be repeated. Null:
   * the erasure has finished or was deleted.
   */
  async start(id: string): Promise<ErasureTask | null> {
    const [row] = await this.sql<
      (Pick<Erasure, 'pipeline_id' | 'object' | 'key'> & {
        destination_id: string;
        destination_schema: string;
        table_prefix: string;
        objects: Record<string, { columns?: FieldRules }>;
        hash_salt: string | null;
        analytics_time_zone: string | null;
        analytics: boolean;
      })[]
    >`
      update freshet.erasures e set status = 'running' from freshet.pipelines p
      where e.id = ${id} and p.id = e.pipeline_id and e.status in ('queued', 'running')
      returning e.pipeline_id, e.object, e.key, p.destination_id, p.destination_schema, p.table_prefix, p.objects,
        p.hash_salt, p.analytics, p.analytics_time_zone`;
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
      hashSalt: row.hash_salt === null ? null : openHashSalt(this.box, row.pipeline_id, row.hash_salt),
      timeZone: row.analytics_time_zone,
      hasModels: row.analytics,
    };
  }

  /**
   * Lists the erased keys of an object.
   * @param erasureId lists only the keys of this erasure. Null: lists the keys of all erasures of
   * the pipeline.
   */
  async listErasedKeys(pipelineId: string, object: string, erasureId: string | null = null): Promise<Set<string>> {
    const sql = this.sql;
    const rows = await sql<{ key: string }[]>`
      select key from freshet.erased_keys
      where pipeline_id = ${pipelineId}
        and object = ${object} ${erasureId === null ? sql`` : sql`and erasure_id = ${erasureId}`}`;
    return new Set(rows.map(({ key }) => key));
  }

  /**
   * Adds the keys of removed records to the erased keys, so that later extractions exclude the
   * children of these records too.
   */
  async addErasedKeys(task: ErasureTask, object: string, keys: readonly string[]): Promise<void> {
    await this.sql.begin((tx) => insertErasedKeys(tx, task, object, keys));
  }

  /**
   * Fences off the workers that are extracting the object, because they started before all keys
   * were known. Workers that start later know all keys. When this function has returned, no new
   * batch of the object can contain records of the person.
   */
  async fenceExtraction({ pipelineId }: ErasureTask, object: string): Promise<void> {
    await this.sql.begin(async (tx) => {
      // Lock order: object runs before the object, in every transaction.
      const open = await tx<{ id: string }[]>`
        select id from freshet.object_runs
        where pipeline_id = ${pipelineId} and object = ${object} and extracted_at is null
          and status = any(${[...OPEN_OBJECT_RUN_STATUSES]})
        order by id for no key update`;
      await tx`
        update freshet.pipeline_objects set extract_epoch = extract_epoch + 1
        where pipeline_id = ${pipelineId} and object = ${object}`;
      await tx`update freshet.object_runs set extract_epoch = extract_epoch + 1
        where id = any(${open.map((o) => o.id)})`;
      for (const { id } of open) await enqueueExtract({ tx, queue: this.queue }, id, null);
    });
  }

  /**
   * Removes the person's records from all stored batches.
   * @param isDryRun counts the records without removing them.
   * @returns the number of matching records, and the keys of the matching records that could be
   * parsed.
   */
  eraseFromBatches(
    { pipelineId }: ErasureTask,
    object: string,
    owners: readonly ErasedOwners[],
    { keyField, isDryRun = false }: { readonly keyField: string; readonly isDryRun?: boolean },
  ): Promise<{ readonly records: number; readonly keys: readonly string[] }> {
    return eraseFromBatches(this.sql, { pipelineId, object, owners, isDryRun }, keyField);
  }

  /**
   * Removes the person's rejected records.
   * @param isDryRun counts the records without removing them.
   * @returns the number of matching records.
   */
  eraseFromRejectedRecords(
    { pipelineId }: ErasureTask,
    object: string,
    owners: readonly ErasedOwners[],
    isDryRun = false,
  ): Promise<number> {
    return eraseFromRejectedRecords(this.sql, this.box, { pipelineId, object, owners, isDryRun });
  }

  /**
   * Deletes pending work for the children of erased records, and excludes the records from audits.
   * @param childObjects the child objects of `object`.
   */
  async deletePendingWork(
    { id, pipelineId }: ErasureTask,
    object: string,
    childObjects: readonly string[],
    keys: readonly string[],
  ): Promise<void> {
    const sql = this.sql;
    await sql`
      delete from freshet.child_work
      where pipeline_id = ${pipelineId} and object = any(${[...childObjects]}) and parent_id = any(${[...keys]})`;
    await sql`
      delete from freshet.audit_work
      where pipeline_id = ${pipelineId} and object = any(${[...childObjects]}) and key = any(${[...keys]})`;
    await sql`
      insert into freshet.audit_work (pipeline_id, object, key, reason, object_run_id, outcome, is_final)
      select ${pipelineId}, ${object}, k, 'gap', ${id}, 'erased', true from unnest(${[...keys]}::text[]) as k
      on conflict (pipeline_id, object, key) do update set outcome = 'erased', is_final = true`;
  }

  /**
   * Stores the result of an erasure, emits `erasure.completed`, and requests a refresh of the
   * analytics models.
   */
  async complete({ id, pipelineId }: ErasureTask, { removed, unsearchable, proof }: ErasureOutcome): Promise<void> {
    await this.sql.begin(async (tx) => {
      const [completed] = await tx`
        update freshet.erasures set status = 'completed', finished_at = now(), error_code = null, error_message = null,
          removed = ${tx.json(removed as never)}, unsearchable = ${tx.json(unsearchable as never)},
          proof = ${tx.json(proof as never)}
        where id = ${id} and status = 'running' returning id`;
      if (!completed) return;
      await emit({ tx, queue: this.queue }, 'erasure.completed', { pipeline_id: pipelineId, erasure_id: id });
      // Counts per day or agent still include the removed records.
      await requestAnalyticsRefresh({ tx, queue: this.queue }, pipelineId);
    });
  }

  /**
   * Stores a failed attempt, and enqueues the next attempt with exponential backoff. After the last
   * attempt, or after an error that a retry cannot fix, the erasure fails, and `erasure.failed` is
   * emitted.
   * @returns whether the erasure has failed.
   */
  async recordFailure({ id, pipelineId }: ErasureTask, error: AppError): Promise<boolean> {
    return await this.sql.begin(async (tx) => {
      const [row] = await tx<{ failures: number }[]>`
        update freshet.erasures set failures = failures + 1, error_code = ${error.code},
          error_message = ${error.message}
        where id = ${id} and status = 'running' returning failures`;
      if (!row) return false;
      const isFinal = row.failures >= FAILURES_MAX || ERROR_POLICY[error.code].job === 'fail';
      if (!isFinal) {
        const startAfterMs = Math.min(BACKOFF_MAX_MS, BACKOFF_MS * 2 ** (row.failures - 1));
        await this.queue.enqueue(tx, 'erase', { erasureId: id }, { key: pipelineId, startAfterMs });
        return false;
      }
      await tx`update freshet.erasures set status = 'failed', finished_at = now() where id = ${id}`;
      await emit({ tx, queue: this.queue }, 'erasure.failed', {
        pipeline_id: pipelineId,
        erasure_id: id,
        error: { code: error.code, message: error.message },
      });
      return true;
    });
  }
}

async function insertErasedKeys(
  tx: Tx,
  { id, pipelineId }: Pick<ErasureTask, 'id' | 'pipelineId'>,
  object: string,
  keys: readonly string[],
): Promise<void> {
  await tx`
    insert into freshet.erased_keys (pipeline_id, object, key, erasure_id)
    select distinct ${pipelineId}::uuid, ${object}, k, ${id}::uuid from unnest(${[...keys]}::text[]) as k
    on conflict (pipeline_id, object, key) do update set erasure_id = excluded.erasure_id`;
}
