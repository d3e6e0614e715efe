import { PAUSED_BY, PIPELINE_PRIORITIES, PIPELINE_STATUSES, SCHEMA_POLICIES } from '@freshet/contracts';
import { type Static, Type } from 'typebox';
import { EXAMPLE_OBJECT } from '../../http/example-values.ts';
import {
  defineSchema,
  enumeration,
  nullable,
  object,
  pageSchema,
  ref,
  resourceName,
  string,
  timestamp,
  timestamps,
  updateSchema,
  uuid,
} from '../../http/schemas.ts';
import { analyticsFields, analyticsState } from './analytics-schemas.ts';

export const SchemaPolicy = enumeration(
  'SchemaPolicy',
  SCHEMA_POLICIES,
  'How Freshet handles a value that does not fit the type of its column. `evolve`: the value is stored in `_freshet_extra` with a note. A column of a custom or unknown field is widened if most of its values do not fit. `freeze`: the record is rejected. `discard`: the column is set to null, with a note. The types of documented columns never change.',
);

export const PipelinePriority = enumeration(
  'PipelinePriority',
  PIPELINE_PRIORITIES,
  'The order of jobs with the same urgency: jobs of `high` pipelines run first. Priority does not affect jobs with different urgency: new changes are extracted before backfills, even if the pipelines of the backfills have a higher priority.',
);

export const PipelineStatus = enumeration(
  'PipelineStatus',
  PIPELINE_STATUSES,
  '`active`: runs start on schedule. `paused`: no scheduled run starts, and extraction stops.',
);

const FieldRule = defineSchema(
  'FieldRule',
  object(
    {
      rename: Type.Optional(
        string(
          'The name of the column for the field. If a different field already has a column with this name, Freshet appends a hash to the name.',
          { pattern: '^[a-z][a-z0-9_]{0,62}$' },
        ),
      ),
      drop: Type.Optional(
        Type.Boolean({
          description:
            'Whether the value is discarded, so that it is not stored anywhere. If the table already has a column for the field, the column is null in rows that are loaded after the update.',
          examples: [false],
        }),
      ),
      hash: Type.Optional(
        Type.Boolean({
          description:
            'Whether only the HMAC-SHA256 of the value is stored. The salt is specific to the pipeline, so equal values have equal hashes within the pipeline.',
          examples: [false],
        }),
      ),
    },
    { minProperties: 1, description: 'A transformation of a field before it is loaded.' },
  ),
);

export const fieldRules = Type.Record(Type.String({ minLength: 1, maxLength: 300 }), ref(FieldRule), {
  description:
    'Transformations of fields, keyed by field name. The name of a nested field contains a dot, such as `custom_fields.cf_phone`. Transformations apply to records that are extracted after the update.',
  maxProperties: 300,
  examples: [{ 'custom_fields.cf_phone': { hash: true } }],
});

export const maxStaleness = Type.Integer({
  minimum: 5,
  maximum: 525_600,
  description:
    'The maximum staleness of the table, in minutes. If the table exceeds the maximum, Freshet sends the event `freshness.missed`.',
  examples: [720],
});

const ObjectSettings = defineSchema(
  'ObjectSettings',
  object(
    {
      included: Type.Boolean({ description: 'Whether the object is replicated.' }),
      detail: Type.Optional(
        Type.Boolean({
          description:
            'Whether Freshet requests each record individually, to get the fields that lists do not contain. This costs one or two credits per record. Default: false.',
          examples: [false],
        }),
      ),
      history: Type.Optional(
        Type.Boolean({
          description: 'Whether every version of a row is stored in a second table. Default: false.',
          examples: [true],
        }),
      ),
      columns: Type.Optional(fieldRules),
      max_staleness_minutes: Type.Optional(maxStaleness),
    },
    { description: 'Settings of an object.' },
  ),
);

export const sourceFields = {
  type: Type.Literal('freshdesk', { description: 'The kind of source.' }),
  subdomain: string(
    'The Freshdesk account: `acme`, `acme.freshdesk.com`, or the complete URL. The API returns `acme`.',
    { minLength: 1, maxLength: 255, examples: ['acme'] },
  ),
  credential_id: uuid(
    'api_key',
    'The credential with the API key. Its type must be `freshdesk_api_key`. Some objects require the API key of an administrator.',
  ),
};

const historicalSyncDays = nullable(
  Type.Integer({
    minimum: 1,
    maximum: 36_500,
    description:
      'The number of days of history that the first sync extracts. Null: all history. Default for a new pipeline: 30.',
    examples: [30],
  }),
);

const creditSharePercent = Type.Integer({
  minimum: 1,
  maximum: 100,
  description: 'The share of the account’s rate limit that the pipeline may use, in percent.',
  examples: [80],
});

const PipelineSource = defineSchema(
  'PipelineSource',
  object(
    { ...sourceFields, historical_sync_days: historicalSyncDays, credit_share_percent: creditSharePercent },
    { description: 'The Freshdesk account that the pipeline replicates.' },
  ),
);

export const PipelineSourceInput = defineSchema(
  'PipelineSourceInput',
  object(
    {
      ...sourceFields,
      historical_sync_days: Type.Optional(historicalSyncDays),
      credit_share_percent: Type.Optional({ ...creditSharePercent, default: 80 }),
    },
    { description: 'The Freshdesk account to replicate.' },
  ),
);

const PipelineSourceUpdate = updateSchema(
  'PipelineSourceUpdate',
  {
    credential_id: Type.Optional(sourceFields.credential_id),
    historical_sync_days: Type.Optional(historicalSyncDays),
    credit_share_percent: Type.Optional(creditSharePercent),
  },
  PipelineSource,
  { description: 'The fields of the source to update. The account of a pipeline cannot be changed.' },
);

const Schedule = defineSchema(
  'Schedule',
  object(
    {
      cron: string('A cron expression with five fields: minute, hour, day of month, month, day of week.', {
        minLength: 9,
        maxLength: 255,
        examples: ['30 6 * * 1-5'],
      }),
      time_zone: string('The time zone of the expression, as a name in the IANA time zone database.', {
        minLength: 1,
        maxLength: 64,
        examples: ['Europe/Berlin'],
      }),
    },
    {
      description:
        'A cron schedule. The runs of pipelines with the same expression are spread over the minute that follows the scheduled time. If several runs were missed, one run replaces all of them.',
    },
  ),
);

const PausedBy = enumeration(
  'PausedBy',
  PAUSED_BY,
  'Why the pipeline is paused. `user`: a user paused the pipeline. `record_spike`, `monthly_quota`: Freshet paused the pipeline because of the setting with this name.',
);

const RecordSpike = defineSchema(
  'RecordSpike',
  object(
    {
      percent: Type.Integer({
        minimum: 110,
        maximum: 100_000,
        description:
          'The threshold, in percent of the average of up to 10 previous syncs. If a sync exceeds the threshold, Freshet sends the event `records.spiked`.',
        examples: [500],
      }),
      pause: Type.Boolean({
        description:
          'Whether Freshet also pauses the pipeline if a sync exceeds the threshold. The pipeline remains paused until a user resumes it.',
      }),
    },
    {
      description:
        'Detection of syncs that extract unusually many records. The records of complete reads of an object are not counted. A sync with fewer than 100 records never exceeds the threshold.',
    },
  ),
);

const QuotaAction = enumeration(
  'QuotaAction',
  ['continue', 'pause'],
  'What happens when the quota is reached. `continue`: the pipeline continues to run. `pause`: the pipeline is paused until the next month, or until the quota is increased.',
);

const MonthlyQuota = defineSchema(
  'MonthlyQuota',
  object(
    {
      records: Type.Integer({
        minimum: 1,
        maximum: 1_000_000_000_000,
        description: 'The quota, as a number of extracted records per calendar month (UTC).',
        examples: [5_000_000],
      }),
      when_reached: ref(QuotaAction),
    },
    {
      description:
        'A quota of extracted records per month. Freshet sends the event `quota.reached` at 70, 90 and 100 percent of the quota.',
    },
  ),
);

const DESTINATION_SCHEMA = 'The schema of the warehouse that contains the tables.';

const pipelineFields = {
  name: resourceName('acme'),
  destination_id: uuid('destination', 'The destination to load into.'),
  destination_schema: string(DESTINATION_SCHEMA, {
    pattern: '^[a-z_][a-z0-9_]{0,62}$',
    examples: ['freshdesk_acme'],
  }),
  table_prefix: string('A prefix for all table names.', { pattern: '^([a-z_][a-z0-9_]{0,19})?$' }),
  frequency_minutes: Type.Integer({
    description:
      'The interval between runs, in minutes, if the pipeline has no `schedule`. Valid values are 30 and whole hours up to 24 (60, 120, … 1440). A deployment can also allow shorter intervals, down to 5 minutes.',
    examples: [360],
  }),
  audit_frequency_days: nullable(
    Type.Integer({
      minimum: 1,
      maximum: 365,
      description:
        'The interval between scheduled audits, in days. An audit completely reads the objects that syncs read incrementally, and compares the records with the warehouse. Null: no audits are scheduled. Default for a new pipeline: 7.',
      examples: [7],
    }),
  ),
  objects: Type.Record(Type.String(), ref(ObjectSettings), {
    description:
      'Settings of objects, keyed by object name. An object without settings is replicated if `included_by_default` is true in the catalog.',
    examples: [{ [EXAMPLE_OBJECT]: { included: true, history: true } }],
  }),
  schema_policy: ref(SchemaPolicy),
  priority: ref(PipelinePriority),
  schedule: nullable(ref(Schedule)),
  record_spike: nullable(ref(RecordSpike)),
  monthly_quota: nullable(ref(MonthlyQuota)),
  ...analyticsFields,
};

/** The settings of objects in a request. */
// Without the example: with it, openapi-generator's Java client cannot send null for
// `audit_frequency_days`.
export const objectSettings = { ...pipelineFields.objects, examples: undefined, default: {} };

export const PipelineInput = defineSchema(
  'PipelineInput',
  object(
    {
      name: pipelineFields.name,
      source: ref(PipelineSourceInput),
      destination_id: pipelineFields.destination_id,
      destination_schema: Type.Optional({
        ...pipelineFields.destination_schema,
        description: `${DESTINATION_SCHEMA} Default: \`freshdesk_\` followed by the subdomain.`,
      }),
      table_prefix: Type.Optional({ ...pipelineFields.table_prefix, default: '' }),
      frequency_minutes: Type.Optional({ ...pipelineFields.frequency_minutes, default: 360 }),
      audit_frequency_days: Type.Optional(pipelineFields.audit_frequency_days),
      objects: Type.Optional(objectSettings),
      schema_policy: Type.Optional(
        Type.Unsafe<Static<typeof SchemaPolicy>>({ ...SchemaPolicy, $id: undefined, default: 'evolve' }),
      ),
      priority: Type.Optional(
        Type.Unsafe<Static<typeof PipelinePriority>>({ ...PipelinePriority, $id: undefined, default: 'normal' }),
      ),
      schedule: Type.Optional(pipelineFields.schedule),
      record_spike: Type.Optional(pipelineFields.record_spike),
      monthly_quota: Type.Optional(pipelineFields.monthly_quota),
      analytics: Type.Optional({ ...pipelineFields.analytics, examples: undefined, default: false }),
      analytics_time_zone: Type.Optional(pipelineFields.analytics_time_zone),
      adopt: Type.Optional(
        Type.Boolean({
          default: false,
          description:
            'Whether the pipeline continues from the coverage that is stored for existing tables in the schema, instead of extracting all history again. Use this option to recreate a pipeline of the same account after the control database was lost. The created pipeline does not have this field.',
        }),
      ),
    },
    { description: 'The pipeline to create.' },
  ),
);

export const Pipeline = defineSchema(
  'Pipeline',
  object(
    {
      id: uuid('pipeline', 'The id of the pipeline.'),
      source: ref(PipelineSource),
      ...pipelineFields,
      status: ref(PipelineStatus),
      paused_by: nullable(ref(PausedBy)),
      next_run_at: timestamp('Time at which the next run is due.', '2026-01-31T18:00:00.000Z'),
      next_audit_at: nullable(timestamp('Time at which the next audit is due.', '2026-02-02T07:30:00.000Z')),
      ...analyticsState,
      ...timestamps,
    },
    { description: 'Replication of one Freshdesk account into one warehouse schema.' },
  ),
);

export const PipelineUpdate = updateSchema(
  'PipelineUpdate',
  {
    name: Type.Optional(pipelineFields.name),
    source: Type.Optional(ref(PipelineSourceUpdate)),
    frequency_minutes: Type.Optional(pipelineFields.frequency_minutes),
    audit_frequency_days: Type.Optional(pipelineFields.audit_frequency_days),
    objects: Type.Optional(pipelineFields.objects),
    schema_policy: Type.Optional(pipelineFields.schema_policy),
    priority: Type.Optional(pipelineFields.priority),
    schedule: Type.Optional(pipelineFields.schedule),
    record_spike: Type.Optional(pipelineFields.record_spike),
    monthly_quota: Type.Optional(pipelineFields.monthly_quota),
    analytics: Type.Optional(pipelineFields.analytics),
    analytics_time_zone: Type.Optional(pipelineFields.analytics_time_zone),
  },
  Pipeline,
  {
    description:
      'The fields to update. The account, the destination, the schema and the table prefix of a pipeline cannot be changed: create a new pipeline instead.',
  },
);

export const PipelineList = pageSchema('PipelineList', Pipeline);
