import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { useTestApi } from '../../test-support/api.ts';

const api = useTestApi();
const { call } = api;

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
