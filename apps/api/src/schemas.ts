import {
  COLUMN_TYPES,
  CREDIT_CLASSES,
  type CreditClass,
  ERASURE_STATUSES,
  EVENT_TYPES,
  OBJECT_RUN_STATUSES,
  OBJECT_VERDICTS,
  PAUSED_BY,
  PIPELINE_PRIORITIES,
  PIPELINE_STATUSES,
  QUEUES,
  READING_RUN_KINDS,
  type ReadingRunKind,
  RUN_KINDS,
  RUN_MODES,
  RUN_STATUSES,
  RUN_TRIGGERS,
  SCHEMA_POLICIES,
} from '@freshet/contracts';
import { CREDENTIAL_TYPES, DELIVERY_STATUSES, SSL_MODES, TOKEN_ROLES } from '@freshet/control-store';
import { type Static, type TSchema, Type } from 'typebox';
import { PERMISSION_NAMES, PERMISSIONS } from './permissions.ts';

/** Every shape of the API by its name: the OpenAPI document has them as components, and refers to them. */
export const named: TSchema[] = [];

function name<T extends TSchema>($id: string, schema: T): T {
  const withId = { ...schema, $id };
  named.push(withId);
  return withId;
}

/** A reference to a named shape, with its type. */
export function ref<T extends TSchema>(schema: T) {
  return Type.Unsafe<Static<T>>({ $ref: `${(schema as { $id?: string }).$id}#` });
}

const id = (what: string) => Type.String({ format: 'uuid', description: `${what} (UUIDv7).`, examples: ['019374a8-5f00-7c3e-9b1a-2f6d5c4b3a21'] });
const time = (description: string) =>
  Type.String({ format: 'date-time', description: `${description} RFC 3339, UTC.`, examples: ['2026-01-31T12:00:00.000Z'] });
/** Without a default: with one, Java's generator makes a class of its own of it that does not compile. What is meant where nothing is said stands in the description. */
const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const text = (description: string, options: Record<string, unknown> = {}) => Type.String({ description, ...options });
const count = (description: string) => Type.Integer({ minimum: 0, description });
const enumeration = <const V extends readonly string[]>($id: string, values: V, description: string) =>
  name($id, Type.Unsafe<V[number]>({ type: 'string', enum: [...values], description }));
const object = <P extends Record<string, TSchema>>(properties: P, options: Record<string, unknown> = {}) =>
  Type.Object(properties, { additionalProperties: false, ...options });
const list = <T extends TSchema>($id: string, item: T) =>
  name(
    $id,
    object(
      {
        data: Type.Array(ref(item), { description: 'This page, newest first.' }),
        next_cursor: nullable(text('Give it as `cursor` to read the next page; null on the last one.')),
      },
      { description: 'One page of a list.' },
    ),
  );

const stamps = { created_at: time('When it was made.'), updated_at: time('When it last changed.') };

const ProblemField = name(
  'ProblemField',
  object(
    { pointer: text('JSON pointer to the field.', { examples: ['/frequency_minutes'] }), detail: text('What is wrong with it.') },
    { description: 'A field that is wrong.' },
  ),
);
const Failure = name(
  'Failure',
  object(
    { code: text('The stable, machine-readable kind of failure.', { examples: ['source_auth'] }), message: text('What is wrong, and what would be right.') },
    { description: 'Why something could not be done.' },
  ),
);
export const Problem = name(
  'Problem',
  object(
    {
      type: text('Always `about:blank`: `code` tells the kind of problem.'),
      title: text('The status in words.'),
      status: Type.Integer({ description: 'The HTTP status.' }),
      code: text('The stable, machine-readable kind of problem.', { examples: ['invalid_input'] }),
      detail: text('What is wrong, and what would be right.'),
      request_id: text('Names the request in the logs.'),
      errors: Type.Optional(Type.Array(ref(ProblemField), { description: 'Each field that is wrong.' })),
    },
    { description: 'A problem, as in RFC 9457.' },
  ),
);

export const CredentialType = enumeration('CredentialType', CREDENTIAL_TYPES, 'What the secret opens.');
const Secret = {
  api_key: text('An agent’s API key, from the profile settings in Freshdesk.', { minLength: 1, maxLength: 4096 }),
  password: text('The role’s password.', { maxLength: 4096 }),
};
const resourceName = text('A name of your own, unique among its kind.', { minLength: 1, maxLength: 255, examples: ['acme'] });

export const FreshdeskApiKeyInput = name(
  'FreshdeskApiKeyInput',
  object(
    { name: resourceName, type: Type.Literal('freshdesk_api_key', { description: 'A Freshdesk API key.' }), api_key: Secret.api_key },
    { description: 'A Freshdesk API key to keep.' },
  ),
);
export const PostgresPasswordInput = name(
  'PostgresPasswordInput',
  object(
    { name: resourceName, type: Type.Literal('postgres_password', { description: 'A PostgreSQL password.' }), password: Secret.password },
    { description: 'A PostgreSQL password to keep.' },
  ),
);
export const CredentialInput = name(
  'CredentialInput',
  Type.Unsafe<Static<typeof FreshdeskApiKeyInput> | Static<typeof PostgresPasswordInput>>({
    type: 'object',
    description: 'A secret to keep. It is encrypted, and never sent back.',
    required: ['type'],
    discriminator: { propertyName: 'type' },
    oneOf: [{ $ref: 'FreshdeskApiKeyInput#' }, { $ref: 'PostgresPasswordInput#' }],
  }),
);
export const CredentialChange = name(
  'CredentialChange',
  object(
    { name: Type.Optional(resourceName), api_key: Type.Optional(Secret.api_key), password: Type.Optional(Secret.password) },
    {
      minProperties: 1,
      description: 'A new name, or a new secret: the one that fits the credential’s type.',
    },
  ),
);
export const Credential = name(
  'Credential',
  object(
    {
      id: id('The credential'),
      name: resourceName,
      type: ref(CredentialType),
      hint: text('The last four characters of the secret; empty for short ones.'),
      rotated_at: time('When the secret was last changed.'),
      ...stamps,
    },
    { description: 'A secret that is kept. The secret itself is never sent back.' },
  ),
);
export const CredentialList = list('CredentialList', Credential);

export const SslMode = enumeration(
  'SslMode',
  SSL_MODES,
  '`verify-full` checks the server’s certificate and name; `require` encrypts only; `disable` does neither.',
);
const destinationFields = {
  name: resourceName,
  type: Type.Literal('postgres', { description: 'The kind of warehouse.' }),
  host: text('Host name or address.', { minLength: 1, maxLength: 253, examples: ['warehouse.example.com'] }),
  port: Type.Integer({ minimum: 1, maximum: 65_535, description: 'TCP port.', examples: [5432] }),
  database: text('Name of the database.', { minLength: 1, maxLength: 63, examples: ['analytics'] }),
  username: text('The role that writes.', { minLength: 1, maxLength: 63, examples: ['freshet'] }),
  credential_id: id('The credential with the role’s password'),
};
const sslCa = nullable(
  text('Certificates (PEM) of whoever has signed the warehouse’s, where it is none of the well-known; null: those.', { maxLength: 100_000 }),
);
export const DestinationInput = name(
  'DestinationInput',
  object(
    {
      ...destinationFields,
      port: Type.Optional({ ...destinationFields.port, default: 5432 }),
      ssl_mode: Type.Optional(Type.Unsafe<Static<typeof SslMode>>({ ...SslMode, $id: undefined, default: 'verify-full' })),
      ssl_ca: Type.Optional(sslCa),
    },
    {
      description: 'A PostgreSQL warehouse.',
    },
  ),
);
export const DestinationChange = name(
  'DestinationChange',
  object(
    {
      name: Type.Optional(destinationFields.name),
      host: Type.Optional(destinationFields.host),
      port: Type.Optional(destinationFields.port),
      database: Type.Optional(destinationFields.database),
      username: Type.Optional(destinationFields.username),
      credential_id: Type.Optional(destinationFields.credential_id),
      ssl_mode: Type.Optional(ref(SslMode)),
      ssl_ca: Type.Optional(sslCa),
    },
    { minProperties: 1, description: 'Fields to change.' },
  ),
);
export const Destination = name(
  'Destination',
  object({ id: id('The destination'), ...destinationFields, ssl_mode: ref(SslMode), ssl_ca: sslCa, ...stamps }, { description: 'A PostgreSQL warehouse.' }),
);
export const DestinationList = list('DestinationList', Destination);
export const DestinationVerdict = name(
  'DestinationVerdict',
  object(
    {
      usable: Type.Boolean({ description: 'The connection works, and the role may make what a pipeline needs.' }),
      server_version: nullable(text('PostgreSQL’s version; null when it could not be reached.')),
      missing_grants: Type.Array(Type.String(), { description: 'Statements that would give the role what it lacks.' }),
      error: nullable(ref(Failure)),
    },
    { description: 'Whether a warehouse can be used.' },
  ),
);

export const SchemaPolicy = enumeration(
  'SchemaPolicy',
  SCHEMA_POLICIES,
  'What happens to a value that does not fit its column: `evolve` widens the column, `freeze` rejects the record, `discard` nulls the value and notes it.',
);
export const PipelinePriority = enumeration(
  'PipelinePriority',
  PIPELINE_PRIORITIES,
  'Of work that is equally urgent, that of `high` pipelines goes first. No pipeline’s past is read before another’s changes, whatever their priorities.',
);
export const PipelineStatus = enumeration('PipelineStatus', PIPELINE_STATUSES, 'A paused pipeline starts no runs and reads no further.');
const FieldRule = name(
  'FieldRule',
  object(
    {
      rename: Type.Optional(text('The name of its column.', { pattern: '^[a-z][a-z0-9_]{0,62}$' })),
      drop: Type.Optional(Type.Boolean({ description: 'Its value is stored nowhere; its column is null, or is not made.' })),
      hash: Type.Optional(
        Type.Boolean({ description: 'Only the HMAC-SHA256 of its value is stored, with a salt of the pipeline’s own: equal values stay equal.' }),
      ),
    },
    { minProperties: 1, description: 'What is done with a field on its way to the warehouse.' },
  ),
);
const fieldRules = Type.Record(Type.String({ minLength: 1, maxLength: 300 }), ref(FieldRule), {
  description: 'Rules by field; one within another is named with a dot: `custom_fields.cf_phone`. They hold for what is read from then on.',
  maxProperties: 300,
});
const maxStaleness = Type.Integer({
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
        Type.Boolean({ description: 'Complete each record that is read by what only its own address shows, for one credit more or two. Absent: no.' }),
      ),
      history: Type.Optional(Type.Boolean({ description: 'Keep every version of its rows, in a table beside its own. Absent: no.' })),
      columns: Type.Optional(fieldRules),
      max_staleness_minutes: Type.Optional(maxStaleness),
    },
    { description: 'A choice for one object.' },
  ),
);
const sourceFields = {
  type: Type.Literal('freshdesk', { description: 'The kind of account.' }),
  subdomain: text('The account: `acme`, `acme.freshdesk.com` or the whole URL. Stored as `acme`.', { minLength: 1, maxLength: 255, examples: ['acme'] }),
  credential_id: id('The credential with an API key, of an admin if all objects are to be read'),
};
const historicalSyncDays = nullable(
  Type.Integer({
    minimum: 1,
    maximum: 36_500,
    description: 'How far the first sync goes back, in days; null: to the beginning. A new pipeline’s is 30 where nothing is said.',
    examples: [30],
  }),
);
const creditSharePercent = Type.Integer({ minimum: 1, maximum: 100, description: 'How much of the account’s rate limit may be used, in percent.' });
const PipelineSource = name(
  'PipelineSource',
  object({ ...sourceFields, historical_sync_days: historicalSyncDays, credit_share_percent: creditSharePercent }, { description: 'The account that is read.' }),
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
const PipelineSourceChange = name(
  'PipelineSourceChange',
  object(
    {
      credential_id: Type.Optional(sourceFields.credential_id),
      historical_sync_days: Type.Optional(historicalSyncDays),
      credit_share_percent: Type.Optional(creditSharePercent),
    },
    { minProperties: 1, description: 'What may change of the account: never which account it is.' },
  ),
);
const Schedule = name(
  'Schedule',
  object(
    {
      cron: text('Five fields: minute, hour, day of the month, month, day of the week.', { minLength: 9, maxLength: 255, examples: ['30 6 * * 1-5'] }),
      time_zone: text('The time zone that it is meant in, as the IANA database names it.', { minLength: 1, maxLength: 64, examples: ['Europe/Berlin'] }),
    },
    { description: 'When a pipeline runs. Each starts at a moment of its own within the minute that follows; a time that was missed is made up for once.' },
  ),
);
const PausedBy = enumeration('PausedBy', PAUSED_BY, 'Who has paused it; `record_spike` and `monthly_quota`: Freshet, as it was told to.');
const RecordSpike = name(
  'RecordSpike',
  object(
    {
      percent: Type.Integer({
        minimum: 110,
        maximum: 100_000,
        description: 'What a run must read, in percent of what the last 10 have read on average, to be told of as `records.spiked`.',
        examples: [500],
      }),
      pause: Type.Boolean({ description: 'The pipeline is paused then, until somebody resumes it.' }),
    },
    { description: 'When a run brings so much more than usual that somebody should look. Complete readings do not count; less than 100 records are none.' },
  ),
);
const QuotaAction = enumeration('QuotaAction', ['continue', 'pause'], '`pause`: until the next month, or until the quota is raised.');
const MonthlyQuota = name(
  'MonthlyQuota',
  object(
    {
      records: Type.Integer({ minimum: 1, maximum: 1_000_000_000_000, description: 'Records read in a calendar month (UTC).', examples: [5_000_000] }),
      when_reached: ref(QuotaAction),
    },
    { description: 'How many records a pipeline should read in a month. 70, 90 and 100 % of it are told of as `quota.reached`.' },
  ),
);
const pipelineFields = {
  name: resourceName,
  destination_id: id('The warehouse'),
  destination_schema: text('The schema that the tables stand in.', { pattern: '^[a-z_][a-z0-9_]{0,62}$', examples: ['freshdesk_acme'] }),
  table_prefix: text('Put before the name of each table.', { pattern: '^([a-z_][a-z0-9_]{0,19})?$' }),
  frequency_minutes: Type.Integer({
    description: 'Minutes between runs, where there is no `schedule`: 30, or whole hours up to 1440; from 5 on where the deployment allows it.',
    examples: [360],
  }),
  audit_frequency_days: nullable(
    Type.Integer({
      minimum: 1,
      maximum: 365,
      description: 'Days between audits; null: only when somebody asks for one. A new pipeline’s are 7 where nothing is said.',
      examples: [7],
    }),
  ),
  objects: Type.Record(Type.String(), ref(ObjectChoice), { description: 'Choices by object; what is not named follows the catalogue.' }),
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
      schema_policy: Type.Optional(Type.Unsafe<Static<typeof SchemaPolicy>>({ ...SchemaPolicy, $id: undefined, default: 'evolve' })),
      priority: Type.Optional(Type.Unsafe<Static<typeof PipelinePriority>>({ ...PipelinePriority, $id: undefined, default: 'normal' })),
      schedule: Type.Optional(pipelineFields.schedule),
      record_spike: Type.Optional(pipelineFields.record_spike),
      monthly_quota: Type.Optional(pipelineFields.monthly_quota),
    },
    { description: 'A pipeline to make. Its first run starts at once.' },
  ),
);
export const PipelineChange = name(
  'PipelineChange',
  object(
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
    { minProperties: 1, description: 'Fields to change. Tables do not move: for another destination, make another pipeline.' },
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
export const PipelineList = list('PipelineList', Pipeline);

const ObjectVerdict = enumeration('ObjectVerdict', OBJECT_VERDICTS, 'Whether the key may read the object.');
export const PipelineTestInput = name(
  'PipelineTestInput',
  object({ subdomain: sourceFields.subdomain, credential_id: sourceFields.credential_id }, { description: 'An account and a key to try.' }),
);
const TicketScope = enumeration('TicketScope', ['global', 'group', 'restricted', 'unknown'], 'Which tickets the agent sees.');
const AccountAgent = name(
  'AccountAgent',
  object({ id: text('The agent’s id.'), name: text('The agent’s name.'), ticket_scope: ref(TicketScope) }, { description: 'The agent whose key it is.' }),
);
const AccountLimit = name(
  'AccountLimit',
  object(
    {
      bucket: text('`account`, or a list with a limit of its own.'),
      credits_per_minute: nullable(Type.Number({ description: 'As the answers told; null: they did not.' })),
    },
    { description: 'A limit.' },
  ),
);
const AccountObject = name(
  'AccountObject',
  object(
    {
      object: text('The object.'),
      verdict: ref(ObjectVerdict),
      message: nullable(text('Why it is not available.')),
      changed_since_filter: nullable(text('The filter that the account obeys; null: none, or the object has none.')),
    },
    { description: 'What a key sees of one object.' },
  ),
);
export const PipelineVerdict = name(
  'PipelineVerdict',
  object(
    {
      ok: Type.Boolean({ description: 'The key opens the account, and at least one object is available.' }),
      subdomain: text('The account.'),
      agent: nullable(ref(AccountAgent)),
      limits: Type.Array(ref(AccountLimit), { description: 'The limits that were seen.' }),
      sees_all_tickets: Type.Boolean({ description: 'False: the key sees a part of the tickets, without any error.' }),
      objects: Type.Array(ref(AccountObject), { description: 'Each object.' }),
      error: nullable(ref(Failure)),
    },
    { description: 'What a key sees of an account.' },
  ),
);

export const EstimateInput = name(
  'EstimateInput',
  object(
    { backfill_from: Type.Optional(time('Estimate reading back to this moment, beyond what has been read, instead of the next run.')) },
    { description: 'What to estimate.' },
  ),
);
const EstimateBasis = enumeration(
  'EstimateBasis',
  ['counted', 'known', 'typical'],
  '`counted`: the account was asked. `known`: from the last runs. `typical`: what accounts of this size usually hold.',
);
const ObjectEstimate = name(
  'ObjectEstimate',
  object(
    {
      object: text('The object.'),
      records: count('Records that will be read.'),
      credits: count('Credits that this will cost.'),
      minutes: Type.Number({ minimum: 0, description: 'How long it would take alone, within the pipeline’s share of the limits.' }),
      basis: ref(EstimateBasis),
    },
    { description: 'What one object will cost.' },
  ),
);
export const Estimate = name(
  'Estimate',
  object(
    {
      spent: Type.Number({ minimum: 0, description: 'Credits that the estimate itself has cost.' }),
      records: count('Records that will be read.'),
      credits: count('Credits that this will cost.'),
      minutes: Type.Number({ minimum: 0, description: 'How long it will take within the pipeline’s share of the limits, if nothing else is read.' }),
      objects: Type.Array(ref(ObjectEstimate), { description: 'Each object that is read.' }),
    },
    { description: 'What a run will cost, before it is spent.' },
  ),
);

const TablePlan = name(
  'TablePlan',
  object(
    {
      object: text('The object.'),
      table: text('Its table.'),
      exists: Type.Boolean({ description: 'It is there already.' }),
      statements: Type.Array(Type.String(), { description: 'SQL that would be run before the first rows; none: it is as it should be.' }),
    },
    { description: 'What would become of a table.' },
  ),
);
export const PipelinePlan = name(
  'PipelinePlan',
  object(
    {
      account: ref(PipelineVerdict),
      destination: ref(DestinationVerdict),
      statements: Type.Array(Type.String(), { description: 'SQL that would make the schema and the ledger; none: they are there.' }),
      tables: Type.Array(ref(TablePlan), { description: 'Each table; none where the warehouse could not be asked.' }),
      estimate: nullable(ref(Estimate)),
    },
    { description: 'What would happen, before it does.' },
  ),
);

export const RunStatus = enumeration('RunStatus', RUN_STATUSES, '`partial`: some objects did not succeed.');
const RunTrigger = enumeration('RunTrigger', RUN_TRIGGERS, 'What started the run.');
export const RunKind = enumeration(
  'RunKind',
  RUN_KINDS,
  '`sync` brings what is new. `audit` reads everything again, to find what no changed-since filter shows. `refresh` reads single records that were asked for. `replay` loads rejected records once more. `rebuild` loads a table anew from what is stored.',
);
export const RunInput = name(
  'RunInput',
  object(
    {
      kind: Type.Optional(
        Type.Unsafe<ReadingRunKind>({
          type: 'string',
          enum: [...READING_RUN_KINDS],
          default: 'sync',
          description: '`sync` brings what is new; `audit` reads everything to compare it.',
        }),
      ),
    },
    { description: 'What to run.' },
  ),
);
const ticketNumber = Type.Optional(
  Type.Union([Type.String(), Type.Integer()], { description: 'The ticket’s number: `{{ticket.id}}` in an automation rule.', examples: ['4711'] }),
);
export const FreshdeskCall = name(
  'FreshdeskCall',
  Type.Object(
    {
      ticket_id: ticketNumber,
      freshdesk_webhook: Type.Optional(
        Type.Object({ ticket_id: ticketNumber }, { description: 'As Freshdesk wraps what is chosen in its form; whatever else is in it is passed over.' }),
      ),
    },
    { description: 'What an automation rule of Freshdesk sends.' },
  ),
);
const RunMode = enumeration(
  'RunMode',
  RUN_MODES,
  'Everything, what has changed, everything to compare it, what was asked for, or nothing: a replay and a rebuild load what was read before.',
);
const AuditFindings = name(
  'AuditFindings',
  object(
    {
      missing: count('Records that exist, and that the warehouse should have had already.'),
      stale: count('Rows that differed from their records, though no newer version was to be seen.'),
      repaired: count('Both, and rows newly marked as deleted: what is right now and was not before.'),
      explained: Type.Record(Type.String(), Type.Integer({ minimum: 0 }), {
        description:
          'What keys that no list held, and numbers without a row, were found to be → how many: `archived`, `not_found`, `became_agent`, `recovered` (it existed), `present` (it moved while the lists were read), `forbidden` (the key may not see it). `not_believed`: rows that a reading lacked, too many to be marked.',
      }),
    },
    { description: 'What an audit has found.' },
  ),
);
const ObjectRunStatus = enumeration(
  'ObjectRunStatus',
  OBJECT_RUN_STATUSES,
  '`forbidden`: the key may not read it. `not_in_plan`: the account’s plan lacks it.',
);
const ObjectRun = name(
  'ObjectRun',
  object(
    {
      object: text('The object.'),
      status: ref(ObjectRunStatus),
      mode: ref(RunMode),
      records_extracted: count('Records read.'),
      records_loaded: count('Rows inserted or updated.'),
      records_unchanged: count('Records that the warehouse had already.'),
      records_deleted: count('Rows newly marked as deleted.'),
      records_rejected: count('Records that could not be loaded.'),
      findings: nullable(ref(AuditFindings)),
      credits_used: Type.Number({ minimum: 0, description: 'Credits spent.' }),
      bytes_staged: count('Bytes stored between reading and loading, uncompressed.'),
      progress: nullable(Type.Number({ minimum: 0, maximum: 1, description: 'How much of it is done; null: not known.' })),
      not_before: nullable(time('It waits until then: for credits, or before another try.')),
      complete_as_of: nullable(time('The warehouse holds every change up to then, when the run has succeeded.')),
      complete_back_to: nullable(time('… and from then on. The year 1970: from the beginning.')),
      error: nullable(ref(Failure)),
    },
    { description: 'The part of a run that one object has.' },
  ),
);
export const Run = name(
  'Run',
  object(
    {
      id: id('The run'),
      pipeline_id: id('Its pipeline'),
      kind: ref(RunKind),
      status: ref(RunStatus),
      trigger: ref(RunTrigger),
      created_at: time('When it was started.'),
      started_at: nullable(time('When a worker began.')),
      finished_at: nullable(time('When it was over.')),
      objects: Type.Array(ref(ObjectRun), { description: 'Each object, by name.' }),
    },
    { description: 'One synchronisation of a pipeline.' },
  ),
);
export const RunList = list('RunList', Run);

export const RejectedRecord = name(
  'RejectedRecord',
  object(
    {
      id: id('The rejected record'),
      pipeline_id: id('Its pipeline'),
      object: text('Its object.'),
      batch_id: id('The batch that it was stored in'),
      line: count('The line of the batch, from 0.'),
      reason: text('Why it could not be loaded: a code, and after a colon what it is about.'),
      created_at: time('When it was rejected.'),
      record: nullable(text('The record as JSON, digit for digit as Freshdesk sent it; null in lists.')),
    },
    { description: 'A record that could not be loaded. It is kept, encrypted, until it is replayed or discarded.' },
  ),
);
export const RejectedRecordList = list('RejectedRecordList', RejectedRecord);
const erasedCounts = {
  rows: count('Rows of the table.'),
  versions: count('Rows of the table’s history, if it is kept.'),
  staged_records: count('Records of batches that are stored, loaded or not.'),
  rejected_records: count('Rejected records.'),
};
const ErasedFrom = name(
  'ErasedFrom',
  object({ object: text('The object.'), ...erasedCounts }, { description: 'What was removed of one object, by the try that completed the erasure.' }),
);
const ErasureProof = name(
  'ErasureProof',
  object(
    { verified_at: time('When it was looked.'), ...erasedCounts },
    { description: 'What was still found of the person when everything was searched again: nothing, or the erasure would not be completed.' },
  ),
);
const ErasureState = enumeration(
  'ErasureStatus',
  ERASURE_STATUSES,
  '`completed`: nothing of the person is left, see `proof`. `failed`: see `error`; ask for it again. `lifted`: the person may be read again.',
);
export const Erasure = name(
  'Erasure',
  object(
    {
      id: id('The erasure'),
      pipeline_id: id('Its pipeline'),
      contact_id: text('The contact’s id, as Freshdesk has it.', { examples: ['4711'] }),
      status: ref(ErasureState),
      removed: Type.Array(ref(ErasedFrom), { description: 'What was removed, object by object.' }),
      unsearchable: Type.Array(text('`object.field`'), {
        description: 'Fields by which nothing could be found, because the pipeline drops them: what only they tell of is still there.',
      }),
      proof: nullable(ref(ErasureProof)),
      error: nullable(ref(Failure)),
      created_at: time('When it was asked for. From then on the person is left out of what is read.'),
      finished_at: nullable(time('When it was over.')),
    },
    { description: 'A person who was taken out of a pipeline’s data, with what belongs to them.' },
  ),
);
export const ErasureList = list('ErasureList', Erasure);
export const ErasureInput = name(
  'ErasureInput',
  object(
    { contact_id: text('The contact’s id, as Freshdesk has it.', { pattern: '^[0-9]{1,19}$', examples: ['4711'] }) },
    { description: 'Who is to be erased.' },
  ),
);

const QueueName = enumeration('QueueName', QUEUES, 'The queue of a job.');
const DeadJob = name(
  'DeadJob',
  object(
    {
      id: id('The job that was set aside'),
      queue: ref(QueueName),
      data: Type.Record(Type.String(), Type.String(), {
        description: 'What it is about: ids and names.',
        examples: [{ objectRunId: '019374a8-5f00-7c3e-9b1a-2f6d5c4b3a21' }],
      }),
      pipeline_id: nullable(id('Its pipeline; null: it is about none')),
      attempts: count('How often it was tried.'),
      reason: text('What its last try said; where its workers ended, that they did.'),
      died_at: time('When it was set aside.'),
    },
    { description: 'A job that has failed, or ended its workers, too often. What waited for it has failed; it is sent again when somebody has seen to it.' },
  ),
);
export const DeadJobList = list('DeadJobList', DeadJob);

const ProcessState = enumeration(
  'ProcessState',
  ['alive', 'quiet', 'stopped'],
  '`quiet`: not heard of for three heartbeats. `stopped`: it has ended as it should.',
);
const LivingProcess = name(
  'LivingProcess',
  object(
    {
      id: id('The process'),
      name: text('What kind it is.', { examples: ['load-worker'] }),
      host: text('Where it runs.', { examples: ['worker-7f9c'] }),
      pid: count('Its number there.'),
      state: ref(ProcessState),
      cpu: nullable(Type.Number({ minimum: 0, description: 'Cores that it uses; null: not known yet.', examples: [0.4] })),
      memory_bytes: nullable(Type.Number({ minimum: 0, description: 'Memory that it uses, in bytes; null: not known yet.', examples: [150_000_000] })),
      started_at: time('When it was started.'),
      seen_at: time('When it was last heard of.'),
    },
    { description: 'A process that works on the queues, as it has last said of itself.' },
  ),
);
const QueueDepth = name(
  'QueueDepth',
  object(
    {
      queue: text('The queue.', { examples: ['extract'] }),
      ready: count('Jobs that could be worked on now.'),
      deferred: count('Jobs that wait for their time.'),
      active: count('Jobs that are worked on.'),
      oldest_seconds: Type.Number({ minimum: 0, description: 'For how long the oldest of those that are ready has been, in seconds.' }),
    },
    { description: 'How much work waits in a queue.' },
  ),
);
export const System = name(
  // Not `System`, nor `Process`: in Java they are others' names.
  'SystemStatus',
  object(
    {
      processes: Type.Array(ref(LivingProcess), { description: 'Those that were heard of in the last hour.' }),
      queues: Type.Array(ref(QueueDepth), { description: 'Queues with jobs.' }),
      unloaded_bytes: count('Bytes of batches that are stored and not loaded yet, compressed.'),
      unloaded_batches: count('Batches that are stored and not loaded yet.'),
      rejected_records: count('Rejected records that wait for somebody’s decision.'),
      dead_jobs: count('Jobs that were set aside.'),
      open_runs: count('Runs that are queued or running.'),
    },
    { description: 'How the deployment is.' },
  ),
);

export const RejectedFilter = name(
  'RejectedFilter',
  object(
    {
      ids: Type.Optional(Type.Array(Type.String({ format: 'uuid' }), { minItems: 1, maxItems: 1000, description: 'Only these.' })),
      object: Type.Optional(text('Only of this object.')),
      reason: Type.Optional(text('Only with this reason, or with what stands before its colon.')),
    },
    { description: 'Which rejected records are meant; an empty object means all of the pipeline’s.' },
  ),
);
export const Replayed = name(
  'Replayed',
  object({ run_id: id('The run that loads them'), records: count('How many they are.') }, { description: 'A replay that was started.' }),
);
export const RebuildStarted = name(
  'RebuildStarted',
  object(
    {
      run_id: id('The run that loads it'),
      batches: count('Batches that are loaded once more.'),
      records: count('Records in them.'),
      reaches_back_to: time('When the oldest of them was read: rows that were last read before it stay as they are.'),
      whole: Type.Boolean({
        description: 'What is stored begins with a whole reading, so that every row is written again. If not, restart the object to read the rest.',
      }),
    },
    { description: 'A rebuild that was started.' },
  ),
);
export const Discarded = name('Discarded', object({ records: count('How many they were.') }, { description: 'What was forgotten.' }));

export const PipelineObjectChange = name(
  'PipelineObjectChange',
  object(
    {
      included: Type.Optional(Type.Boolean({ description: 'Whether the object is read.' })),
      detail: Type.Optional(Type.Boolean({ description: 'Whether its records are completed by what only their own addresses show.' })),
      history: Type.Optional(Type.Boolean({ description: 'Whether every version of its rows is kept, in a table beside its own.' })),
      columns: Type.Optional(fieldRules),
      max_staleness_minutes: Type.Optional(nullable(maxStaleness)),
    },
    { minProperties: 1, description: 'Fields to change. Nobody is told of its freshness any more where `max_staleness_minutes` is null.' },
  ),
);
export const PositionChange = name(
  'PositionChange',
  object({ changed_since: time('From when on changes are read.') }, { description: 'Where an object is to be read from.' }),
);
export const PipelineObject = name(
  'PipelineObject',
  object(
    {
      object: text('The object.'),
      table: text('Its table in the warehouse, with its schema.'),
      included: Type.Boolean({ description: 'Whether it is read.' }),
      detail: Type.Boolean({ description: 'Whether its records are completed by what only their own addresses show.' }),
      history: Type.Boolean({ description: 'Whether every version of its rows is kept.' }),
      columns: fieldRules,
      max_staleness_minutes: nullable(maxStaleness),
      stale_since: nullable(time('Its table has been further behind than it may be since then; null: it is not.')),
      complete_as_of: nullable(time('The warehouse holds every change up to then.')),
      complete_back_to: nullable(time('… and from then on. The year 1970: from the beginning.')),
    },
    { description: 'What lasts of an object from run to run.' },
  ),
);
export const PipelineObjects = name(
  'PipelineObjectList',
  object({ data: Type.Array(ref(PipelineObject), { description: 'Each object, by name.' }) }, { description: 'The objects of a pipeline.' }),
);

const ColumnType = enumeration('ColumnType', COLUMN_TYPES, 'PostgreSQL’s type.');
const CatalogColumn = name(
  'CatalogColumn',
  object(
    {
      name: text('The column.'),
      type: ref(ColumnType),
      description: text('What it holds.'),
      nullable: Type.Boolean({ description: 'May be null.' }),
      optional: Type.Boolean({ description: 'May be missing in an answer.' }),
      values: nullable(Type.Record(Type.String(), Type.String(), { description: 'What each value means.' })),
      references: nullable(text('The object whose key it is.')),
    },
    { description: 'A column that an object always has.' },
  ),
);
const CatalogObject = name(
  'CatalogObject',
  object(
    {
      name: text('The object, and its table.'),
      title: text('Its name for people.'),
      description: text('What it holds.'),
      docs: text('The vendor’s page.', { format: 'uri' }),
      way: text('How it is read: `keyset`, `since`, `sweep` or `children`.'),
      parent: nullable(text('The object that it stands below.')),
      permission: text('Whose key may read it: any `agent`’s, or an `admin`’s.'),
      feature: nullable(text('The feature of the plan that it needs.')),
      included_by_default: Type.Boolean({ description: 'Part of a new pipeline.' }),
      detail_columns: Type.Array(Type.String(), { description: 'Columns that only `detail` fills; none: it cannot be read in detail.' }),
      primary_key: Type.Array(Type.String(), { description: 'Columns that identify a record.' }),
      columns: Type.Array(ref(CatalogColumn), { description: 'Its columns; the account’s own fields come in addition.' }),
    },
    { description: 'A kind of Freshdesk data.' },
  ),
);
export const CatalogObjects = name(
  'CatalogObjectList',
  object({ data: Type.Array(ref(CatalogObject), { description: 'Each object, by name.' }) }, { description: 'The catalogue.' }),
);

const CreditClassName = enumeration('CreditClass', CREDIT_CLASSES, 'What work is for; the more urgent first.');
const CreditClassUse = name(
  'CreditClassUse',
  object(
    {
      class: ref(CreditClassName),
      used: Type.Number({ minimum: 0, description: 'Credits that it has taken in this minute.' }),
      wanted_until: nullable(time('It was refused for want of credits, and less urgent work leaves the bucket to it until then.')),
    },
    { description: 'Credits by what they are spent for.' },
  ),
);
const CreditBucket = name(
  'CreditBucket',
  object(
    {
      bucket: text('`account`, or the name of a list that has a limit of its own.'),
      unlimited: Type.Boolean({ description: 'The account answers without limits.' }),
      total: nullable(Type.Number({ description: 'Credits in a minute, as the account’s answers told; null: not known yet.' })),
      used: Type.Number({ minimum: 0, description: 'Credits spent in this minute, by Freshet and, as far as answers told, by others.' }),
      window_ends_at: nullable(time('When the minute ends; null: none is under way.')),
      blocked_until: nullable(time('No call is made before then: the account has answered with 429.')),
      classes: Type.Array(ref(CreditClassUse), { description: 'Of `used`, what Freshet’s own work has taken; the most urgent first.' }),
    },
    { description: 'Credits that calls draw on.' },
  ),
);
export const Budget = name(
  'Budget',
  object(
    { subdomain: text('The account.'), buckets: Type.Array(ref(CreditBucket), { description: 'Each bucket; none before the first call.' }) },
    { description: 'An account’s credits, which all of its pipelines and workers share.' },
  ),
);

export const TokenRoleName = enumeration('TokenRole', TOKEN_ROLES, 'Who may do what: `docs/security.md` has the table.');
const Permission = enumeration('Permission', PERMISSION_NAMES, PERMISSION_NAMES.map((permission) => `\`${permission}\`: ${PERMISSIONS[permission]}`).join(' '));
const tokenFields = {
  name: text('What it is for.', { minLength: 1, maxLength: 255, examples: ['nightly reports'] }),
  role: ref(TokenRoleName),
  scopes: nullable(Type.Array(ref(Permission), { minItems: 1, uniqueItems: true, description: 'Fewer permissions than the role has; null: all of them.' })),
  expires_at: nullable(time('It opens nothing from then on; null: it does not expire.')),
};
export const TokenInput = name(
  'TokenInput',
  object(
    { name: tokenFields.name, role: tokenFields.role, scopes: Type.Optional(tokenFields.scopes), expires_at: Type.Optional(tokenFields.expires_at) },
    { description: 'A token to make.' },
  ),
);
export const TokenChange = name(
  'TokenChange',
  object(
    {
      name: Type.Optional(tokenFields.name),
      role: Type.Optional(tokenFields.role),
      scopes: Type.Optional(tokenFields.scopes),
      expires_at: Type.Optional(tokenFields.expires_at),
    },
    { minProperties: 1, description: 'Fields to change.' },
  ),
);
const tokenShown = {
  id: id('The token'),
  ...tokenFields,
  last_used_at: nullable(time('When it was last used, to the minute; null: never.')),
  rotated_at: time('When its text was made.'),
  previous_until: nullable(time('Its text before the last rotation opens until then; null: it was not rotated.')),
  ...stamps,
};
export const Token = name('Token', object(tokenShown, { description: 'An API token. Its text is never shown again.' }));
export const TokenList = list('TokenList', Token);
export const NewToken = name(
  'NewToken',
  object(
    {
      ...tokenShown,
      token: text('The token itself, shown this once: `frt_`, 30 random characters and a checksum of six.', { pattern: '^frt_[0-9A-Za-z]{36}$' }),
    },
    { description: 'An API token with its text.' },
  ),
);
export const Rotation = name(
  'Rotation',
  object(
    {
      overlap_minutes: Type.Optional(
        Type.Integer({ minimum: 0, maximum: 43_200, default: 60, description: 'How long the old secret is good beside the new one, in minutes.' }),
      ),
    },
    { description: 'How a secret is rotated.' },
  ),
);

const EventName = enumeration('EventType', EVENT_TYPES, 'What has happened.');
const webhookFields = {
  name: resourceName,
  url: text('Where events are posted to, or `mailto:` and the addresses, with commas between them, that get them as mail. May hold `{{secret}}`.', {
    minLength: 1,
    maxLength: 2000,
    examples: ['https://hooks.example.com/freshet', 'mailto:oncall@example.com'],
  }),
  template: nullable(
    Type.Record(Type.String(), Type.Unknown(), {
      description:
        'What is posted instead of the event: a JSON object, in whose texts `{{summary}}`, `{{type}}`, `{{severity}}` (`info`, `warning`, `error`), `{{id}}`, `{{timestamp}}`, `{{secret}}` and `{{data.…}}` stand for what they name, and `{{data}}` alone for all of the data. Null: the event itself.',
      examples: [{ text: '{{summary}}' }],
    }),
  ),
  events: Type.Array(ref(EventName), { minItems: 1, uniqueItems: true, description: 'What it is told of.' }),
  enabled: Type.Boolean({ description: 'Whether events are sent to it.' }),
};
const templateSecret = nullable(
  text('What `{{secret}}` stands for in the template and the URL: a key of the receiver’s. Kept encrypted, and never shown again.', {
    minLength: 1,
    maxLength: 1000,
  }),
);
export const WebhookInput = name(
  'WebhookInput',
  object(
    {
      ...webhookFields,
      enabled: Type.Optional({ ...webhookFields.enabled, default: true }),
      template: Type.Optional(webhookFields.template),
      template_secret: Type.Optional(templateSecret),
    },
    { description: 'A webhook to make.' },
  ),
);
export const WebhookChange = name(
  'WebhookChange',
  object(
    {
      name: Type.Optional(webhookFields.name),
      url: Type.Optional(webhookFields.url),
      events: Type.Optional(webhookFields.events),
      enabled: Type.Optional(webhookFields.enabled),
      template: Type.Optional(webhookFields.template),
      template_secret: Type.Optional(templateSecret),
    },
    { minProperties: 1, description: 'Fields to change.' },
  ),
);
const webhookShown = {
  id: id('The webhook'),
  ...webhookFields,
  has_template_secret: Type.Boolean({ description: 'Whether a `template_secret` is kept.' }),
  disabled_reason: nullable(text('Why Freshet has disabled it; null: it has not.')),
  failing_since: nullable(time('Nothing has been taken since then; null: the last delivery was.')),
  previous_until: nullable(time('The secret before the last rotation signs until then; null: it was not rotated.')),
  ...stamps,
};
export const Webhook = name('Webhook', object(webhookShown, { description: 'Who is told of events. Its signing secret is never shown again.' }));
export const WebhookList = list('WebhookList', Webhook);
export const NewWebhook = name(
  'NewWebhook',
  object(
    { ...webhookShown, secret: text('The signing secret, shown this once: `whsec_` and the base64 of 32 bytes.') },
    { description: 'A webhook with its signing secret.' },
  ),
);
const DeliveryState = enumeration('DeliveryStatus', DELIVERY_STATUSES, '`pending`: not taken yet, and tried again. `failed`: given up.');
export const Delivery = name(
  'Delivery',
  object(
    {
      id: id('The delivery'),
      webhook_id: id('Its webhook'),
      event_id: id('The event, and the `webhook-id` that receivers see'),
      event_type: ref(EventName),
      status: ref(DeliveryState),
      attempts: count('Attempts so far.'),
      response_status: nullable(Type.Integer({ description: 'The HTTP status of the last answer; null: there was none.' })),
      error: nullable(text('Why the last attempt failed; null: it did not.')),
      created_at: time('When it was made.'),
      last_attempt_at: nullable(time('When it was last tried.')),
      next_attempt_at: nullable(time('When it is tried next; null: it is over.')),
    },
    { description: 'One event for one webhook.' },
  ),
);
export const DeliveryList = list('DeliveryList', Delivery);

const Actor = name(
  'Actor',
  object({ id: id('The token'), name: text('Its name at that time.'), role: ref(TokenRoleName) }, { description: 'Who has changed something.' }),
);
const AuditEntry = name(
  'AuditEntry',
  object(
    {
      id: id('The entry'),
      at: time('When.'),
      actor: ref(Actor),
      address: text('The address that the request came from.'),
      request_id: text('Names the request in the logs.'),
      action: text('The operation.', { examples: ['changePipeline'] }),
      resource: text('What was changed, by its path.', { examples: ['pipelines/019374a8-5f00-7c3e-9b1a-2f6d5c4b3a21'] }),
      before: nullable(Type.Record(Type.String(), Type.Unknown(), { description: 'As it was, without secrets; null: it was not there, or is not told.' })),
      after: nullable(Type.Record(Type.String(), Type.Unknown(), { description: 'As the request was answered, without secrets; null: it had no answer.' })),
    },
    { description: 'One change.' },
  ),
);
export const AuditEntryList = list('AuditEntryList', AuditEntry);

const creditsSpent = Type.Number({ minimum: 0, description: 'Credits.', examples: [12] });
const CreditsByClass = name(
  'CreditsByClass',
  object(Object.fromEntries(CREDIT_CLASSES.map((creditClass) => [creditClass, creditsSpent])) as Record<CreditClass, typeof creditsSpent>, {
    description: 'What credits were spent for.',
  }),
);
export const UsageList = name(
  'UsageList',
  object(
    {
      data: Type.Array(
        ref(
          name(
            'Usage',
            object(
              {
                day: Type.String({ format: 'date', description: 'The day, in UTC, on which the runs were started.' }),
                pipeline_id: id('The pipeline'),
                object: text('The object.'),
                records_extracted: count('Records read.'),
                records_loaded: count('Rows inserted or updated.'),
                credits_used: Type.Number({ minimum: 0, description: 'Credits spent.' }),
                credits_by_class: ref(CreditsByClass),
                bytes_staged: count('Bytes stored between reading and loading, uncompressed.'),
                lag_seconds: nullable(
                  Type.Number({ minimum: 0, description: 'The longest that its table was behind on that day, in seconds; null: not known.', examples: [840] }),
                ),
              },
              { description: 'What one object of one pipeline has come to on one day.' },
            ),
          ),
        ),
        { description: 'By day, newest first; then by pipeline and object.' },
      ),
    },
    { description: 'What was used.' },
  ),
);

export const Health = name(
  'Health',
  object(
    { status: Type.Unsafe<'ok' | 'unavailable'>({ type: 'string', enum: ['ok', 'unavailable'], description: 'Whether it is well.' }) },
    { description: 'The state of this process.' },
  ),
);

// Parts of requests, written out in each operation.
export const IdParams = Type.Object({ id: Type.String({ format: 'uuid', description: 'The resource’s id.' }) });
export const ObjectParams = Type.Object({
  id: Type.String({ format: 'uuid', description: 'The pipeline’s id.' }),
  object: Type.String({ description: 'The object’s name.' }),
});
export const ListQuery = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50, description: 'How many at most.' })),
  cursor: Type.Optional(Type.String({ description: 'The `next_cursor` of the page before.' })),
};
export const IfMatch = Type.Object({
  'if-match': Type.Optional(Type.String({ description: 'The `ETag` that the change is based on: it is refused if somebody changed the resource since.' })),
});
