import type { ErrorCode } from '@freshet/contracts';
import type { Fragment, Sql, Tx } from '../database/database.ts';
import { uuidv7 } from '../database/ids.ts';

/**
 * The interval before the second attempt. If the unit is a parent, this attempt follows in the same
 * run.
 */
const SECOND_ATTEMPT_SECONDS = 10;
/**
 * The interval before the third attempt. Before each later attempt, the interval doubles, up to the
 * maximum.
 */
const INTERVAL_SECONDS = 300;
const INTERVAL_MAX_SECONDS = 86_400;

/**
 * A parent whose children could not be read, or a record that could not be read from its own
 * endpoint.
 */
export interface UnitFailure {
  readonly object: string;
  readonly key: string;
  readonly code: ErrorCode;
  readonly message: string;
}

/** Identifies the object run that attempts to read a unit. */
interface Attempt {
  readonly pipelineId: string;
  readonly object: string;
  readonly objectRunId: string;
}

/**
 * Builds a subquery that returns a row if a unit is quarantined, that is, if the unit failed and
 * its next attempt is not due yet.
 */
export function buildQuarantineQuery(
  sql: Sql | Tx,
  key: Fragment,
  { pipelineId, object }: Pick<Attempt, 'pipelineId' | 'object'>,
): Fragment {
  return sql`
    select from freshet.failed_units f
    where f.pipeline_id = ${pipelineId} and f.object = ${object} and f.key = ${key} and f.next_attempt_at > now()`;
}

/**
 * Stores a failed attempt for each unit. If an audit or a refresh could not read the children of a
 * parent, the parent becomes pending, so that syncs retry it.
 */
export async function recordUnitFailures(tx: Tx, attempt: Attempt, failures: readonly UnitFailure[]): Promise<void> {
  if (failures.length === 0) return;
  const { pipelineId, objectRunId } = attempt;
  await tx`
    update freshet.child_work set done_version = null
    where pipeline_id = ${pipelineId} and object = ${attempt.object}
      and parent_id = any(${failures.map(({ key }) => key)})
      and done_version is not null`;
  // Insert the units in the order of their keys, so that two transactions with the same units
  // cannot deadlock.
  for (const { object, key, code, message } of failures.toSorted((a, b) => (a.key < b.key ? -1 : 1))) {
    await tx`
      insert into freshet.failed_units (id, pipeline_id, object, key, error_code, error_message, object_run_id,
        next_attempt_at)
      values (${uuidv7()}, ${pipelineId}, ${object}, ${key}, ${code}, ${message}, ${objectRunId},
        now() + make_interval(secs => ${SECOND_ATTEMPT_SECONDS}))
      on conflict (pipeline_id, object, key) do update set
        attempts = failed_units.attempts + 1, error_code = excluded.error_code, error_message = excluded.error_message,
        object_run_id = excluded.object_run_id, last_failed_at = now(),
        next_attempt_at = now() + make_interval(secs => least(
          ${INTERVAL_MAX_SECONDS}::float8, ${INTERVAL_SECONDS} * 2.0 ^ least(failed_units.attempts - 1, 20)))`;
  }
}

/** Deletes the failures of units that were read. */
export async function clearUnitFailures(
  tx: Tx,
  pipelineId: string,
  completed: readonly { readonly object: string; readonly parentId: string }[],
): Promise<void> {
  if (completed.length === 0) return;
  await tx`
    delete from freshet.failed_units f
    using unnest(
        ${completed.map((unit) => unit.object)}::text[], ${completed.map((unit) => unit.parentId)}::text[]
      ) as u(o, k)
    where f.pipeline_id = ${pipelineId} and f.object = u.o and f.key = u.k`;
}

/**
 * Gets the milliseconds until the earliest second attempt of a parent that failed once in this
 * object run. Null: no such attempt is pending. Failed lookups are retried in the next run, because
 * a second attempt in the same run would have to reread the list that contains the record.
 */
export async function getRetryDelayWithinRun(
  tx: Tx,
  { pipelineId, object, objectRunId }: Attempt,
): Promise<number | null> {
  const [row] = await tx<{ ms: number | null }[]>`
    select 1000 * extract(epoch from min(f.next_attempt_at) - now())::float8 as ms
    from freshet.failed_units f
      join freshet.child_work c on c.pipeline_id = f.pipeline_id and c.object = f.object and c.parent_id = f.key
    where f.pipeline_id = ${pipelineId} and f.object = ${object} and f.object_run_id = ${objectRunId}
      and f.attempts = 1`;
  return row?.ms == null ? null : Math.max(0, Math.ceil(row.ms));
}

/** The failed units that are outstanding for an object run, and the error of the latest failure. */
export interface OutstandingUnits {
  readonly units: number;
  readonly code: ErrorCode | null;
  readonly message: string | null;
}

/**
 * Counts the outstanding failed units of the object that an object run extracts. For a refresh,
 * only the units that failed in this refresh are counted. For a replay or a rebuild, no units are
 * counted.
 */
export async function getOutstandingUnits(tx: Tx, objectRunId: string): Promise<OutstandingUnits> {
  const [row] = await tx<OutstandingUnits[]>`
    select count(f.id)::int as units, (array_agg(f.error_code order by f.last_failed_at desc))[1] as code,
      (array_agg(f.error_message order by f.last_failed_at desc))[1] as message
    from freshet.object_runs o left join freshet.failed_units f on f.pipeline_id = o.pipeline_id and f.object = o.object
      and (o.mode in ('full', 'incremental', 'audit') or (o.mode = 'refresh' and f.object_run_id = o.id))
    where o.id = ${objectRunId}`;
  return row ?? { units: 0, code: null, message: null };
}
