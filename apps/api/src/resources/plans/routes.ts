import { type Column, toAppError } from '@freshet/contracts';
import type { Pipeline } from '@freshet/control-store';
import { customColumnsOf, objectNamed, objectsToRead, tableOf } from '@freshet/freshdesk-extractor';
import type { Static } from 'typebox';
import type { App, Deps } from '../../app.ts';
import { asking } from '../../http/connection-tests.ts';
import { answer, operation, problems } from '../../http/operation.ts';
import { compareWithCurrent } from '../../http/read-only-fields.ts';
import { IdParams, ref } from '../../http/schemas.ts';
import { opened, testDestination } from '../destinations/routes.ts';
import { estimateFor } from '../estimates/routes.ts';
import {
  changedPipeline,
  createdPipeline,
  findPipelineProblems,
  type PartialPipeline,
  pipelineJson,
  testAccount,
  withPlainSubdomain,
} from '../pipelines/routes.ts';
import { PipelineChange, PipelineInput } from '../pipelines/schemas.ts';
import { PipelinePlan } from './schemas.ts';

const description =
  'Nothing is written, here or in the warehouse. Tells which tables and columns would be made, by which statements; what the key sees of each object; and what the first sync would cost. Spends some credits for that: one for the key and each object, and a few for the estimate. What the real request would be refused for, this one is refused for as well.';

/** Dry runs: what making or changing a pipeline would come to. */
export function planRoutes(app: App, deps: Deps): void {
  const { store } = deps;

  app.post(
    '/v1/pipelines/plan',
    {
      config: {
        permission: 'manage_pipelines',
        changesNothing: true,
        findProblems: (_request, body: PartialPipeline) => findPipelineProblems(deps, body),
      },
      schema: {
        ...operation({
          operationId: 'planPipeline',
          tags: ['pipelines'],
          summary: 'What making a pipeline would come to',
          description,
        }),
        body: ref(PipelineInput),
        response: { 200: answer('What would happen.', PipelinePlan) },
      },
    },
    async ({ body }) => planOf(deps, await asIf(store, () => createdPipeline(deps, body))),
  );

  app.post(
    '/v1/pipelines/:id/plan',
    {
      config: {
        permission: 'manage_pipelines',
        changesNothing: true,
        findProblems: async ({ params }, body: PartialPipeline) => {
          const { changes, problems } = compare(await store.pipelines.get((params as { id: string }).id), body);
          return [...problems, ...(await findPipelineProblems(deps, changes))];
        },
      },
      schema: {
        ...operation({
          operationId: 'planPipelineChange',
          tags: ['pipelines'],
          summary: 'What changing a pipeline would come to',
          description,
        }),
        params: IdParams,
        body: ref(PipelineChange),
        response: { 200: answer('What would happen.', PipelinePlan), ...problems(404) },
      },
    },
    async ({ params, body }) => {
      const { changes } = compare(await store.pipelines.get(params.id), body);
      return planOf(deps, await asIf(store, () => changedPipeline(deps, params.id, changes, null)));
    },
  );
}

function compare(current: Pipeline, body: PartialPipeline) {
  return compareWithCurrent(PipelineChange, pipelineJson(current), withPlainSubdomain(body), current.created_at);
}

/** Does it, and undoes it: so that it is refused for exactly what it would be refused for. */
async function asIf<T>(store: Deps['store'], work: () => Promise<T>): Promise<T> {
  const outcome: { done?: T } = {};
  const undone = new Error('undone');
  try {
    await store.transaction(async () => {
      outcome.done = await work();
      throw undone;
    });
  } catch (error) {
    if (error !== undone) throw error;
  }
  return outcome.done as T;
}

async function planOf(deps: Deps, pipeline: Pipeline): Promise<Static<typeof PipelinePlan>> {
  const { store } = deps;
  const account = await testAccount(deps, pipeline);
  const destination = await store.destinations.get(pipeline.destination_id);
  const warehouse = await testDestination(deps, destination, pipeline.destination_schema);
  const names = objectsToRead(pipeline.objects).map(({ name }) => name);
  const custom = account.ok
    ? await asking(deps, pipeline, async (client) => new Map(await customColumns(client, names)))
    : new Map<string, Column[]>();
  const tables = names.map((name) =>
    tableOf(objectNamed(name), custom.get(name) ?? [], pipeline.objects[name]?.columns ?? {}),
  );
  const planned =
    warehouse.error === null
      ? await opened(deps, destination, (w) => w.plan(pipeline.destination_schema, pipeline.table_prefix, tables))
      : null;
  return {
    account,
    destination: warehouse,
    statements: [...(planned?.statements ?? [])],
    tables: (planned?.tables ?? []).map(({ table, exists, statements }, i) => ({
      object: names[i] as string,
      table,
      exists,
      statements: [...statements],
    })),
    estimate: account.ok ? await estimateFor(deps, pipeline, null).catch(nothingIfRefused) : null,
  };
}

type Asker = Parameters<typeof customColumnsOf>[0];

async function customColumns(client: Asker, names: readonly string[]): Promise<[string, Column[]][]> {
  const columns: [string, Column[]][] = [];
  for (const name of names) columns.push([name, await customColumnsOf(client, objectNamed(name))]);
  return columns;
}

/** An account that answers the one and not the other: the rest of the plan is worth having. Only what Freshdesk has refused is passed over. */
function nothingIfRefused(error: unknown): null {
  const { code } = toAppError(error);
  if (code.startsWith('source_') || code === 'out_of_credits') return null;
  throw error;
}
