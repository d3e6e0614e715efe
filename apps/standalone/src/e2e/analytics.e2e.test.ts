import type { Schemas } from '@freshet/client';
import { waitFor } from '@freshet/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Deployment } from '../test-support/deployment.ts';

const REPORT = 'tickets_created_resolved';
/** A period that contains all tickets of the simulated account. */
const PERIOD = 'from=2020-01-01&to=2029-12-31';

let deployment: Deployment;
let pipelineId: string;

beforeAll(async () => {
  deployment = await Deployment.start({ counts: { tickets: 120, contacts: 12 } });
  pipelineId = await deployment.createPipeline('demo-admin-key', null);
});
afterAll(() => deployment[Symbol.asyncDispose]());

type Problem = Schemas['Problem'];

async function get<T>(path: string): Promise<{ readonly status: number; readonly headers: Headers; readonly body: T }> {
  const response = await fetch(`${deployment.url}/v1/pipelines/${pipelineId}${path}`, {
    headers: { authorization: `Bearer ${deployment.token}` },
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') === true;
  return { status: response.status, headers: response.headers, body: (isJson ? JSON.parse(text) : text) as T };
}

const getPipeline = () => deployment.api.get('/v1/pipelines/{id}', { params: { path: { id: pipelineId } } });

async function countRows(table: string, condition = 'true'): Promise<number> {
  const [row] = await deployment.warehouse.sql.unsafe<{ n: number }[]>(
    `select count(*)::int as n from ${deployment.schema}_analytics.${table} where ${condition}`,
  );
  return row?.n ?? 0;
}

const countTriggers = async () =>
  (
    await deployment.warehouse.sql`
      select from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = ${deployment.schema} and not t.tgisinternal`
  ).length;

describe('analytics models', () => {
  test('a report is rejected while the models are off, and while they do not exist yet', async () => {
    expect(await get<Problem>(`/reports/${REPORT}`)).toMatchObject({ status: 409, body: { code: 'analytics_off' } });
    expect((await getPipeline()).analytics_refresh).toBeNull();
    await deployment.kill('load-worker');
    await deployment.updatePipeline(pipelineId, { analytics: true });
    expect((await getPipeline()).analytics_refresh).toMatchObject({ status: 'pending', refreshed_at: null });
    expect(await get<Problem>(`/reports/${REPORT}`)).toMatchObject({
      status: 409,
      body: { code: 'analytics_not_ready' },
    });
    await deployment.launch('load-worker');
  });

  test('are built after the first sync, and a report returns their rows as JSON and as CSV', async () => {
    expect((await deployment.sync(pipelineId)).status).toBe('succeeded');
    const refresh = await deployment.waitForRefresh(pipelineId);
    expect(refresh).toMatchObject({ status: 'succeeded', error: null });
    expect(await countRows('ticket_metrics')).toBe(120);
    const json = await get<Schemas['ReportResult']>(`/reports/${REPORT}?${PERIOD}&group_by=month`);
    expect(json.status, JSON.stringify(json.body)).toBe(200);
    expect(json.body).toMatchObject({ name: REPORT, truncated: false, arguments: { group_by: 'month' } });
    expect(json.body.rows.length).toBeGreaterThan(0);
    const created = json.body.rows.reduce((sum, row) => sum + Number(row['created']), 0);
    expect(created).toBe(await countRows('tickets', 'not is_spam and not is_merged and not is_deleted'));
    const csv = await get<string>(`/reports/${REPORT}?${PERIOD}&group_by=month&format=csv`);
    expect(csv.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(csv.headers.get('content-disposition')).toContain('attachment; filename="freshdesk_demo-');
    expect(csv.headers.get('freshet-truncated')).toBe('false');
    const params = { path: { id: pipelineId, report: REPORT } };
    const query = { from: '2020-01-01', to: '2029-12-31', group_by: 'month' };
    expect(
      (await deployment.api.get('/v1/pipelines/{id}/reports/{report}', { params: { ...params, query } })).rows,
    ).toEqual(json.body.rows);
    const text = await deployment.api.get('/v1/pipelines/{id}/reports/{report}', {
      params: { ...params, query: { ...query, format: 'csv' } },
      parseAs: 'text',
    });
    expect(text).toBe(csv.body);
    const [header, ...lines] = csv.body.trimEnd().split('\r\n');
    expect(header).toBe(json.body.columns.map(({ name }) => name).join(','));
    expect(lines).toHaveLength(json.body.rows.length);
  });

  test('contain a change after the next run', async () => {
    const before = await countRows('ticket_metrics');
    const id = deployment.simulator.account.create('tickets', { subject: 'A new ticket' });
    await deployment.sync(pipelineId);
    expect(await deployment.waitForRefresh(pipelineId)).toMatchObject({ status: 'succeeded', kind: 'refreshed' });
    expect(await countRows('ticket_metrics')).toBe(before + 1);
    expect(await countRows('ticket_metrics', `ticket_id = ${id}`)).toBe(1);
  });

  test('are refreshed by another worker if the worker is killed during the refresh (I8)', async () => {
    const { warehouse, schema, simulator } = deployment;
    const id = simulator.account.create('tickets', { subject: 'A ticket during the crash' });
    // The lock blocks the refresh, because it must write to the table.
    await warehouse.sql.begin(async (tx) => {
      await tx.unsafe(`lock table ${schema}_analytics.ticket_metrics in share mode`);
      await deployment.sync(pipelineId);
      await waitFor(async () => {
        const [row] = await warehouse.sql`
          select count(*)::int as n from pg_stat_activity
          where datname = ${warehouse.name} and wait_event_type = 'Lock'`;
        return (row?.['n'] as number) > 0;
      }, 'the refresh waits for the lock');
      await deployment.kill('load-worker');
    });
    await deployment.launch('load-worker');
    expect(await deployment.waitForRefresh(pipelineId)).toMatchObject({ status: 'succeeded', error: null });
    expect(await countRows('ticket_metrics', `ticket_id = ${id}`)).toBe(1);
  });

  test('that cannot be refreshed neither fail the run nor block loads, and the pipeline reports the error', async () => {
    const { warehouse, schema, simulator } = deployment;
    // The refresh fails with an error that a retry cannot fix.
    await warehouse.sql.unsafe(`
      alter table ${schema}_analytics.ticket_metrics add constraint blocked check (ticket_id < 0) not valid`);
    simulator.account.create('tickets', { subject: 'A ticket without metrics' });
    const run = await deployment.sync(pipelineId);
    expect(run.status).toBe('succeeded');
    const failing = await waitFor(async () => {
      const { analytics_refresh: refresh } = await getPipeline();
      return refresh?.error ? refresh : null;
    }, 'the pipeline reports the error');
    expect(failing.refreshed_at).not.toBeNull();
    expect((await deployment.sync(pipelineId)).status).toBe('succeeded');
    await warehouse.sql.unsafe(`alter table ${schema}_analytics.ticket_metrics drop constraint blocked`);
    await deployment.sync(pipelineId);
    expect(await deployment.waitForRefresh(pipelineId)).toMatchObject({ status: 'succeeded', error: null });
  });

  test('are refreshed when the warehouse is back, and a report fails while the warehouse is away', async () => {
    const { api } = deployment;
    const destinationParams = { path: { id: (await getPipeline()).destination_id } };
    const { port } = await api.get('/v1/destinations/{id}', { params: destinationParams });
    const move = (to: number) => api.patch('/v1/destinations/{id}', { params: destinationParams, body: { port: to } });
    await move(1);
    await deployment.updatePipeline(pipelineId, { analytics_time_zone: 'Eastern Time (US & Canada)' });
    await waitFor(
      async () => (await getPipeline()).analytics_refresh?.error?.code === 'warehouse_unavailable',
      'the pipeline reports the error',
    );
    expect(await get<Problem>(`/reports/${REPORT}`)).toMatchObject({
      status: 502,
      body: { code: 'warehouse_unavailable' },
    });
    await move(port);
    expect(await deployment.waitForRefresh(pipelineId)).toMatchObject({
      status: 'succeeded',
      kind: 'rebuilt',
      error: null,
    });
    expect((await get(`/reports/${REPORT}`)).status).toBe(200);
  });

  test('answer every report by every group, as JSON and as CSV', async () => {
    const { data: reports } = (await get<Schemas['ReportList']>('/reports')).body;
    expect(reports.length).toBeGreaterThan(8);
    for (const { name, group_by, columns } of reports)
      for (const group of group_by.length === 0 ? [null] : group_by) {
        const query = `${PERIOD}${group === null ? '' : `&group_by=${group}`}`;
        const json = await get<Schemas['ReportResult']>(`/reports/${name}?${query}`);
        expect(json.status, `${name} by ${group}: ${JSON.stringify(json.body)}`).toBe(200);
        expect(json.body.arguments.group_by).toBe(group);
        const csv = await get<string>(`/reports/${name}?${query}&format=csv&time_zone=Asia/Tokyo`);
        expect(csv.body.split('\r\n')[0], name).toBe(columns.map((column) => column.name).join(','));
      }
  });

  test('do not contain an erased person, even before the next run', async () => {
    const { warehouse, schema, api } = deployment;
    const [person] = await warehouse.sql.unsafe<{ id: string; tickets: string[] }[]>(
      `select requester_id::text as id, array_agg(id::text) as tickets from ${schema}.tickets
       where not requester_id in (select id from ${schema}.agents) group by 1 order by count(*) desc limit 1`,
    );
    const { id, tickets } = person as { id: string; tickets: string[] };
    const isOfPerson = `ticket_id = any('{${tickets.join(',')}}')`;
    expect(await countRows('ticket_metrics', isOfPerson)).toBe(tickets.length);
    const erasure = await api.post('/v1/pipelines/{id}/erasures', {
      params: { path: { id: pipelineId } },
      body: { contact_id: id },
    });
    const params = { path: { id: pipelineId, erasure_id: erasure.id } };
    const finished = await waitFor(async () => {
      const current = await api.get('/v1/pipelines/{id}/erasures/{erasure_id}', { params });
      return current.finished_at === null ? null : current;
    }, 'the erasure has finished');
    expect(finished).toMatchObject({ status: 'completed', proof: { model_rows: 0 } });
    for (const table of ['ticket_metrics', 'ticket_status_periods', 'responses', 'sla_targets'])
      expect(await countRows(table, isOfPerson), table).toBe(0);
    expect(await deployment.waitForRefresh(pipelineId)).toMatchObject({ status: 'succeeded' });
  });

  test('remain in the warehouse without change tracking after they are switched off, and an erasure still removes their rows', async () => {
    const { warehouse, schema, api } = deployment;
    expect(await countTriggers()).toBeGreaterThan(0);
    await deployment.updatePipeline(pipelineId, { analytics: false });
    await waitFor(async () => (await countTriggers()) === 0, 'the triggers are removed');
    expect(await countRows('ticket_metrics')).toBeGreaterThan(0);
    expect(await get<Problem>(`/reports/${REPORT}`)).toMatchObject({ status: 409, body: { code: 'analytics_off' } });
    const [person] = await warehouse.sql.unsafe<{ id: string; tickets: string[] }[]>(
      `select requester_id::text as id, array_agg(id::text) as tickets from ${schema}.tickets
       where not requester_id in (select id from ${schema}.agents) group by 1 order by count(*) desc limit 1`,
    );
    const { id, tickets } = person as { id: string; tickets: string[] };
    const erasure = await api.post('/v1/pipelines/{id}/erasures', {
      params: { path: { id: pipelineId } },
      body: { contact_id: id },
    });
    const params = { path: { id: pipelineId, erasure_id: erasure.id } };
    await waitFor(async () => {
      const current = await api.get('/v1/pipelines/{id}/erasures/{erasure_id}', { params });
      return current.status === 'completed';
    }, 'the erasure has completed');
    expect(await countRows('ticket_metrics', `ticket_id = any('{${tickets.join(',')}}')`)).toBe(0);
  });
});
