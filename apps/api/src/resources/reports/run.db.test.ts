import { listReports, type Report } from '@freshet/analytics';
import type { Pipeline } from '@freshet/control-store';
import { createOutboundPolicy, Metrics } from '@freshet/runtime';
import { beforeAll, describe, expect, test } from 'vitest';
import { createPipelineInput, useTestApi } from '../../test-support/api.ts';
import { buildModels } from '../../test-support/models.ts';
import { type ReportLimits, ReportRunner } from './run.ts';

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

function createRunner(limits: Partial<ReportLimits>): ReportRunner {
  const deps = {
    store: api.store,
    originTemplate: null,
    isDraining: () => false,
    outboundPolicy: createOutboundPolicy('127.0.0.0/8'),
    metrics: new Metrics('api'),
    requestsPerMinute: 1,
    help: { folder: '' },
  };
  return new ReportRunner(deps, limits);
}

/** Blocks all reports while `work` runs. */
async function blockReports<T>(work: () => Promise<T>): Promise<T> {
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

describe('ReportRunner', () => {
  test('runs a limited number of reports in a warehouse concurrently, and the other reports wait', async () => {
    const runner = createRunner({ concurrency: 2, waitingMax: 3 });
    const running = await blockReports(async () => {
      const started = Array.from({ length: 5 }, () => runner.run(pipeline, report, ARGUMENTS));
      await expect.poll(countBlocked, { timeout: 10_000 }).toBe(2);
      await expect(runner.run(pipeline, report, ARGUMENTS)).rejects.toMatchObject({
        code: 'warehouse_busy',
        retryAfterMs: 5000,
      });
      expect(await countBlocked()).toBe(2);
      return { started };
    });
    expect(await Promise.all(running.started)).toHaveLength(5);
    await expect(runner.run(pipeline, report, ARGUMENTS)).resolves.toMatchObject({ truncated: false });
  });

  test('returns `report_timeout` when the server cancels the query', async () => {
    const runner = createRunner({ timeoutMs: 100 });
    await blockReports(async () => {
      await expect(runner.run(pipeline, report, ARGUMENTS)).rejects.toMatchObject({
        code: 'report_timeout',
        message: expect.stringContaining('0.1 seconds'),
      });
    });
  });
});
