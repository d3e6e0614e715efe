import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { getNextRun } from '../resources/cron.ts';
import { openTestStore, type TestStore } from '../test-support/store.ts';

let t: TestStore;
const OBJECTS = () => [{ name: 'lists', creditClass: 'incremental' as const }];
const SCHEDULE = { cron: '30 6 * * 1-5', time_zone: 'Europe/Berlin' };

beforeAll(async () => {
  t = await openTestStore();
});
afterAll(() => t[Symbol.asyncDispose]());
beforeEach(async () => {
  await t.database.sql`truncate freshet.pipelines, freshet.credentials, freshet.destinations cascade`;
  await t.database.sql`delete from pgboss.job`;
});

test('a pipeline with a schedule runs when it comes, once for all that were missed, whoever looks', async () => {
  const { id } = await t.createPipeline();
  await t.store.schedule.startDueRuns(10, OBJECTS);
  const changed = await t.store.pipelines.update(id, { schedule: SCHEDULE }, null);
  expect(changed.next_run_at).toEqual(getNextRun(SCHEDULE, new Date(), id));
  await t.database.sql`update freshet.runs set status = 'succeeded', finished_at = now()`;
  expect(await t.store.schedule.startDueRuns(10, OBJECTS)).toBe(0);
  // Weeks later.
  await t.database.sql`update freshet.pipelines set next_run_at = now() - interval '20 days'`;
  const started = await Promise.all([
    t.store.schedule.startDueRuns(10, OBJECTS),
    t.store.schedule.startDueRuns(10, OBJECTS),
  ]);
  expect(started.toSorted()).toEqual([0, 1]);
  expect((await t.store.pipelines.get(id)).next_run_at).toEqual(getNextRun(SCHEDULE, new Date(), id));
  expect(
    (await t.store.runs.list({ limit: 10, cursor: null }, { pipelineId: id, kind: null, status: null })).data,
  ).toHaveLength(2);
  // And every so many minutes again.
  const back = await t.store.pipelines.update(id, { schedule: null }, null);
  expect(back.next_run_at.getTime()).toBeLessThanOrEqual(Date.now() + 360 * 60_000);
});

test('after an outage what is due is started as workers take it up, the oldest first, and what waits for credits holds nobody up', async () => {
  const { id } = await t.createPipeline();
  await t.database.sql`
    insert into freshet.pipelines (id, name, subdomain, credential_id, historical_sync_days, credit_share_percent, destination_id, destination_schema,
      table_prefix, frequency_minutes, objects, schema_policy, next_run_at)
    select ('01900000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, 'p' || n, 's' || n, credential_id, 30, 80, destination_id, 's' || n, '', 360, '{}', 'evolve',
      now() - make_interval(secs => n)
    from freshet.pipelines, generate_series(1, 500) n where id = ${id}`;
  await t.database.sql`delete from freshet.pipelines where id = ${id}`;
  const start = async () => {
    let sum = 0;
    for (let started = -1; started !== 0; sum += started) started = await t.store.schedule.startDueRuns(50, OBJECTS);
    return sum;
  };
  expect(await start()).toBe(200);
  const [oldest] = await t.database.sql`select min(substring(pipeline_id::text from 25)::int) as n from freshet.runs`;
  expect(oldest?.['n']).toBe(301);
  // Some are taken up, whatever becomes of them.
  await t.database.sql`update freshet.runs set status = 'running' where id in (select id from freshet.runs limit 120)`;
  expect(await start()).toBe(120);
  // Those of a paused pipeline are taken up by nobody, and are not waited for.
  await t.database
    .sql`update freshet.pipelines set status = 'paused' where id in (select pipeline_id from freshet.runs where status = 'queued' limit 30)`;
  expect(await start()).toBe(30);
});

test('what the chart scales workers by is how many jobs could be worked on, and are', async () => {
  const chart = readFileSync(
    new URL('../../../../deploy/helm/freshet/templates/deployments.yaml', import.meta.url),
    'utf8',
  );
  const query = /query: (select .*)/.exec(chart)?.[1]?.replace('{{ $process.queue }}', 'extract') ?? '';
  await t.database.sql`delete from pgboss.job`;
  const { id } = await t.createPipeline('scaled');
  await t.store.runs.start(id, 'manual', [...OBJECTS(), { name: 'tickets', creditClass: 'incremental' }]);
  const waiting = OBJECTS().length + 1;
  expect(Object.values((await t.database.sql.unsafe(query))[0] ?? {}).map(Number)).toEqual([waiting]);
  // One that waits for its time needs nobody yet.
  await t.database
    .sql`update pgboss.job set start_after = now() + interval '1 hour' where id = (select id from pgboss.job where name = 'extract' limit 1)`;
  expect(Object.values((await t.database.sql.unsafe(query))[0] ?? {}).map(Number)).toEqual([waiting - 1]);
  expect((await t.store.getBacklog()).queues.find(({ queue }) => queue === 'extract')).toMatchObject({
    ready: waiting - 1,
    deferred: 1,
    active: 0,
  });
});

test('runs go when they are old enough, but never the newest of a kind, nor one of which a batch is stored', async () => {
  const { id } = await t.createPipeline();
  const run = async (days: number) => {
    const { id: runId } = await t.store.runs.start(id, 'manual', OBJECTS());
    await t.database.sql`
      update freshet.runs set status = 'succeeded', finished_at = ${new Date(Date.now() - days * 86_400_000)} where id = ${runId}`;
    await t.database.sql`update freshet.object_runs set status = 'succeeded' where run_id = ${runId}`;
    return runId;
  };
  const [old, staged, young] = [await run(100), await run(90), await run(10)] as const;
  await t.database.sql`
    insert into freshet.batches (id, pipeline_id, object, object_run_id, records, raw_bytes, extracted_at, body, loaded_at)
    select gen_random_uuid(), pipeline_id, object, id, 1, 2, now(), '\\x00', now() - interval '90 days' from freshet.object_runs where run_id = ${staged}`;
  const left = async () =>
    (await t.store.runs.list({ limit: 10, cursor: null }, { pipelineId: id, kind: null, status: null })).data.map(
      (r) => r.id,
    );
  expect(await t.store.schedule.pruneRuns(32)).toBe(1);
  expect(await left()).toEqual([young, staged]);
  expect(await t.store.schedule.pruneLoadedBatches(7)).toBe(1);
  expect(await t.store.schedule.pruneRuns(32)).toBe(1);
  expect(await left()).toEqual([young]);
  await t.database.sql`update freshet.runs set finished_at = now() - interval '90 days'`;
  expect(await t.store.schedule.pruneRuns(32)).toBe(0);
  expect(old).not.toBe(young);
});
