import { listReports } from '@freshet/analytics';
import { AppError } from '@freshet/contracts';
import { beforeEach, describe, expect, test } from 'vitest';
import { createPipelineInput, useTestApi } from '../../test-support/api.ts';
import { buildModels } from '../../test-support/models.ts';

const api = useTestApi({ allowedAddresses: '127.0.0.0/8' });
const { call } = api;
const REPORT = 'tickets_created_resolved';

let pipeline: { readonly id: string };
let destination: { readonly id: string };
beforeEach(async () => {
  const created = await createPipelineInput(api);
  destination = created.destination;
  pipeline = await api.create('/v1/pipelines', created.input);
});

const run = (query = '', report = REPORT) => call('get', `/v1/pipelines/${pipeline.id}/reports/${report}${query}`);

/** Marks the models as refreshed, without building them. */
async function markRefreshed(): Promise<void> {
  await api.store.pipelines.update(pipeline.id, { analytics: true }, null);
  const task = await api.store.analytics.start(pipeline.id);
  await api.store.analytics.complete(task as NonNullable<typeof task>, { kind: 'built', tickets: 0, warnings: [] });
}

describe('GET /v1/pipelines/{id}/reports', () => {
  test('lists the definitions of all reports, and needs no models', async () => {
    const { body } = await call('get', `/v1/pipelines/${pipeline.id}/reports`).expect(200);
    expect(body.data.map(({ name }: { name: string }) => name)).toEqual(listReports().map(({ name }) => name));
    for (const report of body.data)
      expect(report).toMatchObject({
        title: expect.stringMatching(/./),
        description: expect.stringMatching(/./),
        sql: expect.stringMatching(/select .*"freshdesk_acme_analytics"\./s),
        columns: expect.arrayContaining([
          { name: expect.any(String), type: expect.any(String), description: expect.any(String) },
        ]),
      });
  });
});

describe('GET /v1/pipelines/{id}/reports/{report}', () => {
  test('returns rows, the definition and the arguments with their defaults', async () => {
    await buildModels({ pipeline }, api);
    const { body } = await run('?from=2026-01-01').expect(200);
    expect(body).toMatchObject({
      name: REPORT,
      arguments: { from: '2026-01-01', to: '2026-01-31', group_by: 'day', time_zone: null },
      rows: expect.any(Array),
      truncated: false,
      time_zone: 'UTC',
      refreshed_at: expect.stringMatching(/Z$/),
    });
    const today = new Date().toISOString().slice(0, 10);
    const { body: latest } = await run('?time_zone=Asia/Tokyo').expect(200);
    expect([latest.arguments.time_zone, latest.time_zone]).toEqual(['Asia/Tokyo', 'Asia/Tokyo']);
    expect(latest.arguments.from < today && today < latest.arguments.to).toBe(true);
  });

  test('returns CSV as a file', async () => {
    await buildModels({ pipeline }, api);
    const { headers, text } = await run('?format=csv&from=2026-01-01&to=2026-02-01').expect(200);
    expect(headers).toMatchObject({
      'content-type': 'text/csv; charset=utf-8',
      'content-disposition': `attachment; filename="freshdesk_acme-${REPORT}-2026-01-01-2026-02-01.csv"`,
      'freshet-truncated': 'false',
      'cache-control': 'no-store',
    });
    const { columns } = (await run('?from=2026-01-01&to=2026-02-01').expect(200)).body;
    expect(text.split('\r\n')[0]).toBe(columns.map(({ name }: { name: string }) => name).join(','));
  });

  test.each([
    ['an unknown group', '?group_by=mood', '/querystring/group_by', 'Valid values'],
    ['an unknown time zone', '?time_zone=Mars', '/querystring/time_zone', 'Europe/Berlin'],
    ['an empty interval', '?from=2026-01-01&to=2026-01-01', '/querystring/to', 'after from'],
    ['a reversed interval', '?from=2026-01-02&to=2026-01-01', '/querystring/to', 'after from'],
    ['an interval that is too long', '?from=2000-01-01&to=2026-01-01', '/querystring/from', '3660 days'],
    ['a day before 1970', '?from=1969-12-31&to=1970-01-02', '/querystring/from', '1970-01-01'],
    ['a day that does not exist', '?from=2026-02-30', '/querystring/from', 'date'],
    ['a time instead of a day', '?from=2026-02-03T00:00:00Z', '/querystring/from', 'date'],
    ['an unknown format', '?format=xml', '/querystring/format', 'json'],
    ['an unknown parameter', '?group=day', '/querystring', 'group'],
  ])('rejects %s, and returns a pointer to the parameter', async (_name, query, pointer, words) => {
    await markRefreshed();
    const { body } = await run(query).expect(400);
    expect(body.code).toBe('invalid_input');
    expect(body.errors[0].pointer).toContain(pointer);
    expect(body.detail).toContain(words);
  });

  test('reports all invalid parameters in one response', async () => {
    await markRefreshed();
    const { body } = await run('?group_by=mood&time_zone=Mars&from=2026-01-02&to=2026-01-01').expect(400);
    expect(body.errors).toHaveLength(3);
  });

  test('returns 404 for an unknown report, and lists the reports', async () => {
    const { body } = await run('', 'nonsense').expect(404);
    expect(body.detail).toContain(REPORT);
  });

  test('returns 409 while the models are off or do not exist yet, with the error of the last attempt', async () => {
    expect((await run().expect(409)).body.code).toBe('analytics_off');
    await api.store.pipelines.update(pipeline.id, { analytics: true }, null);
    expect((await run().expect(409)).body.code).toBe('analytics_not_ready');
    const task = await api.store.analytics.start(pipeline.id);
    const error = new AppError('warehouse_permission', 'The role lacks a permission.');
    await api.store.analytics.recordFailure(task as NonNullable<typeof task>, error);
    expect((await run().expect(409)).body).toMatchObject({
      code: 'analytics_not_ready',
      detail: expect.stringContaining('The role lacks a permission.'),
    });
  });

  test('returns 409 if a user has dropped the models', async () => {
    await markRefreshed();
    await api.sql`drop schema if exists freshdesk_acme_analytics cascade`;
    expect((await run().expect(409)).body.code).toBe('analytics_not_ready');
  });

  test('returns 502 while the warehouse is away, and 422 if it rejects the user or its address is not allowed', async () => {
    await markRefreshed();
    const move = (host: string, port: number) =>
      call('patch', `/v1/destinations/${destination.id}`).send({ host, port }).expect(200);
    const { body } = await call('get', `/v1/destinations/${destination.id}`).expect(200);
    await move('127.0.0.1', 1);
    expect((await run().expect(502)).body.code).toBe('warehouse_unavailable');
    await move('169.254.169.254', 5432);
    expect((await run().expect(422)).body.code).toBe('address_refused');
    await move(body.host, body.port);
    await call('patch', `/v1/destinations/${destination.id}`).send({ username: 'nobody_with_this_name' }).expect(200);
    expect((await run().expect(422)).body.code).toBe('warehouse_auth');
  });
});

describe('the permissions of reports', () => {
  test('a token without `read_reports` lists reports, but cannot run them', async () => {
    await markRefreshed();
    const { value } = await api.store.tokens.create({ name: 'o', role: 'observer', scopes: null, expires_at: null });
    await call('get', `/v1/pipelines/${pipeline.id}/reports`, value).expect(200);
    const { body } = await call('get', `/v1/pipelines/${pipeline.id}/reports/${REPORT}`, value).expect(403);
    expect(body).toMatchObject({ code: 'permission_denied', detail: expect.stringContaining('read_reports') });
  });
});
