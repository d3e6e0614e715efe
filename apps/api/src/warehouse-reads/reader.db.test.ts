import { listReports, type Report } from '@freshet/analytics';
import type { Pipeline } from '@freshet/control-store';
import { createOutboundPolicy, Metrics } from '@freshet/runtime';
import { beforeAll, describe, expect, test } from 'vitest';
import { runPipelineReport } from '../resources/reports/run.ts';
import { createPipelineInput, useTestApi } from '../test-support/api.ts';
import { buildModels } from '../test-support/models.ts';
import { type ReadLimits, WarehouseReader } from './reader.ts';

const api = useTestApi({ allowedAddresses: '127.0.0.0/8', resetsBeforeEach: false });
const ARGUMENTS = { from: '2026-01-01', to: '2026-02-01', groupBy: null, timeZone: null };

let pipeline: Pipeline;
let report: Report;

beforeAll(async () => {
  const { input } = await createPipelineInput(api);
  const { id } = await api.create('/v1/pipelines', input);
  await buildModels({ pipeline: { id } }, api);
  pipeline = await api.store.pipelines.get(id);
  report = listReports().find(({ name }) => name === 'tickets_created_resolved') as Report;
});

function createReader(limits: Partial<ReadLimits>): WarehouseReader {
  const deps = {
    store: api.store,
    originTemplate: null,
    isDraining: () => false,
    outboundPolicy: createOutboundPolicy('127.0.0.0/8'),
    metrics: new Metrics('api'),
    requestsPerMinute: 1,
    help: { folder: '' },
  };
  return new WarehouseReader(deps, limits);
}

/** Blocks all queries of the report while `work` runs. */
async function blockQueries<T>(work: () => Promise<T>): Promise<T> {
  const result = await api.sql.begin(async (tx) => {
    await tx`lock table freshdesk_acme_analytics.ticket_status_periods in access exclusive mode`;
    return { value: await work() };
  });
  return (result as { value: T }).value;
}

const countBlocked = async () =>
  (
    await api.sql`
      select from pg_stat_activity where datname = ${api.databaseName} and wait_event_type = 'Lock'`
  ).length;

describe('WarehouseReader', () => {
  test('runs a limited number of queries in a warehouse concurrently, and the other queries wait', async () => {
    const reader = createReader({ concurrency: 2, waitingMax: 3 });
    const run = () => runPipelineReport(reader, pipeline, report, ARGUMENTS);
    const running = await blockQueries(async () => {
      const started = Array.from({ length: 5 }, run);
      await expect.poll(countBlocked, { timeout: 10_000 }).toBe(2);
      await expect(run()).rejects.toMatchObject({ code: 'warehouse_busy', retryAfterMs: 5000 });
      expect(await countBlocked()).toBe(2);
      return { started };
    });
    expect(await Promise.all(running.started)).toHaveLength(5);
    await expect(run()).resolves.toMatchObject({ truncated: false });
  });

  test('returns `query_timeout` when the server cancels a statement, and `report_timeout` for a report', async () => {
    const reader = createReader({ timeoutMs: 100 });
    await blockQueries(async () => {
      await expect(runPipelineReport(reader, pipeline, report, ARGUMENTS)).rejects.toMatchObject({
        code: 'report_timeout',
        message: expect.stringContaining('0.1 seconds'),
      });
    });
    const sleep = reader.read(pipeline.destination_id, (transaction) => transaction`select pg_sleep(60)`);
    await expect(sleep).rejects.toMatchObject({
      code: 'query_timeout',
      message: expect.stringContaining('0.1 seconds'),
    });
  });

  test('rejects every statement that writes, and resolves unqualified names only in the system catalog', async () => {
    const reader = createReader({});
    await api.sql`create table if not exists public.notes (note text)`;
    const read = (statement: string) =>
      reader.read(pipeline.destination_id, (transaction) => transaction.unsafe(statement));
    await expect(read('create table public.t ()')).rejects.toMatchObject({ cause: { code: '25006' } });
    await expect(read("insert into public.notes values ('x')")).rejects.toMatchObject({ cause: { code: '25006' } });
    await expect(read('select * from notes')).rejects.toMatchObject({ cause: { code: '42P01' } });
    expect(await read('select * from public.notes')).toHaveLength(0);
  });
});
