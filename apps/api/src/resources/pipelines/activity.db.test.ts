import { describe, expect, test } from 'vitest';
import { useTestApi } from '../../test-support/api.ts';

const api = useTestApi();
const { call } = api;

/** Starts a run with two objects. @returns the id of the run. */
async function startRun(pipelineId: string): Promise<string> {
  const objects = ['tickets', 'contacts'].map((name) => ({ name, creditClass: 'incremental' as const }));
  return (await api.store.runs.start(pipelineId, 'manual', objects)).id;
}

/** Finishes a run. Each object has loaded 3 records with 2 credits. */
async function finishRun(id: string, status: string): Promise<void> {
  await api.sql`
    update freshet.object_runs set status = ${status}, records_extracted = 3, records_inserted = 3, credits_used = 2,
      complete_as_of = case object when 'tickets' then '2026-01-02'::timestamptz else '2026-01-03'::timestamptz end,
      finished_at = now()
    where run_id = ${id}`;
  await api.sql`update freshet.runs set status = ${status}, finished_at = now() where id = ${id}`;
}

describe('GET /v1/pipelines/activity', () => {
  test('returns pipelines with their newest runs, freshness and usage, the newest pipeline first', async () => {
    const first = await api.createPipeline('acme');
    const second = await api.createPipeline('globex');
    const open = await startRun(second.id);
    await finishRun(await startRun(first.id), 'failed');
    const cancelled = await startRun(first.id);
    await api.store.runs.cancel(cancelled);
    const { body } = await call('get', '/v1/pipelines/activity').expect(200);
    expect(body.data.map((activity: { pipeline: { name: string } }) => activity.pipeline.name)).toEqual([
      'globex',
      'acme',
    ]);
    expect(body.data[0]).toMatchObject({
      last_run: { id: open, status: 'queued', is_first_sync: true, objects: 2, finished_at: null },
      open_run: { id: open },
      last_status: null,
      fresh_as_of: null,
      usage: [],
    });
    expect(body.data[1]).toMatchObject({
      last_run: { id: cancelled, status: 'cancelled', progress: 1 },
      open_run: null,
      // The cancelled run does not replace the result of the failed run.
      last_status: 'failed',
      fresh_as_of: '2026-01-02T00:00:00.000Z',
      usage: [{ day: new Date().toISOString().slice(0, 10), records_loaded: 6, credits_used: 4 }],
    });
  });

  test('returns pages, and searches names and accounts without regard to case and wildcards', async () => {
    for (const name of ['acme', 'globex', 'initech']) await api.createPipeline(name);
    const list = async (query: string): Promise<{ names: string[]; next: string | null }> => {
      const { body } = await call('get', `/v1/pipelines/activity?${query}`).expect(200);
      const names = body.data.map((activity: { pipeline: { name: string } }) => activity.pipeline.name);
      return { names, next: body.next_cursor };
    };
    const page = await list('limit=2');
    expect(page.names).toEqual(['initech', 'globex']);
    expect((await list(`limit=2&cursor=${page.next}`)).names).toEqual(['acme']);
    expect((await list('search=GLOB')).names).toEqual(['globex']);
    expect((await list('search=%25')).names).toEqual([]);
    expect((await list('status=paused')).names).toEqual([]);
  });
});

test('GET /v1/pipelines/summary counts the pipelines that need attention, and their usage of today', async () => {
  const healthy = await api.createPipeline('acme');
  const failed = await api.createPipeline('globex');
  const paused = await api.createPipeline('initech');
  await finishRun(await startRun(healthy.id), 'succeeded');
  await finishRun(await startRun(failed.id), 'failed');
  await api.sql`update freshet.pipelines set status = 'paused', paused_by = 'record_spike' where id = ${paused.id}`;
  const day = (daysAgo: number) => new Date(Date.now() - daysAgo * 86_400_000).toISOString().slice(0, 10);
  expect((await call('get', '/v1/pipelines/summary').expect(200)).body).toEqual({
    pipelines: 3,
    pipelines_needing_attention: 2,
    synced_pipelines: 2,
    freshest_as_of: '2026-01-02T00:00:00.000Z',
    stalest_as_of: '2026-01-02T00:00:00.000Z',
    today: { day: day(0), records_loaded: 12, credits_used: 8 },
    week_ago: { day: day(7), records_loaded: 0, credits_used: 0 },
  });
});
