import { randomBytes } from 'node:crypto';
import {
  AppError,
  type CreditClass,
  type FieldRules,
  OPEN_OBJECT_RUN_STATUSES,
  type PipelinePriority,
  type RunMode,
} from '@freshet/contracts';
import type { Sql, Tx } from '../database/database.ts';
import type { JobPriority } from '../queue/jobs.ts';
import { openHashSalt, sealHashSalt } from '../security/hash-salt.ts';
import type { SecretBox } from '../security/secret-box.ts';

/** The exclusive right of one worker to an object run, and the data that a slice requires. */
export interface ObjectRunLease {
  readonly objectRunId: string;
  readonly runId: string;
  readonly pipelineId: string;
  readonly object: string;
  /** W3C trace context of the request that started the run. Null: tracing was off. */
  readonly traceparent: string | null;
  /**
   * The fencing token. Each later lease has a greater epoch. As soon as there is a later lease,
   * commits with this lease fail.
   */
  readonly epoch: number;
  /** Failed attempts since the last committed step. */
  readonly failures: number;
  /** Work units that earlier slices of the object run have read or marked as failed. */
  readonly unitsDone: number;
  readonly mode: RunMode;
  /** Records that earlier slices of the object run have extracted. */
  readonly recordsExtracted: number;
  /** The expected number of records. Null: unknown. */
  readonly recordsExpected: number | null;
  /** Whether this is the first slice of the object run. */
  readonly isFirstSlice: boolean;
  readonly position: Record<string, unknown> | null;
  readonly subdomain: string;
  readonly credentialId: string;
  /** The share of the account's rate limit that Freshet may use, in percent. */
  readonly creditSharePercent: number;
  /** The start of the history to extract. Null: the complete history. */
  readonly historyFrom: Date | null;
  /**
   * The time at which the backfill pauses, so that it does not delay other objects and pipelines.
   * The next run continues the backfill.
   */
  readonly backfillDeadline: Date;
  readonly creditClass: CreditClass;
  readonly jobPriority: JobPriority;
  /**
   * Whether the object run is an audit or a refresh. Such an object run has a separate position,
   * which contains a copy of the position of the object.
   */
  readonly isAudit: boolean;
  /** Whether each record is also fetched from its own endpoint. */
  readonly includesDetails: boolean;
  readonly fieldRules: FieldRules;
  /** The salt of hashed fields. Null: no field of the object is hashed. */
  readonly hashSalt: Buffer | null;
  /**
   * The time at which the lease was acquired, from the clock of the control database, which all
   * workers share.
   */
  readonly databaseTime: Date;
}

/**
 * The share of the interval between two runs that a run may spend on backfill. The rest of the
 * interval lets the run finish before the next run is due.
 */
const BACKFILL_SHARE = 0.9;
const DAY_MS = 86_400_000;

interface ObjectRunRow {
  readonly run_id: string;
  readonly pipeline_id: string;
  readonly object: string;
  readonly failures: number;
  readonly units_done: string;
  readonly records_extracted: string;
  readonly records_expected: string | null;
  readonly is_first_slice: boolean;
  readonly subdomain: string;
  readonly credential_id: string;
  readonly credit_share_percent: number;
  readonly historical_sync_days: number | null;
  readonly frequency_minutes: number;
  readonly created_at: Date;
  readonly traceparent: string | null;
  readonly credit_class: CreditClass;
  readonly is_long: boolean;
  readonly priority: PipelinePriority;
  readonly mode: RunMode;
  readonly detail: boolean;
  readonly field_rules: FieldRules;
  readonly hash_salt: string | null;
  readonly database_time: Date;
}

interface LeaseRow {
  readonly extract_epoch: string;
  readonly position: Record<string, unknown> | null;
}

/**
 * Acquires the lease on an object run, and marks both the object run and its run as running.
 * @returns null when nothing is left to extract, or when the pipeline is paused.
 */
export function acquireLease(sql: Sql, box: SecretBox, objectRunId: string): Promise<ObjectRunLease | null> {
  return sql.begin(async (tx) => {
    const [row] = await tx<ObjectRunRow[]>`
      select o.run_id, o.pipeline_id, o.object, o.failures, o.units_done, o.records_extracted, o.records_expected,
        o.started_at is null as is_first_slice, p.subdomain, p.credential_id, p.credit_share_percent,
        p.historical_sync_days, p.frequency_minutes, r.created_at, r.traceparent, o.credit_class, o.is_long,
        p.priority, o.mode,
        coalesce((p.objects -> o.object ->> 'detail')::boolean, false) as detail,
        coalesce(p.objects -> o.object -> 'columns', '{}') as field_rules, p.hash_salt,
        clock_timestamp() as database_time
      from freshet.object_runs o join freshet.pipelines p on p.id = o.pipeline_id join freshet.runs r on r.id = o.run_id
      where o.id = ${objectRunId} and o.status = any(${[...OPEN_OBJECT_RUN_STATUSES]}) and o.extracted_at is null
        and p.status = 'active'
      for no key update of o`;
    if (!row) return null;
    const lease = await incrementEpoch(tx, objectRunId, row);
    if (!lease) return null;
    await tx`
      update freshet.object_runs set status = 'running', not_before = null, started_at = coalesce(started_at, now())
      where id = ${objectRunId}`;
    await tx`
      update freshet.runs set status = 'running', started_at = coalesce(started_at, now())
      where id = ${row.run_id} and status = 'queued'`;
    return toLease(objectRunId, row, lease, await getHashSalt(tx, box, row));
  }) as Promise<ObjectRunLease | null>;
}

/** Fences off earlier leases, and gets the position from which the new lease continues. */
async function incrementEpoch(tx: Tx, objectRunId: string, row: ObjectRunRow): Promise<LeaseRow | undefined> {
  const isRefresh = row.mode === 'refresh';
  const [lease] = hasOwnPosition(row.mode)
    ? await tx<LeaseRow[]>`
        update freshet.object_runs o set extract_epoch = o.extract_epoch + 1,
          position = coalesce(o.position, jsonb_build_object('synced', po.position)
            || case when ${isRefresh} then jsonb_build_object('confirming', true, 'refresh', true) else '{}' end)
        from freshet.pipeline_objects po
        where o.id = ${objectRunId} and po.pipeline_id = o.pipeline_id and po.object = o.object
        returning o.extract_epoch, o.position`
    : await tx<LeaseRow[]>`
        update freshet.pipeline_objects set extract_epoch = extract_epoch + 1
        where pipeline_id = ${row.pipeline_id} and object = ${row.object}
        returning extract_epoch, position`;
  return lease;
}

const hasOwnPosition = (mode: RunMode): boolean => mode === 'audit' || mode === 'refresh';

function toLease(objectRunId: string, row: ObjectRunRow, lease: LeaseRow, hashSalt: Buffer | null): ObjectRunLease {
  const days = row.historical_sync_days;
  return {
    objectRunId,
    runId: row.run_id,
    pipelineId: row.pipeline_id,
    object: row.object,
    traceparent: row.traceparent,
    epoch: Number(lease.extract_epoch),
    failures: row.failures,
    unitsDone: Number(row.units_done),
    mode: row.mode,
    recordsExtracted: Number(row.records_extracted),
    recordsExpected: row.records_expected === null ? null : Number(row.records_expected),
    isFirstSlice: row.is_first_slice,
    position: lease.position,
    subdomain: row.subdomain,
    credentialId: row.credential_id,
    creditSharePercent: row.credit_share_percent,
    // Relative to the creation of the run, so that all slices of the run use the same times.
    historyFrom: days === null ? null : new Date(row.created_at.getTime() - days * DAY_MS),
    backfillDeadline: new Date(row.created_at.getTime() + row.frequency_minutes * 60_000 * BACKFILL_SHARE),
    creditClass: row.credit_class,
    jobPriority: { creditClass: row.credit_class, isLong: row.is_long, pipelinePriority: row.priority },
    isAudit: hasOwnPosition(row.mode),
    includesDetails: row.detail,
    fieldRules: row.field_rules,
    hashSalt,
    databaseTime: row.database_time,
  };
}

/**
 * Gets the salt of a pipeline, or creates the salt when a field is first hashed. All runs and
 * objects use the same salt, so that equal values have equal hashes. Null: no field of the object
 * is hashed.
 */
async function getHashSalt(
  tx: Tx,
  box: SecretBox,
  { pipeline_id: id, field_rules, hash_salt }: ObjectRunRow,
): Promise<Buffer | null> {
  if (!Object.values(field_rules).some((rule) => rule.hash === true)) return null;
  if (hash_salt !== null) return openHashSalt(box, id, hash_salt);
  const salt = randomBytes(32);
  const [created] = await tx`
    update freshet.pipelines set hash_salt = ${sealHashSalt(box, id, salt)} where id = ${id} and hash_salt is null
    returning id`;
  if (created) return salt;
  const [row] = await tx<{ hash_salt: string }[]>`select hash_salt from freshet.pipelines where id = ${id}`;
  return openHashSalt(box, id, row?.hash_salt ?? '');
}

/**
 * Verifies the lease, and locks the object run and the object until the transaction ends.
 * @throws AppError `fenced` when another worker holds the lease, the object run is no longer open,
 * or the pipeline is paused.
 */
export async function verifyLease(tx: Tx, lease: ObjectRunLease): Promise<void> {
  // Lock order: object runs before objects, in every transaction. The statements are sent together,
  // and PostgreSQL executes them one after the other.
  const lock = tx`select id from freshet.object_runs where id = ${lease.objectRunId} for no key update`.execute();
  const object = tx`
    select o.id from freshet.object_runs o
    join freshet.pipeline_objects po on po.pipeline_id = o.pipeline_id and po.object = o.object
    join freshet.pipelines p on p.id = o.pipeline_id
    where o.id = ${lease.objectRunId} and o.status = any(${[...OPEN_OBJECT_RUN_STATUSES]})
      and ${lease.epoch} = ${lease.isAudit ? tx`o.extract_epoch` : tx`po.extract_epoch`} and p.status = 'active'
    for no key update of po`.execute();
  const [, [row]] = await Promise.all([lock, object]);
  if (!row) {
    throw new AppError(
      'fenced',
      'Lost the lease on this object run: another worker took it over, or the run was cancelled or paused.',
    );
  }
}
