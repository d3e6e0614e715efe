import { PAUSED_BY, PIPELINE_PRIORITIES, PIPELINE_STATUSES, SCHEMA_POLICIES } from '@freshet/contracts';
import { type Static, Type } from 'typebox';
import {
  change,
  enumeration,
  id,
  list,
  name,
  nullable,
  object,
  ref,
  resourceName,
  stamps,
  text,
  time,
} from '../../http/schemas.ts';

export const SchemaPolicy = enumeration(
  'SchemaPolicy',
  SCHEMA_POLICIES,
  'What happens to a value that does not fit its column. `evolve`: the value is kept in `_freshet_extra` with a note; custom and unknown columns are widened if most of their values do not fit. `freeze`: the record is rejected. `discard`: the column is null, with a note. Documented columns never change their type.',
);

export const PipelinePriority = enumeration(
  'PipelinePriority',
  PIPELINE_PRIORITIES,
  'Of work that is equally urgent, that of `high` pipelines goes first. No pipeline’s past is read before another’s changes, whatever their priorities.',
);

export const PipelineStatus = enumeration(
  'PipelineStatus',
  PIPELINE_STATUSES,
  'A paused pipeline starts no runs and reads no further.',
);

const FieldRule = name(
  'FieldRule',
  object(
    {
      rename: Type.Optional(
        text('The name of its column. If the name belongs to another field already, the column ends with a hash.', {
          pattern: '^[a-z][a-z0-9_]{0,62}$',
        }),
      ),
      drop: Type.Optional(
        Type.Boolean({ description: 'Its value is stored nowhere; its column is null, or is not made.' }),
      ),
      hash: Type.Optional(
        Type.Boolean({
          description:
            'Only the HMAC-SHA256 of its value is stored, with a salt of the pipeline’s own: equal values stay equal.',
        }),
      ),
    },
    { minProperties: 1, description: 'What is done with a field on its way to the warehouse.' },
  ),
);

export const fieldRules = Type.Record(Type.String({ minLength: 1, maxLength: 300 }), ref(FieldRule), {
  description:
    'Rules by field; one within another is named with a dot: `custom_fields.cf_phone`. They hold for what is read from then on.',
  maxProperties: 300,
});

export const maxStaleness = Type.Integer({
  minimum: 5,
  maximum: 525_600,
  description: 'Minutes that its table may be behind before `freshness.missed` is told. Absent: nobody is told.',
  examples: [720],
});

const ObjectChoice = name(
  'ObjectChoice',
  object(
    {
      included: Type.Boolean({ description: 'Whether the object is read.' }),
      detail: Type.Optional(
        Type.Boolean({
          description:
            'Complete each record that is read by what only its own address shows, for one credit more or two. Absent: no.',
        }),
      ),
      history: Type.Optional(
        Type.Boolean({ description: 'Keep every version of its rows, in a table beside its own. Absent: no.' }),
      ),
      columns: Type.Optional(fieldRules),
      max_staleness_minutes: Type.Optional(maxStaleness),
    },
    { description: 'A choice for one object.' },
  ),
);

export const sourceFields = {
  type: Type.Literal('freshdesk', { description: 'The kind of account.' }),
  subdomain: text('The account: `acme`, `acme.freshdesk.com` or the whole URL. Stored as `acme`.', {
    minLength: 1,
    maxLength: 255,
    examples: ['acme'],
  }),
  credential_id: id('The credential with an API key, of an admin if all objects are to be read'),
};

const historicalSyncDays = nullable(
  Type.Integer({
    minimum: 1,
    maximum: 36_500,
    description:
      'How far the first sync goes back, in days; null: to the beginning. A new pipeline’s is 30 where nothing is said.',
    examples: [30],
  }),
);

const creditSharePercent = Type.Integer({
  minimum: 1,
  maximum: 100,
  description: 'How much of the account’s rate limit may be used, in percent.',
});

const PipelineSource = name(
  'PipelineSource',
  object(
    { ...sourceFields, historical_sync_days: historicalSyncDays, credit_share_percent: creditSharePercent },
    { description: 'The account that is read.' },
  ),
);

const PipelineSourceInput = name(
  'PipelineSourceInput',
  object(
    {
      ...sourceFields,
      historical_sync_days: Type.Optional(historicalSyncDays),
      credit_share_percent: Type.Optional({ ...creditSharePercent, default: 80 }),
    },
    { description: 'The account to read.' },
  ),
);

const PipelineSourceChange = change(
  'PipelineSourceChange',
  {
    credential_id: Type.Optional(sourceFields.credential_id),
    historical_sync_days: Type.Optional(historicalSyncDays),
    credit_share_percent: Type.Optional(creditSharePercent),
  },
  PipelineSource,
  { description: 'What may change of the account: never which account it is.' },
);

const Schedule = name(
  'Schedule',
  object(
    {
      cron: text('Five fields: minute, hour, day of the month, month, day of the week.', {
        minLength: 9,
        maxLength: 255,
        examples: ['30 6 * * 1-5'],
      }),
      time_zone: text('The time zone that it is meant in, as the IANA database names it.', {
        minLength: 1,
        maxLength: 64,
        examples: ['Europe/Berlin'],
      }),
    },
    {
      description:
        'When a pipeline runs. Each starts at a moment of its own within the minute that follows; a time that was missed is made up for once.',
    },
  ),
);

const PausedBy = enumeration(
  'PausedBy',
  PAUSED_BY,
  'Who has paused it; `record_spike` and `monthly_quota`: Freshet, as it was told to.',
);

const RecordSpike = name(
  'RecordSpike',
  object(
    {
      percent: Type.Integer({
        minimum: 110,
        maximum: 100_000,
        description:
          'What a run must read, in percent of what the last 10 have read on average, to be told of as `records.spiked`.',
        examples: [500],
      }),
      pause: Type.Boolean({ description: 'The pipeline is paused then, until somebody resumes it.' }),
    },
    {
      description:
        'When a run brings so much more than usual that somebody should look. Complete readings do not count; less than 100 records are none.',
    },
  ),
);

const QuotaAction = enumeration(
  'QuotaAction',
  ['continue', 'pause'],
  '`pause`: until the next month, or until the quota is raised.',
);

const MonthlyQuota = name(
  'MonthlyQuota',
  object(
    {
      records: Type.Integer({
        minimum: 1,
        maximum: 1_000_000_000_000,
        description: 'Records read in a calendar month (UTC).',
        examples: [5_000_000],
      }),
      when_reached: ref(QuotaAction),
    },
    {
      description:
        'How many records a pipeline should read in a month. 70, 90 and 100 % of it are told of as `quota.reached`.',
    },
  ),
);

const pipelineFields = {
  name: resourceName,
  destination_id: id('The warehouse'),
  destination_schema: text('The schema that the tables stand in.', {
    pattern: '^[a-z_][a-z0-9_]{0,62}$',
    examples: ['freshdesk_acme'],
  }),
  table_prefix: text('Put before the name of each table.', { pattern: '^([a-z_][a-z0-9_]{0,19})?$' }),
  frequency_minutes: Type.Integer({
    description:
      'Minutes between runs, where there is no `schedule`: 30, or whole hours up to 1440; from 5 on where the deployment allows it.',
    examples: [360],
  }),
  audit_frequency_days: nullable(
    Type.Integer({
      minimum: 1,
      maximum: 365,
      description:
        'Days between audits; null: only when somebody asks for one. A new pipeline’s are 7 where nothing is said.',
      examples: [7],
    }),
  ),
  objects: Type.Record(Type.String(), ref(ObjectChoice), {
    description: 'Choices by object; what is not named follows the catalogue.',
  }),
  schema_policy: ref(SchemaPolicy),
  priority: ref(PipelinePriority),
  schedule: nullable(ref(Schedule)),
  record_spike: nullable(ref(RecordSpike)),
  monthly_quota: nullable(ref(MonthlyQuota)),
};

export const PipelineInput = name(
  'PipelineInput',
  object(
    {
      name: pipelineFields.name,
      source: ref(PipelineSourceInput),
      destination_id: pipelineFields.destination_id,
      destination_schema: Type.Optional(pipelineFields.destination_schema),
      table_prefix: Type.Optional({ ...pipelineFields.table_prefix, default: '' }),
      frequency_minutes: Type.Optional({ ...pipelineFields.frequency_minutes, default: 360 }),
      audit_frequency_days: Type.Optional(pipelineFields.audit_frequency_days),
      objects: Type.Optional({ ...pipelineFields.objects, default: {} }),
      schema_policy: Type.Optional(
        Type.Unsafe<Static<typeof SchemaPolicy>>({ ...SchemaPolicy, $id: undefined, default: 'evolve' }),
      ),
      priority: Type.Optional(
        Type.Unsafe<Static<typeof PipelinePriority>>({ ...PipelinePriority, $id: undefined, default: 'normal' }),
      ),
      schedule: Type.Optional(pipelineFields.schedule),
      record_spike: Type.Optional(pipelineFields.record_spike),
      monthly_quota: Type.Optional(pipelineFields.monthly_quota),
      adopt: Type.Optional(
        Type.Boolean({
          default: false,
          description:
            'Go on from what the schema’s tables say of themselves, instead of from the start: for a pipeline of the same account whose control database is lost. It is not read back.',
        }),
      ),
    },
    { description: 'A pipeline to make. Its first run starts at once.' },
  ),
);

export const Pipeline = name(
  'Pipeline',
  object(
    {
      id: id('The pipeline'),
      source: ref(PipelineSource),
      ...pipelineFields,
      status: ref(PipelineStatus),
      paused_by: nullable(ref(PausedBy)),
      next_run_at: time('When its next run is due.'),
      next_audit_at: nullable(time('When its next audit is due.')),
      ...stamps,
    },
    { description: 'One Freshdesk account into one warehouse schema.' },
  ),
);

export const PipelineChange = change(
  'PipelineChange',
  {
    name: Type.Optional(pipelineFields.name),
    source: Type.Optional(ref(PipelineSourceChange)),
    frequency_minutes: Type.Optional(pipelineFields.frequency_minutes),
    audit_frequency_days: Type.Optional(pipelineFields.audit_frequency_days),
    objects: Type.Optional(pipelineFields.objects),
    schema_policy: Type.Optional(pipelineFields.schema_policy),
    priority: Type.Optional(pipelineFields.priority),
    schedule: Type.Optional(pipelineFields.schedule),
    record_spike: Type.Optional(pipelineFields.record_spike),
    monthly_quota: Type.Optional(pipelineFields.monthly_quota),
  },
  Pipeline,
  { description: 'Fields to change. Tables do not move: for another destination, make another pipeline.' },
);

export const PipelineList = list('PipelineList', Pipeline);
