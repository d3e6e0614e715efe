import type {
  Column,
  CreditClass,
  ErasureStatus,
  ErrorCode,
  EventType,
  FieldRules,
  ObjectAvailability,
  ObjectRunStatus,
  PausedBy,
  PipelinePriority,
  PipelineStatus,
  QueueName,
  RunKind,
  RunMode,
  RunStatus,
  RunTrigger,
  SchemaPolicy,
  Suspect,
  Warning,
} from '@freshet/contracts';
import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  customType,
  date,
  doublePrecision,
  index,
  integer,
  jsonb,
  numeric,
  pgSchema,
  primaryKey,
  text,
  timestamp,
  unique,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';

/** Everything durable between the API and the workers. Queues live beside it, in pg-boss' own schema. */
export const freshet = pgSchema('freshet');

const time = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' });
const count = (name: string) => bigint(name, { mode: 'number' }).notNull().default(0);
const bytea = customType<{ data: Buffer }>({ dataType: () => 'bytea' });

/** What every resource of the API has. `version` is its ETag. */
const resource = {
  id: uuid('id').primaryKey(),
  created_at: time('created_at').notNull().defaultNow(),
  updated_at: time('updated_at').notNull().defaultNow(),
  version: integer('version').notNull().default(1),
};

export const CREDENTIAL_TYPES = ['freshdesk_api_key', 'postgres_password'] as const;
export type CredentialType = (typeof CREDENTIAL_TYPES)[number];

export const credentials = freshet.table('credentials', {
  ...resource,
  name: text('name').notNull().unique(),
  type: text('type').$type<CredentialType>().notNull(),
  /** Sealed by `secrets.ts`, bound to this row and column. */
  secret: text('secret').notNull(),
  /** The last four characters. */
  hint: text('hint').notNull(),
  rotated_at: time('rotated_at').notNull().defaultNow(),
});

export const SSL_MODES = ['disable', 'require', 'verify-full'] as const;
export type SslMode = (typeof SSL_MODES)[number];

export const destinations = freshet.table('destinations', {
  ...resource,
  name: text('name').notNull().unique(),
  type: text('type').$type<'postgres'>().notNull(),
  host: text('host').notNull(),
  port: integer('port').notNull(),
  database: text('database').notNull(),
  username: text('username').notNull(),
  credential_id: uuid('credential_id')
    .notNull()
    .references(() => credentials.id),
  ssl_mode: text('ssl_mode').$type<SslMode>().notNull(),
  /** PEM; public. Null: the well-known certificates. */
  ssl_ca: text('ssl_ca'),
});

export interface ObjectChoice {
  readonly included: boolean;
  /** Each record is completed by what only its own address shows. */
  readonly detail?: boolean;
  /** Every version of its rows is kept, in a table beside its own. */
  readonly history?: boolean;
  /** What is done with its fields on their way. */
  readonly columns?: FieldRules;
  /** Its table may be so far behind before somebody is told. */
  readonly max_staleness_minutes?: number;
}

/** When a pipeline runs, instead of every so many minutes. */
export interface CronSchedule {
  /** Five fields: minute, hour, day of the month, month, day of the week. */
  readonly cron: string;
  /** Of the IANA database. */
  readonly time_zone: string;
}

/** A run that brings so much more than usual is told of. */
export interface RecordSpike {
  /** Of what the last runs have brought on average. */
  readonly percent: number;
  /** The pipeline is paused then, until somebody resumes it. */
  readonly pause: boolean;
}

/** Records that a pipeline should read in a month (UTC), at most. */
export interface MonthlyQuota {
  readonly records: number;
  /** `pause`: until the next month, or until the quota is raised. */
  readonly when_reached: 'continue' | 'pause';
}

export const pipelines = freshet.table(
  'pipelines',
  {
    ...resource,
    name: text('name').notNull().unique(),
    subdomain: text('subdomain').notNull(),
    credential_id: uuid('credential_id')
      .notNull()
      .references(() => credentials.id),
    /** Null: from the beginning. */
    historical_sync_days: integer('historical_sync_days'),
    credit_share_percent: integer('credit_share_percent').notNull(),
    destination_id: uuid('destination_id')
      .notNull()
      .references(() => destinations.id),
    destination_schema: text('destination_schema').notNull(),
    table_prefix: text('table_prefix').notNull(),
    frequency_minutes: integer('frequency_minutes').notNull(),
    /** The user's choices, as sent: objects that are not named follow the catalogue. */
    objects: jsonb('objects').$type<Record<string, ObjectChoice>>().notNull(),
    schema_policy: text('schema_policy').$type<SchemaPolicy>().notNull(),
    /** Sealed; made when a field is first hashed, and the same from then on. */
    hash_salt: text('hash_salt'),
    /** Null: every `frequency_minutes`. */
    schedule: jsonb('schedule').$type<CronSchedule | null>(),
    record_spike: jsonb('record_spike').$type<RecordSpike | null>(),
    monthly_quota: jsonb('monthly_quota').$type<MonthlyQuota | null>(),
    /** The month, and how much of its quota, that was told of last: `2026-11/90`. */
    quota_told: text('quota_told'),
    /** When its rejected records are told of together. */
    next_digest_at: time('next_digest_at').notNull().default(sql`now() + interval '1 day'`),
    status: text('status').$type<PipelineStatus>().notNull().default('active'),
    priority: text('priority').$type<PipelinePriority>().notNull().default('normal'),
    /** Null: it is not paused. */
    paused_by: text('paused_by').$type<PausedBy>(),
    next_run_at: time('next_run_at').notNull().defaultNow(),
    /** Null: only when somebody asks for one. */
    audit_frequency_days: integer('audit_frequency_days').default(7),
    next_audit_at: time('next_audit_at').notNull().default(sql`now() + interval '7 days'`),
  },
  (t) => [
    // Two pipelines never write one table.
    unique('pipelines_one_writer').on(t.destination_id, t.destination_schema, t.table_prefix),
    index('pipelines_due').on(t.next_run_at).where(sql`status = 'active'`),
  ],
);

/** What lasts of an object from run to run. */
export const pipelineObjects = freshet.table(
  'pipeline_objects',
  {
    pipeline_id: uuid('pipeline_id')
      .notNull()
      .references(() => pipelines.id, { onDelete: 'cascade' }),
    object: text('object').notNull(),
    /** Null: nothing read yet. */
    position: jsonb('position').$type<Record<string, unknown>>(),
    /** Columns of the account's own fields, as defined when the object was last read. */
    custom_columns: jsonb('custom_columns').$type<Column[]>().notNull().default([]),
    /** Raised by each worker that takes the object over; a worker with a lower one can change nothing. */
    extract_epoch: count('extract_epoch'),
    load_epoch: count('load_epoch'),
    complete_as_of: time('complete_as_of'),
    complete_back_to: time('complete_back_to'),
    /** Since when it has been further behind than it may be; told of already. */
    stale_since: time('stale_since'),
    /** Whether the API key could read the object when a run last requested it. Null: unknown. */
    availability: text('availability').$type<ObjectAvailability>(),
    /** The reason why the object is unavailable; null: it is available, or unknown. */
    availability_message: text('availability_message'),
    /** When a run first read the object. Null: no API key has been able to read it yet. */
    first_read_at: time('first_read_at'),
    /** Time of the last restart of the object. Rows written before it are rewritten when their records are read. */
    restarted_at: time('restarted_at'),
    /** Since when its table has lacked values of a column, by the warehouse's clock. Null: it lacks none. */
    completing_since: time('completing_since'),
    /** The `completing_since` for which a rebuild or a complete reading was started: it is started once. */
    completion_started_for: time('completion_started_for'),
    /** The next object run reads the object completely, and says so in its mode. */
    is_full_reading: boolean('is_full_reading').notNull().default(false),
  },
  (t) => [primaryKey({ columns: [t.pipeline_id, t.object] })],
);

/** How far tables have been behind: of each day (UTC) the longest time that one was, until what it was read up to moved on. */
export const lags = freshet.table(
  'lags',
  {
    pipeline_id: uuid('pipeline_id')
      .notNull()
      .references(() => pipelines.id, { onDelete: 'cascade' }),
    object: text('object').notNull(),
    /** Of `until`. */
    day: date('day', { mode: 'string' }).notNull(),
    /** It was complete up to then. */
    since: time('since').notNull(),
    until: time('until').notNull(),
  },
  (t) => [primaryKey({ columns: [t.pipeline_id, t.object, t.day] }), index('lags_age').on(t.until)],
);

export const runs = freshet.table(
  'runs',
  {
    id: uuid('id').primaryKey(),
    pipeline_id: uuid('pipeline_id')
      .notNull()
      .references(() => pipelines.id, { onDelete: 'cascade' }),
    kind: text('kind').$type<RunKind>().notNull().default('sync'),
    status: text('status').$type<RunStatus>().notNull().default('queued'),
    trigger: text('trigger').$type<RunTrigger>().notNull(),
    /** The span that has asked for it, as in W3C's Trace Context: its slices and loads belong to it. Null: nothing was traced. */
    traceparent: text('traceparent'),
    created_at: time('created_at').notNull().defaultNow(),
    started_at: time('started_at'),
    finished_at: time('finished_at'),
  },
  (t) => [
    // No two runs of a kind at once in a pipeline, whoever starts them; an audit takes long, and syncs go on beside it.
    uniqueIndex('runs_one_open').on(t.pipeline_id, t.kind).where(sql`status in ('queued', 'running')`),
    index('runs_of_pipeline').on(t.pipeline_id, t.id),
  ],
);

export const objectRuns = freshet.table(
  'object_runs',
  {
    id: uuid('id').primaryKey(),
    run_id: uuid('run_id')
      .notNull()
      .references(() => runs.id, { onDelete: 'cascade' }),
    pipeline_id: uuid('pipeline_id').notNull(),
    object: text('object').notNull(),
    status: text('status').$type<ObjectRunStatus>().notNull().default('queued'),
    mode: text('mode').$type<RunMode>().notNull(),
    /** What its calls are for: who goes first when credits or workers are few. */
    credit_class: text('credit_class').$type<CreditClass>().notNull().default('incremental'),
    records_extracted: count('records_extracted'),
    records_inserted: count('records_inserted'),
    records_updated: count('records_updated'),
    records_unchanged: count('records_unchanged'),
    records_rejected: count('records_rejected'),
    records_deleted: count('records_deleted'),
    credits_used: numeric('credits_used', { mode: 'number' }).notNull().default(0),
    /** Of them, what each class has come to, in the order of `CREDIT_CLASSES`. */
    credits_by_class: numeric('credits_by_class', { mode: 'number' }).array().notNull().default(sql`'{0,0,0,0,0}'`),
    bytes_staged: count('bytes_staged'),
    /** It has taken a whole slice of a worker's: what is left of it waits for the first slices of others. */
    is_long: boolean('is_long').notNull().default(false),
    /** Tries since the last page that was stored. */
    failures: integer('failures').notNull().default(0),
    /** An audit's own: the object's stays where the syncs have brought it. */
    position: jsonb('position').$type<Record<string, unknown>>(),
    extract_epoch: count('extract_epoch'),
    /** What an audit has repaired. */
    records_missing: count('records_missing'),
    records_stale: count('records_stale'),
    /** What suspects of an audit were found to be → how many. */
    explained: jsonb('explained').$type<Record<string, number>>().notNull().default({}),
    /** Share of the reading that is done, from 0 to below 1; it never decreases. Null: not known. */
    progress: doublePrecision('progress'),
    /** Records that the reading is expected to bring. Null: not known. */
    records_expected: bigint('records_expected', { mode: 'number' }),
    /** Units of the work list that this object run has read or set aside. */
    units_done: count('units_done'),
    /** Failed units of the object that were outstanding when the object run finished. */
    units_failed: count('units_failed'),
    /** Conditions that do not fail the object run but that its users should know. */
    warnings: jsonb('warnings').$type<Warning[]>().notNull().default([]),
    /** Set when the reading is finished; the load may lag behind. */
    extracted_at: time('extracted_at'),
    /** What it waits for, until when. */
    not_before: time('not_before'),
    complete_as_of: time('complete_as_of'),
    complete_back_to: time('complete_back_to'),
    error_code: text('error_code'),
    error_message: text('error_message'),
    started_at: time('started_at'),
    finished_at: time('finished_at'),
  },
  (t) => [unique('object_runs_once').on(t.run_id, t.object)],
);

/** Records as stored durably between extraction and load. A partition for each day, which goes as a whole when it is old: see `batch-partitions.ts`. */
export const batches = freshet.table(
  'batches',
  {
    id: uuid('id').notNull(),
    /** The day (UTC) on which it was stored. */
    stored_on: date('stored_on', { mode: 'string' }).notNull().default(sql`(now() at time zone 'UTC')::date`),
    /** Order of storing. */
    seq: bigint('seq', { mode: 'number' }).notNull().default(sql`nextval('freshet.batches_order')`),
    pipeline_id: uuid('pipeline_id')
      .notNull()
      .references(() => pipelines.id, { onDelete: 'cascade' }),
    object: text('object').notNull(),
    object_run_id: uuid('object_run_id').notNull(),
    generation: text('generation'),
    records: integer('records').notNull(),
    /** Uncompressed. */
    raw_bytes: integer('raw_bytes').notNull(),
    extracted_at: time('extracted_at').notNull(),
    /** NDJSON, zstd. */
    body: bytea('body').notNull(),
    loaded_at: time('loaded_at'),
  },
  (t) => [
    primaryKey({ columns: [t.id, t.stored_on] }),
    index('batches_pending').on(t.pipeline_id, t.object, t.seq).where(sql`loaded_at is null`),
    index('batches_of_run').on(t.object_run_id),
  ],
);

/** The work list of children: one row for each parent ever seen. Pending while `version` ≠ `done_version`. */
export const childWork = freshet.table(
  'child_work',
  {
    /** No foreign key: checking it for each of a page's parents costs half as much again as writing them. Whoever deletes a pipeline deletes them. */
    pipeline_id: uuid('pipeline_id').notNull(),
    object: text('object').notNull(),
    parent_id: text('parent_id').notNull(),
    version: text('version').notNull(),
    done_version: text('done_version'),
    /** Its list was empty where the warehouse has rows: one that is empty again is believed. */
    doubted: boolean('doubted').notNull().default(false),
    changed_at: time('changed_at').notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.pipeline_id, t.object, t.parent_id] }),
    index('child_work_pending')
      .on(t.pipeline_id, t.object, t.changed_at, t.parent_id)
      .where(sql`done_version is distinct from version`),
  ],
);

/** What is asked for one by one: keys that an audit's reading did not hold, numbers without a record, parents whose children are read again, and what somebody wants to have read. */
export const auditWork = freshet.table(
  'audit_work',
  {
    pipeline_id: uuid('pipeline_id')
      .notNull()
      .references(() => pipelines.id, { onDelete: 'cascade' }),
    object: text('object').notNull(),
    key: text('key').notNull(),
    reason: text('reason').$type<Suspect['reason'] | 'parent' | 'asked'>().notNull(),
    object_run_id: uuid('object_run_id').notNull(),
    /** What it was found to be; null: not asked yet. One that is lasting is kept, and not asked again. */
    outcome: text('outcome'),
    lasting: boolean('lasting').notNull().default(false),
  },
  (t) => [
    primaryKey({ columns: [t.pipeline_id, t.object, t.key] }),
    index('audit_work_pending').on(t.object_run_id, t.key).where(sql`outcome is null`),
  ],
);

/**
 * Units of work that keep failing: a parent whose children cannot be read, or a record whose own address fails. Each is set aside with its
 * error and retried with growing intervals while the rest of its object continues.
 */
export const failedUnits = freshet.table(
  'failed_units',
  {
    id: uuid('id').primaryKey(),
    pipeline_id: uuid('pipeline_id')
      .notNull()
      .references(() => pipelines.id, { onDelete: 'cascade' }),
    object: text('object').notNull(),
    /** The key of the parent, or of the record. */
    key: text('key').notNull(),
    /** Failed attempts since the unit last succeeded. */
    attempts: integer('attempts').notNull().default(1),
    error_code: text('error_code').$type<ErrorCode>().notNull(),
    error_message: text('error_message').notNull(),
    /** The object run that made the last attempt. */
    object_run_id: uuid('object_run_id').notNull(),
    first_failed_at: time('first_failed_at').notNull().defaultNow(),
    last_failed_at: time('last_failed_at').notNull().defaultNow(),
    /** Syncs skip the unit until then. */
    next_attempt_at: time('next_attempt_at').notNull(),
  },
  (t) => [
    unique('failed_units_once').on(t.pipeline_id, t.object, t.key),
    index('failed_units_of_pipeline').on(t.pipeline_id, t.id),
  ],
);

export const rejectedRecords = freshet.table(
  'rejected_records',
  {
    id: uuid('id').primaryKey(),
    pipeline_id: uuid('pipeline_id')
      .notNull()
      .references(() => pipelines.id, { onDelete: 'cascade' }),
    object: text('object').notNull(),
    batch_id: uuid('batch_id').notNull(),
    line: integer('line').notNull(),
    reason: text('reason').notNull(),
    /** When it was read; null: not kept by an earlier release. */
    extracted_at: time('extracted_at'),
    /** Of the text: a record that is read again as it was is the same rejected record. Null: kept by an earlier release. */
    fingerprint: text('fingerprint'),
    /** Sealed: a record is personal data. */
    raw: text('raw').notNull(),
    created_at: time('created_at').notNull().defaultNow(),
  },
  (t) => [
    unique('rejected_records_once').on(t.batch_id, t.line),
    uniqueIndex('rejected_records_same').on(t.pipeline_id, t.object, t.fingerprint),
    index('rejected_records_of_pipeline').on(t.pipeline_id, t.id),
  ],
);

/** What erasing a person has taken out of one object. */
export interface ErasedFrom {
  readonly object: string;
  /** Rows of its table. */
  readonly rows: number;
  /** Rows of its history. */
  readonly versions: number;
  /** Records of batches. */
  readonly staged_records: number;
  readonly rejected_records: number;
}

/** What was looked for again when all was done. */
export interface ErasureProof {
  readonly verified_at: string;
  readonly rows: number;
  readonly versions: number;
  readonly staged_records: number;
  readonly rejected_records: number;
}

/** People who are to be taken out of a pipeline's data, and kept out of it. */
export const erasures = freshet.table(
  'erasures',
  {
    id: uuid('id').primaryKey(),
    pipeline_id: uuid('pipeline_id')
      .notNull()
      .references(() => pipelines.id, { onDelete: 'cascade' }),
    object: text('object').notNull(),
    key: text('key').notNull(),
    status: text('status').$type<ErasureStatus>().notNull().default('queued'),
    removed: jsonb('removed').$type<ErasedFrom[]>().notNull().default([]),
    /** Fields by which nobody can be found any more, as `object.field`: the pipeline drops them. */
    unsearchable: jsonb('unsearchable').$type<string[]>().notNull().default([]),
    proof: jsonb('proof').$type<ErasureProof>(),
    failures: integer('failures').notNull().default(0),
    error_code: text('error_code'),
    error_message: text('error_message'),
    created_at: time('created_at').notNull().defaultNow(),
    finished_at: time('finished_at'),
  },
  (t) => [index('erasures_of_pipeline').on(t.pipeline_id, t.id)],
);

/** Records that are not to be stored again: those of erased people, and those below which others stand. */
export const erasedKeys = freshet.table(
  'erased_keys',
  {
    pipeline_id: uuid('pipeline_id')
      .notNull()
      .references(() => pipelines.id, { onDelete: 'cascade' }),
    object: text('object').notNull(),
    key: text('key').notNull(),
    erasure_id: uuid('erasure_id')
      .notNull()
      .references(() => erasures.id, { onDelete: 'cascade' }),
  },
  (t) => [primaryKey({ columns: [t.pipeline_id, t.object, t.key] }), index('erased_keys_of_erasure').on(t.erasure_id)],
);

/** Jobs that have failed, or ended their workers, too often: set aside with their reason, until somebody sends or discards them. */
export const deadJobs = freshet.table(
  'dead_jobs',
  {
    id: uuid('id').primaryKey(),
    queue: text('queue').$type<QueueName>().notNull(),
    /** As the job carried it: ids only. */
    data: jsonb('data').$type<Record<string, string>>().notNull(),
    /** How often it was tried. */
    attempts: integer('attempts').notNull(),
    reason: text('reason').notNull(),
    /** Null where it is about none, or about one that is gone. */
    pipeline_id: uuid('pipeline_id'),
    died_at: time('died_at').notNull().defaultNow(),
  },
  (t) => [index('dead_jobs_of_pipeline').on(t.pipeline_id, t.id)],
);

export const TOKEN_ROLES = ['team_admin', 'team_collaborator', 'pipeline_admin', 'observer'] as const;
export type TokenRole = (typeof TOKEN_ROLES)[number];

export const apiTokens = freshet.table('api_tokens', {
  ...resource,
  name: text('name').notNull(),
  role: text('role').$type<TokenRole>().notNull(),
  /** Fewer permissions than the role has; null: all of them. */
  scopes: text('scopes').array(),
  /** SHA-256 of the token: it is random enough that no slow hash is needed. */
  digest: text('digest').notNull().unique(),
  /** The token before the last rotation, and until when it still opens. */
  previous_digest: text('previous_digest').unique(),
  previous_until: time('previous_until'),
  expires_at: time('expires_at'),
  rotated_at: time('rotated_at').notNull().defaultNow(),
  /** To the minute: it is not written with each request. */
  last_used_at: time('last_used_at'),
});

/** First answers to unsafe requests that named a key, for a day. */
export const idempotencyKeys = freshet.table(
  'idempotency_keys',
  {
    id: uuid('id').primaryKey(),
    token_id: uuid('token_id')
      .notNull()
      .references(() => apiTokens.id, { onDelete: 'cascade' }),
    key: text('key').notNull(),
    /** Of method, path and body: another request may not use the key. */
    fingerprint: text('fingerprint').notNull(),
    status: integer('status'),
    headers: jsonb('headers').$type<Record<string, string>>().notNull().default({}),
    /** Sealed: an answer may hold a new token. Null: it had no body. */
    body: text('body'),
    created_at: time('created_at').notNull().defaultNow(),
  },
  (t) => [unique('idempotency_keys_once').on(t.token_id, t.key), index('idempotency_keys_age').on(t.created_at)],
);

/** Who changed what. A trigger refuses whoever would change or delete a row. */
export const auditLog = freshet.table(
  'audit_log',
  {
    id: uuid('id').primaryKey(),
    at: time('at').notNull().defaultNow(),
    actor_id: uuid('actor_id').notNull(),
    /** The token's name and role at that time. */
    actor_name: text('actor_name').notNull(),
    actor_role: text('actor_role').$type<TokenRole>().notNull(),
    address: text('address').notNull(),
    request_id: text('request_id').notNull(),
    /** The API's operation. */
    action: text('action').notNull(),
    /** Its path, such as `pipelines/<id>`. */
    resource: text('resource').notNull(),
    /** As the API would have answered, so without secrets. Null: it was not there. */
    before: jsonb('before').$type<Record<string, unknown>>(),
    after: jsonb('after').$type<Record<string, unknown>>(),
  },
  (t) => [index('audit_log_of_resource').on(t.resource, t.id), index('audit_log_of_actor').on(t.actor_id, t.id)],
);

export const webhooks = freshet.table('webhooks', {
  ...resource,
  name: text('name').notNull().unique(),
  url: text('url').notNull(),
  events: text('events').array().$type<EventType[]>().notNull(),
  enabled: boolean('enabled').notNull(),
  /** Why it was disabled by Freshet; null: it was not. */
  disabled_reason: text('disabled_reason'),
  /** Sealed. */
  secret: text('secret').notNull(),
  /** What is sent instead of the event itself; null: the event. */
  template: jsonb('template').$type<Record<string, unknown>>(),
  /** Sealed: what `{{secret}}` stands for in the template and the URL. */
  template_secret: text('template_secret'),
  /** Signs beside the new one until then. */
  previous_secret: text('previous_secret'),
  previous_until: time('previous_until'),
  /** When the first of the deliveries in a row failed that have. */
  failing_since: time('failing_since'),
});

/** What has happened that others may want to know of. */
export const events = freshet.table(
  'events',
  {
    id: uuid('id').primaryKey(),
    type: text('type').$type<EventType>().notNull(),
    at: time('at').notNull().defaultNow(),
    data: jsonb('data').$type<Record<string, unknown>>().notNull(),
  },
  (t) => [index('events_age').on(t.at)],
);

export const DELIVERY_STATUSES = ['pending', 'delivered', 'failed'] as const;
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

export const webhookDeliveries = freshet.table(
  'webhook_deliveries',
  {
    id: uuid('id').primaryKey(),
    webhook_id: uuid('webhook_id')
      .notNull()
      .references(() => webhooks.id, { onDelete: 'cascade' }),
    event_id: uuid('event_id')
      .notNull()
      .references(() => events.id, { onDelete: 'cascade' }),
    status: text('status').$type<DeliveryStatus>().notNull().default('pending'),
    attempts: integer('attempts').notNull().default(0),
    created_at: time('created_at').notNull().defaultNow(),
    last_attempt_at: time('last_attempt_at'),
    next_attempt_at: time('next_attempt_at'),
    /** Of the last attempt; null: there was no answer. */
    response_status: integer('response_status'),
    error: text('error'),
  },
  (t) => [
    index('webhook_deliveries_of_webhook').on(t.webhook_id, t.id),
    index('webhook_deliveries_of_event').on(t.event_id),
  ],
);

/** Credits of an account, one row for each of its buckets: the one hot row that all workers share. */
export const creditBuckets = freshet.table(
  'credit_buckets',
  {
    account: text('account').notNull(),
    bucket: text('bucket').notNull(),
    /** Credits in a window, as headers told; null: not known yet. */
    total: numeric('total', { mode: 'number' }),
    used: numeric('used', { mode: 'number' }).notNull().default(0),
    /** The account answers without limits. */
    unlimited: boolean('unlimited').notNull().default(false),
    window_ends_at: time('window_ends_at').notNull().defaultNow(),
    blocked_until: time('blocked_until'),
    /** The bucket counts calls, whatever their credits: an answer has shown it. */
    counts_calls: boolean('counts_calls').notNull().default(false),
    /** Of `used`, what each class has taken, in the order of `CREDIT_CLASSES`. */
    used_by_class: numeric('used_by_class', { mode: 'number' }).array().notNull().default(sql`'{0,0,0,0,0}'`),
    /** Class → the moment until which lower classes leave it the bucket: it was refused for want of credits. */
    wanted_until: timestamp('wanted_until', { withTimezone: true, mode: 'date' })
      .array()
      .notNull()
      .default(sql`array_fill(null::timestamptz, array[5])`),
  },
  (t) => [primaryKey({ columns: [t.account, t.bucket] })],
);
