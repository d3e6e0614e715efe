import type { FieldRules, PausedBy, PipelinePriority, PipelineStatus, SchemaPolicy } from '@freshet/contracts';
import { sql } from 'drizzle-orm';
import { boolean, index, integer, jsonb, text, unique, uuid } from 'drizzle-orm/pg-core';
import { freshet, resourceColumns, time } from './columns.ts';

export const CREDENTIAL_TYPES = ['freshdesk_api_key', 'postgres_password'] as const;
export type CredentialType = (typeof CREDENTIAL_TYPES)[number];

/** Freshdesk API keys and PostgreSQL passwords. */
export const credentials = freshet.table('credentials', {
  ...resourceColumns,
  name: text('name').notNull().unique(),
  type: text('type').$type<CredentialType>().notNull(),
  /** Sealed by `SecretBox`, with this row and column as associated data. */
  secret: text('secret').notNull(),
  /** The last four characters of the secret. Empty for a short secret. */
  hint: text('hint').notNull(),
  /** When the secret was last changed. */
  rotated_at: time('rotated_at').notNull().defaultNow(),
});

export const SSL_MODES = ['disable', 'require', 'verify-full'] as const;
export type SslMode = (typeof SSL_MODES)[number];

/** PostgreSQL warehouses. */
export const destinations = freshet.table('destinations', {
  ...resourceColumns,
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
  /**
   * PEM certificate of the authority that signed the server certificate. Null: a public authority
   * signed it.
   */
  ssl_ca: text('ssl_ca'),
});

/** The settings of one object in a pipeline, as the user sent them. */
export interface ObjectSettings {
  readonly included: boolean;
  /**
   * Whether each record is also fetched from its own endpoint, for the fields that the list omits.
   */
  readonly detail?: boolean;
  /** Whether a history table contains every version of each row. */
  readonly history?: boolean;
  /** Rules that rename fields, or that drop or hash fields before a record is stored. */
  readonly columns?: FieldRules;
  /** The freshness objective. When the lag exceeds this time, Freshet emits `freshness.missed`. */
  readonly max_staleness_minutes?: number;
}

/** A cron schedule, which replaces the fixed interval of a pipeline. */
export interface CronSchedule {
  /** Five fields: minute, hour, day of the month, month, day of the week. */
  readonly cron: string;
  /** A name of the IANA time zone database. */
  readonly time_zone: string;
}

/**
 * The conditions under which Freshet emits `records.spiked` for a run that extracts more records
 * than usual.
 */
export interface RecordSpike {
  /** The threshold, in percent of the average of the last runs. */
  readonly percent: number;
  /** Whether a spike pauses the pipeline until a user resumes it. */
  readonly pause: boolean;
}

/** The number of records that a pipeline may extract in a calendar month (UTC). */
export interface MonthlyQuota {
  readonly records: number;
  /** `pause`: the pipeline is paused until the next month, or until the quota is raised. */
  readonly when_reached: 'continue' | 'pause';
}

/** Pipelines: each pipeline replicates a Freshdesk account into a warehouse schema. */
export const pipelines = freshet.table(
  'pipelines',
  {
    ...resourceColumns,
    name: text('name').notNull().unique(),
    /** The Freshdesk account: `<subdomain>.freshdesk.com`. */
    subdomain: text('subdomain').notNull(),
    credential_id: uuid('credential_id')
      .notNull()
      .references(() => credentials.id),
    /** The length of the history to extract, in days. Null: the complete history. */
    historical_sync_days: integer('historical_sync_days'),
    /** The share of the account's rate limit that Freshet may use, in percent. */
    credit_share_percent: integer('credit_share_percent').notNull(),
    destination_id: uuid('destination_id')
      .notNull()
      .references(() => destinations.id),
    destination_schema: text('destination_schema').notNull(),
    table_prefix: text('table_prefix').notNull(),
    /** The number of minutes between two runs. Unused while `schedule` is set. */
    frequency_minutes: integer('frequency_minutes').notNull(),
    /**
     * Object name → the settings that the user sent. An object without settings uses the defaults
     * of the catalogue.
     */
    objects: jsonb('objects').$type<Record<string, ObjectSettings>>().notNull(),
    schema_policy: text('schema_policy').$type<SchemaPolicy>().notNull(),
    /**
     * The sealed salt of hashed fields. It is created when a field is first hashed, and never
     * changes.
     */
    hash_salt: text('hash_salt'),
    /** A cron schedule. Null: a run every `frequency_minutes`. */
    schedule: jsonb('schedule').$type<CronSchedule | null>(),
    record_spike: jsonb('record_spike').$type<RecordSpike | null>(),
    monthly_quota: jsonb('monthly_quota').$type<MonthlyQuota | null>(),
    /** The month and the quota level of the last `quota.reached` event, such as `2026-11/90`. */
    quota_notified: text('quota_notified'),
    /** When the next digest of rejected records is due. */
    next_digest_at: time('next_digest_at').notNull().default(sql`now() + interval '1 day'`),
    status: text('status').$type<PipelineStatus>().notNull().default('active'),
    priority: text('priority').$type<PipelinePriority>().notNull().default('normal'),
    /**
     * What paused the pipeline: a user, its monthly quota or a record spike. Null: the pipeline is
     * active.
     */
    paused_by: text('paused_by').$type<PausedBy>(),
    next_run_at: time('next_run_at').notNull().defaultNow(),
    /** The number of days between two audits. Null: audits run only on request. */
    audit_frequency_days: integer('audit_frequency_days').default(7),
    next_audit_at: time('next_audit_at').notNull().default(sql`now() + interval '7 days'`),
    /** Whether Freshet maintains analytics models of the pipeline's tables. */
    analytics: boolean('analytics').notNull().default(false),
    /**
     * The time zone of days in the models: an IANA name or a Rails name. Null: the time zone of the
     * account's default business calendar.
     */
    analytics_time_zone: text('analytics_time_zone'),
  },
  (t) => [
    // Two pipelines must not write to the same table.
    unique('pipelines_destination_unique').on(t.destination_id, t.destination_schema, t.table_prefix),
    index('pipelines_due_idx').on(t.next_run_at).where(sql`status = 'active'`),
  ],
);
