import { type Column, toAppError } from '@freshet/contracts';
import type { Pipeline } from '@freshet/control-store';
import { getObject, listCustomColumns, listObjectsToExtract, toTable } from '@freshet/freshdesk-extractor';
import type { Static } from 'typebox';
import { withFreshdeskClient } from '../../connections/freshdesk.ts';
import { withWarehouse } from '../../connections/warehouse.ts';
import type { Deps } from '../../context.ts';
import { testDestination } from '../destinations/connection-test.ts';
import { estimateRunCost } from '../estimates/estimate.ts';
import { testAccount } from '../pipelines/connection-test.ts';
import type { PipelinePlan } from './schemas.ts';

/**
 * Runs `work` in a transaction and rolls the transaction back. A preview is therefore rejected for
 * the same reasons as the request that it previews.
 */
export async function dryRun<T>(store: Deps['store'], work: () => Promise<T>): Promise<T> {
  const outcome: { result?: T } = {};
  const rollback = new Error('rollback');
  try {
    await store.transaction(async () => {
      outcome.result = await work();
      throw rollback;
    });
  } catch (error) {
    if (error !== rollback) throw error;
  }
  return outcome.result as T;
}

/**
 * Builds the preview of a pipeline: the tests of the account and the destination, the SQL that
 * creates or changes tables, and the estimate of the next run.
 */
export async function buildPlan(deps: Deps, pipeline: Pipeline): Promise<Static<typeof PipelinePlan>> {
  const account = await testAccount(deps, pipeline);
  const destination = await deps.store.destinations.get(pipeline.destination_id);
  const { destination_schema: schema, table_prefix: prefix } = pipeline;
  const destinationTest = await testDestination(deps, destination, schema);
  const names = listObjectsToExtract(pipeline.objects).map(({ name }) => name);
  const customColumns = account.ok
    ? await withFreshdeskClient(deps, pipeline, async (client) => new Map(await listAllCustomColumns(client, names)))
    : new Map<string, Column[]>();
  const tables = names.map((name) =>
    toTable(getObject(name), customColumns.get(name) ?? [], pipeline.objects[name]?.columns ?? {}),
  );
  const schemaPlan =
    destinationTest.error === null
      ? await withWarehouse(deps, destination, (warehouse) => warehouse.plan(schema, prefix, tables))
      : null;
  return {
    account,
    destination: destinationTest,
    statements: [...(schemaPlan?.statements ?? [])],
    tables: (schemaPlan?.tables ?? []).map(({ table, exists, statements }, i) => ({
      object: names[i] as string,
      table,
      exists,
      statements: [...statements],
    })),
    estimate: account.ok ? await estimateRunCost(deps, pipeline, null).catch(ignoreSourceErrors) : null,
  };
}

type FreshdeskReader = Parameters<typeof listCustomColumns>[0];

async function listAllCustomColumns(client: FreshdeskReader, names: readonly string[]): Promise<[string, Column[]][]> {
  const columns: [string, Column[]][] = [];
  for (const name of names) columns.push([name, await listCustomColumns(client, getObject(name))]);
  return columns;
}

/**
 * Omits the estimate if a request to Freshdesk fails, because the rest of the preview is still
 * useful.
 * @throws the error, if it is not an error of Freshdesk.
 */
function ignoreSourceErrors(error: unknown): null {
  const { code } = toAppError(error);
  if (code.startsWith('source_') || code === 'out_of_credits') return null;
  throw error;
}
