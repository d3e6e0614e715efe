import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { useTestApi } from '../../test-support/api.ts';

const api = useTestApi();
const { call } = api;

/** Creates a pipeline, and a run whose two objects have this usage. @returns the pipeline's id. */
async function insertUsage(
  name: string,
  { records, credits }: { readonly records: number; readonly credits: number },
): Promise<string> {
  const pipeline = await api.createPipeline(name);
  const objects = ['roles', 'groups'].map((object) => ({ name: object, creditClass: 'incremental' as const }));
  const { id } = await api.store.runs.start(pipeline.id, 'manual', objects);
  await api.sql`update freshet.object_runs set records_extracted = ${records}, records_inserted = ${records},
    credits_used = ${credits}, credits_by_class = array[0, ${credits}, 0, 0, 0]::float8[], bytes_staged = 100
    where run_id = ${id}`;
  return pipeline.id;
}

describe('the API for usage', () => {
  test('returns the usage for each day, pipeline and object', async () => {
    const pipeline = await api.createPipeline();
    const { id } = await api.store.runs.start(pipeline.id, 'manual', [{ name: 'roles', creditClass: 'incremental' }]);
    await api.sql`update freshet.object_runs set records_extracted = 5, records_inserted = 3, credits_used = 2, credits_by_class = '{2,0,0,0,0}', bytes_staged = 100 where run_id = ${id}`;
    const today = new Date().toISOString().slice(0, 10);
    const usage = {
      day: today,
      pipeline_id: pipeline.id,
      object: 'roles',
      records_extracted: 5,
      records_loaded: 3,
      credits_used: 2,
      credits_by_class: { by_hand: 2, incremental: 0, children: 0, backfill: 0, audit: 0 },
      bytes_staged: 100,
      lag_seconds: null,
    };
    expect((await call('get', '/v1/usage').expect(200)).body).toEqual({ data: [usage] });
    expect((await call('get', `/v1/usage?pipeline_id=${randomUUID()}`).expect(200)).body).toEqual({ data: [] });
    expect((await call('get', '/v1/usage?from=2020-01-01&until=2020-01-31').expect(200)).body).toEqual({ data: [] });
    await call('get', '/v1/usage?from=2026-01-02&until=2026-01-01').expect(400);
  });

  test('returns the sums of all pipelines for each day', async () => {
    const today = new Date().toISOString().slice(0, 10);
    const first = await insertUsage('first', { records: 5, credits: 2 });
    await insertUsage('second', { records: 10, credits: 4 });
    const usage = {
      day: today,
      records_extracted: 30,
      records_loaded: 30,
      credits_used: 12,
      credits_by_class: { by_hand: 0, incremental: 12, children: 0, backfill: 0, audit: 0 },
      bytes_staged: 400,
      lag_seconds: null,
    };
    const days = async (query = '') => (await call('get', `/v1/usage/days${query}`).expect(200)).body.data;
    expect(await days()).toEqual([usage]);
    expect(await days(`?pipeline_id=${first}`)).toMatchObject([{ records_extracted: 10, credits_used: 4 }]);
    expect(await days(`?pipeline_id=${randomUUID()}`)).toEqual([]);
    // The longest lag of all tables on each day.
    await api.sql`insert into freshet.lags (pipeline_id, object, day, since, until) values
      (${first}, 'roles', '2026-03-06', '2026-03-06T08:00:00Z', '2026-03-06T09:00:00Z'),
      (${first}, 'groups', '2026-03-06', '2026-03-06T08:00:00Z', '2026-03-06T11:00:00Z')`;
    expect(await days('?from=2026-03-01&until=2026-03-31')).toMatchObject([
      { day: '2026-03-06', records_extracted: 0, credits_by_class: { incremental: 0 }, lag_seconds: 3 * 3600 },
    ]);
    await call('get', '/v1/usage/days?from=2026-01-02&until=2026-01-01').expect(400);
  });

  test('lists the sums of each pipeline in pages, in descending order of credits', async () => {
    // Two pipelines have used the same number of credits.
    for (const [name, credits] of [
      ['a', 2],
      ['b', 7],
      ['c', 2],
      ['d', 0.5],
    ] as const)
      await insertUsage(name, { records: 1, credits });
    const list = async (query: string) => (await call('get', `/v1/usage/pipelines?${query}`).expect(200)).body;
    const { data, next_cursor } = await list('');
    expect(data.map((row: { name: string; credits_used: number }) => [row.name, row.credits_used])).toEqual([
      ['b', 14],
      ['c', 4],
      ['a', 4],
      ['d', 1],
    ]);
    expect(data[0]).toEqual({
      pipeline_id: expect.any(String),
      name: 'b',
      subdomain: 'b',
      records_extracted: 2,
      records_loaded: 2,
      credits_used: 14,
      bytes_staged: 100 * 2,
    });
    expect(next_cursor).toBeNull();
    const pages: unknown[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page = await list(`limit=1${cursor === '' ? '' : `&cursor=${cursor}`}`);
      pages.push(...page.data);
      cursor = page.next_cursor;
    }
    expect(pages).toEqual(data);
    expect((await list('from=2020-01-01&until=2020-01-31')).data).toEqual([]);
    const { body } = await call('get', '/v1/usage/pipelines?cursor=x').expect(400);
    expect(body.errors[0].pointer).toBe('/cursor');
  });

  test('returns the lag of each day, including days without runs and the current day', async () => {
    const pipeline = await api.createPipeline();
    const { sql } = api;
    const insert = (since: string, until: string) =>
      sql`insert into freshet.lags (pipeline_id, object, day, since, until) values (${pipeline.id}, 'roles', ${until.slice(0, 10)}, ${since}, ${until})`;
    // The table was not updated from the evening of the 1st to noon of the 4th. On the 6th, its lag
    // was 10 minutes.
    await insert('2026-03-01T18:00:00Z', '2026-03-04T12:00:00Z');
    await insert('2026-03-06T08:00:00Z', '2026-03-06T08:10:00Z');
    const lags = async (query: string) =>
      (await call('get', `/v1/usage?${query}`).expect(200)).body.data.map((u: { day: string; lag_seconds: number }) => [
        u.day,
        u.lag_seconds / 3600,
      ]);
    expect(await lags('from=2026-03-02&until=2026-03-31')).toEqual([
      ['2026-03-06', 1 / 6],
      ['2026-03-04', 66],
      ['2026-03-03', 54],
      ['2026-03-02', 30],
    ]);
    // The current lag of an active pipeline is included. A paused pipeline has no current lag.
    await sql`insert into freshet.pipeline_objects (pipeline_id, object, complete_as_of) values (${pipeline.id}, 'roles', now() - interval '2 hours')`;
    expect((await lags(''))[0]?.[1]).toBeCloseTo(2, 1);
    await api.store.pipelines.setStatus(pipeline.id, 'paused');
    expect(await lags('')).toEqual([]);
  });
});
