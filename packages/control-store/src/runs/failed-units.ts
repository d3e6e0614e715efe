import { AppError, type ErrorCode } from '@freshet/contracts';
import type { Fragment, Sql, Tx } from '../database/database.ts';
import { uuidv7 } from '../database/ids.ts';
import { decodeCursor, type List, type ListOptions, toList } from '../database/pagination.ts';
import type { Claim, FailedUnit } from '../work/extraction.ts';
import type { JobQueue } from '../work/queue.ts';
import { addRequests, type Wanted } from './refreshes.ts';

/** A unit of work that keeps failing, as the API shows it. */
export interface FailedUnitInfo {
  readonly id: string;
  readonly pipeline_id: string;
  readonly object: string;
  /** The key of the parent, or of the record. */
  readonly key: string;
  readonly attempts: number;
  readonly error_code: ErrorCode;
  readonly error_message: string;
  readonly first_failed_at: Date;
  readonly last_failed_at: Date;
  readonly next_attempt_at: Date;
}

/** Selects failed units of a pipeline; an empty filter selects all of them. */
export interface FailedUnitFilter {
  readonly ids?: readonly string[] | undefined;
  readonly object?: string | undefined;
  readonly errorCode?: string | undefined;
}

/** Units retried by one request. */
const RETRIED_MAX = 1000;

/** Units of work that keep failing: set aside, listed, retried with growing intervals, and retried or discarded on request (I7). */
export class FailedUnits {
  readonly #sql: Sql;
  readonly #queue: JobQueue;

  constructor(sql: Sql, queue: JobQueue) {
    this.#sql = sql;
    this.#queue = queue;
  }

  async list(pipelineId: string, options: ListOptions, filter: FailedUnitFilter): Promise<List<FailedUnitInfo>> {
    const sql = this.#sql;
    const rows = await sql<FailedUnitInfo[]>`
      select id, pipeline_id, object, key, attempts, error_code, error_message, first_failed_at, last_failed_at, next_attempt_at from freshet.failed_units
      where ${matching(sql, pipelineId, filter)} ${options.cursor === null ? sql`` : sql`and id < ${decodeCursor(options.cursor)}`}
      order by id desc limit ${options.limit + 1}`;
    return toList([...rows], options.limit);
  }

  /**
   * Reads the units again at once, in a refresh run.
   * @param isParent whether units of the object are parents whose children are read; otherwise they are records.
   * @throws AppError `not_found` when no unit matches, `conflict` when more match than one run takes.
   */
  async retry(
    pipelineId: string,
    filter: FailedUnitFilter,
    isParent: (object: string) => boolean,
  ): Promise<{ readonly runId: string; readonly units: number }> {
    return await this.#sql.begin(async (tx) => {
      const rows = await tx<{ object: string; key: string }[]>`
        select object, key from freshet.failed_units where ${matching(tx, pipelineId, filter)} order by next_attempt_at, id limit ${RETRIED_MAX}`;
      if (rows.length === 0) throw new AppError('not_found', 'No failed unit matches.');
      const wanted = rows.map(
        ({ object, key }): Wanted => ({ object, key, as: isParent(object) ? 'parent' : 'record' }),
      );
      return { runId: await addRequests(tx, this.#queue, pipelineId, wanted), units: rows.length };
    });
  }

  /**
   * Stops retrying the units. A parent is not read again until it changes.
   * @returns how many units were discarded.
   */
  async discard(pipelineId: string, filter: FailedUnitFilter): Promise<number> {
    return await this.#sql.begin(async (tx) => {
      const rows = await tx<{ object: string; key: string }[]>`
        delete from freshet.failed_units where ${matching(tx, pipelineId, filter)} returning object, key`;
      if (rows.length === 0) return 0;
      await tx`
        update freshet.child_work c set done_version = version, doubted = false
        from unnest(${rows.map((r) => r.object)}::text[], ${rows.map((r) => r.key)}::text[]) as u(o, k)
        where c.pipeline_id = ${pipelineId} and c.object = u.o and c.parent_id = u.k`;
      return rows.length;
    });
  }
}

function matching(sql: Sql | Tx, pipelineId: string, { ids, object, errorCode }: FailedUnitFilter): Fragment {
  return sql`pipeline_id = ${pipelineId}
    ${ids === undefined ? sql`` : sql`and id = any(${[...ids]})`}
    ${object === undefined ? sql`` : sql`and object = ${object}`}
    ${errorCode === undefined ? sql`` : sql`and error_code = ${errorCode}`}`;
}

/** The second attempt follows in the same run; later ones double the interval up to a day. */
const SECOND_ATTEMPT_SECONDS = 10;
const INTERVAL_SECONDS = 300;
const INTERVAL_MAX_SECONDS = 86_400;

/** A subquery with a row when a unit is set aside: it failed, and its next attempt is not due. */
export function isSetAside(
  sql: Sql | Tx,
  key: Fragment,
  { pipelineId, object }: Pick<Claim, 'pipelineId' | 'object'>,
): Fragment {
  return sql`select from freshet.failed_units f where f.pipeline_id = ${pipelineId} and f.object = ${object} and f.key = ${key} and f.next_attempt_at > now()`;
}

/** Adds an attempt to each unit. Syncs retry a parent that only an audit or a refresh failed to read as well. */
export async function recordFailedUnits(tx: Tx, claim: Claim, failed: readonly FailedUnit[]): Promise<void> {
  if (failed.length === 0) return;
  await tx`
    update freshet.child_work set done_version = null
    where pipeline_id = ${claim.pipelineId} and object = ${claim.object} and parent_id = any(${failed.map(({ key }) => key)}) and done_version is not null`;
  // In the order of their keys: two transactions that lock the same units must not wait for each other.
  for (const { object, key, code, message } of failed.toSorted((a, b) => (a.key < b.key ? -1 : 1))) {
    await tx`
      insert into freshet.failed_units (id, pipeline_id, object, key, error_code, error_message, object_run_id, next_attempt_at)
      values (${uuidv7()}, ${claim.pipelineId}, ${object}, ${key}, ${code}, ${message}, ${claim.objectRunId}, now() + make_interval(secs => ${SECOND_ATTEMPT_SECONDS}))
      on conflict (pipeline_id, object, key) do update set
        attempts = failed_units.attempts + 1, error_code = excluded.error_code, error_message = excluded.error_message,
        object_run_id = excluded.object_run_id, last_failed_at = now(),
        next_attempt_at = now() + make_interval(secs => least(${INTERVAL_MAX_SECONDS}::float8, ${INTERVAL_SECONDS} * 2.0 ^ least(failed_units.attempts - 1, 20)))`;
  }
}

/** Forgets the failures of units that were read. */
export async function clearFailedUnits(
  tx: Tx,
  pipelineId: string,
  settled: readonly { readonly object: string; readonly parentId: string }[],
): Promise<void> {
  if (settled.length === 0) return;
  await tx`
    delete from freshet.failed_units f
    using unnest(${settled.map((s) => s.object)}::text[], ${settled.map((s) => s.parentId)}::text[]) as s(o, k)
    where f.pipeline_id = ${pipelineId} and f.object = s.o and f.key = s.k`;
}

/**
 * Milliseconds until the second attempt of a parent that this object run tried once; null when there is none. Lookups wait for the next run: a second
 * attempt would read their list again.
 */
export async function dueWithinRun(tx: Tx, { pipelineId, object, objectRunId }: Claim): Promise<number | null> {
  const [row] = await tx<{ ms: number | null }[]>`
    select 1000 * extract(epoch from min(f.next_attempt_at) - now())::float8 as ms
    from freshet.failed_units f join freshet.child_work c on c.pipeline_id = f.pipeline_id and c.object = f.object and c.parent_id = f.key
    where f.pipeline_id = ${pipelineId} and f.object = ${object} and f.object_run_id = ${objectRunId} and f.attempts = 1`;
  return row?.ms == null ? null : Math.max(0, Math.ceil(row.ms));
}

/** How many units of an object run's object are outstanding, and the error of the one that failed last. A refresh counts its own only. */
export async function outstandingUnits(
  tx: Tx,
  objectRunId: string,
): Promise<{ readonly units: number; readonly code: ErrorCode | null; readonly message: string | null }> {
  const [row] = await tx<{ units: number; code: ErrorCode | null; message: string | null }[]>`
    select count(f.id)::int as units, (array_agg(f.error_code order by f.last_failed_at desc))[1] as code,
      (array_agg(f.error_message order by f.last_failed_at desc))[1] as message
    from freshet.object_runs o left join freshet.failed_units f on f.pipeline_id = o.pipeline_id and f.object = o.object
      and (o.mode in ('full', 'incremental', 'audit') or (o.mode = 'refresh' and f.object_run_id = o.id))
    where o.id = ${objectRunId}`;
  return row ?? { units: 0, code: null, message: null };
}
