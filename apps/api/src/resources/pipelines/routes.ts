import { AppError, columnName, type FieldRules, toAppError } from '@freshet/contracts';
import {
  findScheduleProblems,
  type ObjectChoice,
  type PipelineFilter,
  type Pipeline as StoredPipeline,
} from '@freshet/control-store';
import {
  catalogue,
  fixedFields,
  isObjectName,
  type ObjectSpec,
  objectNamed,
  objectsToRead,
  parseSubdomain,
  positionFrom,
  probeConnection,
} from '@freshet/freshdesk-extractor';
import { type Static, Type } from 'typebox';
import type { App, Deps, Frequency } from '../../app.ts';
import { type Account, asking } from '../../http/connection-tests.ts';
import { type FieldProblem, pointerSegment, problemsFrom } from '../../http/field-problems.ts';
import { answer, expectedVersion, operation, problems, withEtag } from '../../http/operation.ts';
import { resourceRoutes } from '../../http/resource-routes.ts';
import { IdParams, IfMatch, ref } from '../../http/schemas.ts';
import { PipelineTestInput, PipelineVerdict } from '../accounts/schemas.ts';
import { opened } from '../destinations/routes.ts';
import { Pipeline, PipelineChange, PipelineInput, PipelineList, PipelineStatus } from './schemas.ts';

const tags = ['pipelines'];

export function pipelineRoutes(app: App, deps: Deps): void {
  const { store } = deps;
  const { pipelines } = store;
  resourceRoutes<StoredPipeline>(app, {
    path: 'pipelines',
    noun: 'Pipeline',
    plural: 'Pipelines',
    tag: 'pipelines',
    manage: 'manage_pipelines',
    said: {
      create: ['Make a pipeline', 'Its first run starts at once.'],
      list: ['List pipelines', 'Newest first.'],
      get: ['Read a pipeline', 'As it was made or last changed.'],
      change: ['Change a pipeline', 'Takes effect with the next run.'],
      delete: ['Delete a pipeline', 'Its tables in the warehouse stay: they are yours.'],
    },
    shapes: { input: PipelineInput, change: PipelineChange, output: Pipeline, list: PipelineList },
    filters: {
      name: Type.Optional(Type.String({ description: 'Only the one of this name.' })),
      status: Type.Optional(
        Type.Unsafe<string>({ ...PipelineStatus, $id: undefined, description: 'Only those in this state.' }),
      ),
      subdomain: Type.Optional(Type.String({ description: 'Only those of this account, as `acme`.', maxLength: 255 })),
      destination_id: Type.Optional(Type.String({ format: 'uuid', description: 'Only those into this warehouse.' })),
    },
    create: (body: Static<typeof PipelineInput>) => createdPipeline(deps, body),
    list: (options, filter: PipelineFilter) => pipelines.list(options, filter),
    get: (id) => pipelines.get(id),
    findProblems: (input: PartialPipeline) => findPipelineProblems(deps, input),
    normalize: withPlainSubdomain,
    change: (id, body: Static<typeof PipelineChange>, expected) => changedPipeline(deps, id, body, expected),
    delete: (id, expected) => pipelines.delete(id, expected),
    toJson: pipelineJson,
  });

  for (const [verb, status, description] of [
    ['pause', 'paused', 'No run starts, and the one under way reads no further. What is stored is still loaded.'],
    ['resume', 'active', 'Runs start again when they are due, and the one under way goes on where it stood.'],
  ] as const) {
    app.post(
      `/v1/pipelines/:id/${verb}`,
      {
        config: {
          permission: 'run',
          before: async (request) => pipelineJson(await pipelines.get((request.params as { id: string }).id)),
        },
        schema: {
          ...operation({
            operationId: `${verb}Pipeline`,
            tags,
            summary: `${verb === 'pause' ? 'Pause' : 'Resume'} a pipeline`,
            description,
          }),
          params: IdParams,
          headers: IfMatch,
          response: { 200: answer('The pipeline.', Pipeline), ...problems(404, 412) },
        },
      },
      async (request, reply) => {
        const changed = await store.pipelines.setStatus(request.params.id, status, expectedVersion(request.headers));
        if (status === 'active') await store.runs.resume(changed.id);
        withEtag(reply, changed.version);
        return pipelineJson(changed);
      },
    );
  }

  app.post(
    '/v1/pipelines/test',
    {
      config: {
        permission: 'manage_pipelines',
        changesNothing: true,
        findProblems: async (_request, { subdomain }: { subdomain?: string }) =>
          subdomain === undefined ? [] : problemsFrom('/subdomain', () => parseSubdomain(subdomain)),
      },
      schema: {
        ...operation({
          operationId: 'testAccount',
          tags,
          summary: 'Try an account and a key',
          description:
            'Before a pipeline is made. Spends one credit for the key and one for each object. A key that does not work is an answer, not an error.',
        }),
        body: ref(PipelineTestInput),
        response: { 200: answer('The verdict.', PipelineVerdict), ...problems(404) },
      },
    },
    async (request) => {
      const subdomain = parseSubdomain(request.body.subdomain);
      return testAccount(deps, { subdomain, credential_id: request.body.credential_id, credit_share_percent: 100 });
    },
  );

  app.post(
    '/v1/pipelines/:id/test',
    {
      config: { permission: 'manage_pipelines', changesNothing: true },
      schema: {
        ...operation({
          operationId: 'testPipeline',
          tags,
          summary: 'Try a pipeline’s account and key',
          description: 'Spends one credit for the key and one for each object.',
        }),
        params: IdParams,
        response: { 200: answer('The verdict.', PipelineVerdict), ...problems(404) },
      },
    },
    async (request) => {
      const pipeline = await store.pipelines.get(request.params.id);
      return testAccount(deps, pipeline);
    },
  );
}

/** An input or a change of a pipeline, of which fields may be missing. */
export interface PartialPipeline {
  readonly source?: { readonly subdomain?: string; readonly credential_id?: string };
  readonly destination_id?: string;
  readonly destination_schema?: string;
  readonly frequency_minutes?: number;
  readonly schedule?: { readonly cron?: string; readonly time_zone?: string } | null;
  readonly objects?: Readonly<Record<string, Partial<ObjectChoice>>>;
}

/** Finds everything that the schemas cannot express: names, times, and references. */
export async function findPipelineProblems(
  { store, frequency = USUAL_FREQUENCY }: Deps,
  input: PartialPipeline,
): Promise<FieldProblem[]> {
  const { source, destination_id, destination_schema, frequency_minutes, schedule, objects } = input;
  const { subdomain, credential_id } = source ?? {};
  return [
    ...(subdomain === undefined ? [] : problemsFrom('/source/subdomain', () => parseSubdomain(subdomain))),
    ...(destination_schema === undefined ? [] : findSchemaProblems(destination_schema)),
    ...(frequency_minutes === undefined ? [] : findFrequencyProblems(frequency_minutes, frequency)),
    ...(schedule ? findScheduleProblems(schedule, frequency.min) : []),
    ...(objects === undefined ? [] : findObjectProblems(objects)),
    ...(await store.pipelines.findReferenceProblems({
      ...(credential_id === undefined ? {} : { credential_id }),
      ...(destination_id === undefined ? {} : { destination_id }),
    })),
  ];
}

/** A change whose subdomain, if it has one, is spelled as it is stored. */
export function withPlainSubdomain<T extends PartialPipeline>(body: T): T {
  const { subdomain } = body.source ?? {};
  if (subdomain === undefined || problemsFrom('/source/subdomain', () => parseSubdomain(subdomain)).length > 0)
    return body;
  return { ...body, source: { ...body.source, subdomain: parseSubdomain(subdomain) } };
}

/** @param body without problems. @throws AppError `conflict` with a pointer to what is wrong. */
export async function createdPipeline(
  deps: Deps,
  { source, ...body }: Static<typeof PipelineInput>,
): Promise<StoredPipeline> {
  const { store, frequency = USUAL_FREQUENCY } = deps;
  const subdomain = parseSubdomain(source.subdomain);
  const made = await store.pipelines.create({
    name: body.name,
    subdomain,
    credential_id: source.credential_id,
    historical_sync_days: source.historical_sync_days === undefined ? 30 : source.historical_sync_days,
    credit_share_percent: source.credit_share_percent ?? 80,
    destination_id: body.destination_id,
    destination_schema: body.destination_schema ?? `freshdesk_${subdomain.replaceAll('-', '_')}`.slice(0, 63),
    table_prefix: body.table_prefix ?? '',
    frequency_minutes: body.frequency_minutes ?? frequency.default,
    audit_frequency_days: body.audit_frequency_days === undefined ? 7 : body.audit_frequency_days,
    objects: body.objects ?? {},
    schema_policy: body.schema_policy ?? 'evolve',
    priority: body.priority ?? 'normal',
    schedule: body.schedule ?? null,
    record_spike: body.record_spike ?? null,
    monthly_quota: body.monthly_quota ?? null,
  });
  if (body.adopt === true) await adoptTables(deps, made);
  return made;
}

/** @throws AppError `conflict` where there is nothing to go on from, or it cannot be seen. */
async function adoptTables(deps: Deps, pipeline: StoredPipeline): Promise<void> {
  const { pipelines, destinations } = deps.store;
  const refuse = (why: string) => new AppError('conflict', `adopt: ${why}`, { context: { pointer: '/adopt' } });
  const destination = await destinations.get(pipeline.destination_id);
  const tables = await opened(deps, destination, (warehouse) =>
    warehouse.reached(pipeline.destination_schema, pipeline.table_prefix),
  ).catch((error: unknown) => {
    throw refuse(toAppError(error).message);
  });
  if (tables.length === 0)
    throw refuse(
      `${pipeline.destination_schema} holds no tables that say how far they are complete. Make the pipeline without it.`,
    );
  const known = tables.filter(({ object }) => isObjectName(object));
  await pipelines.adopt(
    pipeline.id,
    known.flatMap(({ object, completeAsOf, completeBackTo }) => {
      const position = positionFrom(objectNamed(object), completeBackTo, completeAsOf);
      return position === null ? [] : [{ object, position, completeAsOf, completeBackTo }];
    }),
  );
}

/** A pipeline as it is after a change. @param body without problems. @throws AppError as `createdPipeline`. */
export async function changedPipeline(
  { store: { pipelines } }: Deps,
  id: string,
  { source = {}, ...body }: Static<typeof PipelineChange>,
  expected: number | null,
): Promise<StoredPipeline> {
  return pipelines.change(id, { ...body, ...source }, expected);
}

/** What the key sees of the account. One that does not work is an answer. */
export async function testAccount(deps: Deps, account: Account) {
  const { subdomain } = account;
  try {
    const verdict = await asking(deps, account, (client) => probeConnection(client, catalogue));
    return {
      ok: verdict.objects.some((o) => o.verdict === 'available'),
      subdomain,
      agent: { id: verdict.agent.id, name: verdict.agent.name, ticket_scope: verdict.agent.ticketScope },
      sees_all_tickets: verdict.seesAllTickets,
      limits: (await deps.store.budgets.read(subdomain)).map((b) => ({
        bucket: b.bucket,
        credits_per_minute: b.total,
      })),
      objects: verdict.objects.map(({ changedSinceFilter, ...o }) => ({
        ...o,
        changed_since_filter: changedSinceFilter,
      })),
      error: null,
    };
  } catch (thrown) {
    const error = toAppError(thrown);
    if (error.code === 'not_found' || error.code === 'invalid_input') throw error;
    return {
      ok: false,
      subdomain,
      agent: null,
      limits: [],
      sees_all_tickets: false,
      objects: [],
      error: { code: error.code, message: error.message },
    };
  }
}

/** As in Hevo. A deployment may allow more. */
const USUAL_FREQUENCY: Frequency = { min: 30, default: 360 };

function findFrequencyProblems(minutes: number, { min }: Frequency): FieldProblem[] {
  const isShort = minutes >= min && minutes <= 30 && minutes % 5 === 0;
  if (isShort || (minutes % 60 === 0 && minutes >= 60 && minutes <= 1440)) return [];
  const short = min < 30 ? `${min} to 30 in steps of 5` : '30';
  const detail = `frequency_minutes must be ${short}, or a whole number of hours up to 24 (60, 120, … 1440); it is ${minutes}.`;
  return [{ pointer: '/frequency_minutes', detail }];
}

function findSchemaProblems(schema: string): FieldProblem[] {
  if (!schema.startsWith('pg_') && schema !== 'information_schema') return [];
  return [
    { pointer: '/destination_schema', detail: 'destination_schema: PostgreSQL keeps schemas of this name for itself.' },
  ];
}

/** Finds unknown objects, choices that an object does not have, and that no object is included. */
export function findObjectProblems(choices: Readonly<Record<string, Partial<ObjectChoice>>>): FieldProblem[] {
  const problems: FieldProblem[] = [];
  const complete: Record<string, ObjectChoice> = {};
  for (const [name, choice] of Object.entries(choices)) {
    const pointer = `/objects/${pointerSegment(name)}`;
    if (!isObjectName(name)) {
      problems.push({
        pointer,
        detail: `objects: there is no object "${name}". Known objects: ${catalogue.map((o) => o.name).join(', ')}.`,
      });
      continue;
    }
    const object = objectNamed(name);
    complete[name] = { included: object.includedByDefault, ...choice };
    if (choice.detail === true && (object.single?.columns ?? []).length === 0) {
      const able = catalogue.filter((o) => (o.single?.columns ?? []).length > 0).map((o) => o.name);
      problems.push({
        pointer: `${pointer}/detail`,
        detail: `objects: ${name} has nothing that only detail shows. Objects that have: ${able.join(', ')}.`,
      });
    }
    problems.push(...findFieldProblems(object, choice.columns ?? {}));
  }
  if (objectsToRead(complete).length === 0)
    problems.push({ pointer: '/objects', detail: 'objects: at least one must be included.' });
  return problems;
}

/** Finds rules for fields that cannot be changed, and names that are taken: one problem for each field. */
function findFieldProblems(object: ObjectSpec, rules: FieldRules): FieldProblem[] {
  const taken = new Set(object.columns.map((c) => c.name));
  return Object.entries(rules).flatMap(([field, rule]) => {
    const why = findFieldProblem(object, field, rule, taken);
    if (rule.rename !== undefined) taken.add(rule.rename);
    if (why === null) return [];
    return [
      {
        pointer: `/objects/${object.name}/columns/${pointerSegment(field)}`,
        detail: `objects.${object.name}.columns.${field}: ${why}`,
      },
    ];
  });
}

function findFieldProblem(
  object: ObjectSpec,
  field: string,
  { rename, drop, hash }: FieldRules[string],
  taken: ReadonlySet<string>,
): string | null {
  const custom = object.customFields?.field;
  if (fixedFields(object).includes(field)) return 'reading and loading stand on it; it stays as it is.';
  if (field === custom && (drop === true || hash === true)) return `name the fields in it: ${field}.cf_….`;
  if (drop === true && (hash === true || rename !== undefined))
    return 'a field that is dropped is neither hashed nor renamed.';
  if (rename === undefined) return null;
  if (columnName(rename) !== rename)
    return `rename: "${rename}" is a name that PostgreSQL or Freshet keeps for itself.`;
  if (taken.has(rename)) return `rename: there is a column "${rename}" already.`;
  return field.includes('.') && !field.startsWith(`${custom}.`)
    ? 'rename: only fields with a column of their own have a name.'
    : null;
}

export function pipelineJson(p: StoredPipeline) {
  return {
    id: p.id,
    name: p.name,
    source: {
      type: 'freshdesk' as const,
      subdomain: p.subdomain,
      credential_id: p.credential_id,
      historical_sync_days: p.historical_sync_days,
      credit_share_percent: p.credit_share_percent,
    },
    destination_id: p.destination_id,
    destination_schema: p.destination_schema,
    table_prefix: p.table_prefix,
    frequency_minutes: p.frequency_minutes,
    audit_frequency_days: p.audit_frequency_days,
    objects: p.objects,
    schema_policy: p.schema_policy,
    priority: p.priority,
    schedule: p.schedule,
    record_spike: p.record_spike,
    monthly_quota: p.monthly_quota,
    status: p.status,
    paused_by: p.paused_by,
    next_run_at: p.next_run_at.toISOString(),
    next_audit_at: p.audit_frequency_days === null ? null : p.next_audit_at.toISOString(),
    created_at: p.created_at.toISOString(),
    updated_at: p.updated_at.toISOString(),
  };
}
