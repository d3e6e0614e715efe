import { readFileSync } from 'node:fs';
import { waitFor } from '@freshet/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { getNextRun } from '../resources/cron.ts';
import { openTestStore, resetStore, type TestStore } from '../test-support/store.ts';

let t: TestStore;
const listObjects = () => [{ name: 'lists', creditClass: 'incremental' as const }];
const AUDITED = [
  { name: 'lists', creditClass: 'audit' as const },
  { name: 'children', creditClass: 'audit' as const },
];
const SCHEDULE = { cron: '30 6 * * 1-5', time_zone: 'Europe/Berlin' };

beforeAll(async () => {
  t = await openTestStore();
});
afterAll(() => t[Symbol.asyncDispose]());
beforeEach(() => resetStore(t));

describe('Schedule.findDue and Schedule.listen', () => {
  test('findDue returns the time until the earliest sync and audit of an active pipeline', async () => {
    const { id } = await t.createPipeline();
    expect((await t.store.schedule.findDue()).syncMs).toBeLessThanOrEqual(0);
    await t.database.sql`
      update freshet.pipelines set next_run_at = now() + interval '1 hour', next_audit_at = now() + interval '2 hours'`;
    const { syncMs, auditMs } = await t.store.schedule.findDue();
    expect(syncMs / 60_000).toBeCloseTo(60, 0);
    expect(auditMs / 60_000).toBeCloseTo(120, 0);
    await t.store.pipelines.setStatus(id, 'paused');
    expect(await t.store.schedule.findDue()).toEqual({ syncMs: Infinity, auditMs: Infinity });
  });

  test('listen reports changes to the schedule and the status of a pipeline, once the change is committed', async () => {
    let notifications = 0;
    await t.store.schedule.listen(() => notifications++);
    const expectNotification = async (change: () => Promise<unknown>) => {
      const before = notifications;
      await change();
      await waitFor(() => notifications > before, 'the scheduler is notified');
    };
    await waitFor(() => notifications > 0, 'the connection is established');
    const { id } = await t.createPipeline();
    await expectNotification(() => t.store.pipelines.update(id, { schedule: SCHEDULE }, null));
    await expectNotification(() => t.store.pipelines.setStatus(id, 'paused'));
    const before = notifications;
    await expect(
      t.store.transaction(async () => {
        await t.store.pipelines.setStatus(id, 'active');
        throw new Error('rolled back');
      }),
    ).rejects.toThrow('rolled back');
    await t.store.pipelines.update(id, { name: 'renamed' }, null);
    await expectNotification(() => t.store.pipelines.setStatus(id, 'active'));
    expect(notifications).toBe(before + 1);
  });
});

describe('Schedule.startDueRuns', () => {
  test('starts only one run of a due pipeline, even with concurrent schedulers, and sets the time of the next run', async () => {
    const pipeline = await t.createPipeline();
    const taken = await Promise.all(Array.from({ length: 5 }, () => t.store.schedule.startDueRuns(10, listObjects)));
    expect(taken.reduce((a, b) => a + b)).toBe(1);
    expect(
      (await t.store.runs.list({ limit: 10, cursor: null }, { pipelineId: pipeline.id, status: null, kind: null }))
        .data,
    ).toHaveLength(1);
    expect((await t.store.pipelines.get(pipeline.id)).next_run_at.getTime()).toBeGreaterThan(Date.now() + 359 * 60_000);
    expect(await t.store.schedule.startDueRuns(10, listObjects)).toBe(0);
  });

  test('starts only one run for all missed runs of a cron schedule, even with concurrent schedulers', async () => {
    const { id } = await t.createPipeline();
    await t.store.schedule.startDueRuns(10, listObjects);
    const updated = await t.store.pipelines.update(id, { schedule: SCHEDULE }, null);
    expect(updated.next_run_at).toEqual(getNextRun(SCHEDULE, new Date(), id));
    await t.database.sql`update freshet.runs set status = 'succeeded', finished_at = now()`;
    expect(await t.store.schedule.startDueRuns(10, listObjects)).toBe(0);
    // The deployment was down for weeks.
    await t.database.sql`update freshet.pipelines set next_run_at = now() - interval '20 days'`;
    const started = await Promise.all([
      t.store.schedule.startDueRuns(10, listObjects),
      t.store.schedule.startDueRuns(10, listObjects),
    ]);
    expect(started.toSorted()).toEqual([0, 1]);
    expect((await t.store.pipelines.get(id)).next_run_at).toEqual(getNextRun(SCHEDULE, new Date(), id));
    expect(
      (await t.store.runs.list({ limit: 10, cursor: null }, { pipelineId: id, kind: null, status: null })).data,
    ).toHaveLength(2);
    // After the schedule is removed, the interval applies again.
    const restored = await t.store.pipelines.update(id, { schedule: null }, null);
    expect(restored.next_run_at.getTime()).toBeLessThanOrEqual(Date.now() + 360 * 60_000);
  });

  test('starts the most overdue pipelines first after an outage, and further pipelines as workers start the queued runs', async () => {
    const { id } = await t.createPipeline();
    await t.database.sql`
      insert into freshet.pipelines (id, name, subdomain, credential_id, historical_sync_days, credit_share_percent,
        destination_id, destination_schema,
        table_prefix, frequency_minutes, objects, schema_policy, next_run_at)
      select ('01900000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, 'p' || n, 's' || n, credential_id, 30, 80,
        destination_id, 's' || n, '', 360, '{}', 'evolve',
        now() - make_interval(secs => n)
      from freshet.pipelines, generate_series(1, 500) n where id = ${id}`;
    await t.database.sql`delete from freshet.pipelines where id = ${id}`;
    const startAll = async () => {
      let sum = 0;
      for (let started = -1; started !== 0; sum += started)
        started = await t.store.schedule.startDueRuns(50, listObjects);
      return sum;
    };
    expect(await startAll()).toBe(200);
    const [oldest] = await t.database.sql`select min(substring(pipeline_id::text from 25)::int) as n from freshet.runs`;
    expect(oldest?.['n']).toBe(301);
    // Workers start some of the runs.
    await t.database
      .sql`update freshet.runs set status = 'running' where id in (select id from freshet.runs limit 120)`;
    expect(await startAll()).toBe(120);
    // Queued runs of paused pipelines do not count toward the limit, because no worker starts them.
    await t.database.sql`update freshet.pipelines set status = 'paused'
        where id in (select pipeline_id from freshet.runs where status = 'queued' limit 30)`;
    expect(await startAll()).toBe(30);
  });
});

describe('Schedule.startDueAudits', () => {
  test('starts an audit every `audit_frequency_days` days, and starts no audit if the value is null', async () => {
    const pipeline = await t.createPipeline();
    const due = () => t.store.schedule.startDueAudits(10, () => AUDITED);
    expect(await due()).toBe(0);
    await t.database.sql`update freshet.pipelines set next_audit_at = now() - interval '1 hour'`;
    expect(await due()).toBe(1);
    expect(await due()).toBe(0);
    expect((await t.store.pipelines.get(pipeline.id)).next_audit_at.getTime()).toBeGreaterThan(
      Date.now() + 6.9 * 86_400_000,
    );
    await t.store.pipelines.update(pipeline.id, { audit_frequency_days: null }, null);
    await t.database.sql`update freshet.pipelines set next_audit_at = now() - interval '1 hour'`;
    expect(await due()).toBe(0);
  });
});

describe('Schedule.checkFreshness', () => {
  test('emits one event when a table misses its objective, and one event when the table meets the objective again', async () => {
    const { id } = await t.createPipeline();
    await t.store.pipelines.update(
      id,
      { objects: { tickets: { included: true, max_staleness_minutes: 60 }, roles: { included: true } } },
      null,
    );
    await t.store.webhooks.create({
      name: 'w',
      url: 'http://127.0.0.1:1/',
      events: ['freshness.missed', 'freshness.restored'],
      enabled: true,
    });
    const { sql } = t.database;
    await sql`insert into freshet.pipeline_objects (pipeline_id, object, complete_as_of)
      values (${id}, 'tickets', now() - interval '59 minutes'), (${id}, 'roles', now() - interval '9 days')`;
    const listEvents = async () =>
      [...(await sql`select type, data from freshet.events order by id`)].map(
        ({ type, data }) => `${type} ${data.object} ${data.max_staleness_minutes}`,
      );
    expect(await t.store.schedule.checkFreshness()).toBe(0);
    await sql`update freshet.pipeline_objects set complete_as_of = now() - interval '61 minutes'
      where object = 'tickets'`;
    const counts = await Promise.all([t.store.schedule.checkFreshness(), t.store.schedule.checkFreshness()]);
    expect(counts.sort()).toEqual([0, 1]);
    expect((await t.store.pipelines.listObjects(id)).find((o) => o.object === 'tickets')?.stale_since).toBeInstanceOf(
      Date,
    );
    await sql`update freshet.pipeline_objects set complete_as_of = now() where object = 'tickets'`;
    expect(await t.store.schedule.checkFreshness()).toBe(1);
    expect(await listEvents()).toEqual(['freshness.missed tickets 60', 'freshness.restored tickets 60']);
    // No event is emitted for a paused pipeline, or for a table without an objective.
    await sql`update freshet.pipeline_objects set complete_as_of = now() - interval '9 days'`;
    await t.store.pipelines.setStatus(id, 'paused');
    expect(await t.store.schedule.checkFreshness()).toBe(0);
  });
});

describe('freshet.backlog', () => {
  test('the autoscaling query of the Helm chart counts ready and active jobs', async () => {
    const chart = readFileSync(
      new URL('../../../../deploy/helm/freshet/templates/deployments.yaml', import.meta.url),
      'utf8',
    );
    const query = /query: (select .*)/.exec(chart)?.[1]?.replace('{{ $process.queue }}', 'extract') ?? '';
    await t.database.sql`delete from pgboss.job`;
    const { id } = await t.createPipeline('scaled');
    await t.store.runs.start(id, 'manual', [...listObjects(), { name: 'tickets', creditClass: 'incremental' }]);
    const waiting = listObjects().length + 1;
    expect(Object.values((await t.database.sql.unsafe(query))[0] ?? {}).map(Number)).toEqual([waiting]);
    // A deferred job requires no worker yet.
    await t.database.sql`update pgboss.job set start_after = now() + interval '1 hour'
        where id = (select id from pgboss.job where name = 'extract' limit 1)`;
    expect(Object.values((await t.database.sql.unsafe(query))[0] ?? {}).map(Number)).toEqual([waiting - 1]);
    expect((await t.store.getBacklog()).queues.find(({ queue }) => queue === 'extract')).toMatchObject({
      ready: waiting - 1,
      deferred: 1,
      active: 0,
    });
  });
});

describe('Schedule.pruneRuns', () => {
  test('deletes old runs, except for the newest run of each kind and runs with stored batches', async () => {
    const { id } = await t.createPipeline();
    const createRun = async (days: number) => {
      const { id: runId } = await t.store.runs.start(id, 'manual', listObjects());
      await t.database.sql`
        update freshet.runs set status = 'succeeded', finished_at = ${new Date(Date.now() - days * 86_400_000)}
        where id = ${runId}`;
      await t.database.sql`update freshet.object_runs set status = 'succeeded' where run_id = ${runId}`;
      return runId;
    };
    const [oldest, staged, newest] = [await createRun(100), await createRun(90), await createRun(10)] as const;
    await t.database.sql`
      insert into freshet.batches (id, pipeline_id, object, object_run_id, records, raw_bytes, extracted_at, body,
        loaded_at)
      select gen_random_uuid(), pipeline_id, object, id, 1, 2, now(), '\\x00', now() - interval '90 days'
      from freshet.object_runs where run_id = ${staged}`;
    const listIds = async () =>
      (await t.store.runs.list({ limit: 10, cursor: null }, { pipelineId: id, kind: null, status: null })).data.map(
        (r) => r.id,
      );
    expect(await t.store.schedule.pruneRuns(32)).toBe(1);
    expect(await listIds()).toEqual([newest, staged]);
    expect(await t.store.schedule.pruneLoadedBatches(7)).toBe(1);
    expect(await t.store.schedule.pruneRuns(32)).toBe(1);
    expect(await listIds()).toEqual([newest]);
    await t.database.sql`update freshet.runs set finished_at = now() - interval '90 days'`;
    expect(await t.store.schedule.pruneRuns(32)).toBe(0);
    expect(oldest).not.toBe(newest);
  });
});
