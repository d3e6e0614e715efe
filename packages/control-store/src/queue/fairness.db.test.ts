import { waitFor } from '@freshet/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Pipeline, Step } from '../index.ts';
import { acquire, buildBatch, buildStep, OBJECTS } from '../test-support/builders.ts';
import { openTestStore, resetStore, type TestStore } from '../test-support/store.ts';

let t: TestStore;

beforeAll(async () => {
  t = await openTestStore();
});
afterAll(() => t[Symbol.asyncDispose]());
beforeEach(() => resetStore(t));

const buildPage = (n: number): Step => buildStep({ position: { n }, batch: buildBatch() });

async function startSync(pipeline: Pipeline) {
  const run = await t.store.runs.get((await t.store.runs.start(pipeline.id, 'schedule', OBJECTS)).id);
  const getId = (name: string) => run.objects.find(({ object }) => object === name)?.id as string;
  return { lists: getId('lists'), children: getId('children') };
}

describe('job priority', () => {
  test('workers run first slices before long object runs, and high-priority pipelines before normal pipelines in the same credit class', async () => {
    const { store, database } = t;
    const large = await t.createPipeline('large');
    const other = await t.createPipeline('other');
    const urgent = await store.pipelines.update((await t.createPipeline('urgent')).id, { priority: 'high' }, null);
    const names = new Map([
      [large.id, 'large'],
      [other.id, 'other'],
      [urgent.id, 'urgent'],
    ]);
    // For the large pipeline, an extraction slice and a load slice have reached their time limit.
    const first = await startSync(large);
    const lease = await acquire(t, first.lists);
    for (let n = 0; n < 5; n++) await store.extraction.commitStep(lease, buildPage(n));
    const tableLease = await store.loading.acquire(large.id, 'lists');
    if (tableLease === null) throw new Error('The table has no lease.');
    await store.loading.yieldToOthers(tableLease);
    await store.extraction.requeue(lease, { afterMs: 0, status: 'running', credits: {}, isLong: true });
    const nextLease = await acquire(t, first.lists);
    await store.extraction.commitStep(nextLease, buildPage(5));
    await database.sql`
      delete from pgboss.job where name = 'extract' and data ->> 'objectRunId' = ${first.lists} and created_on < (
        select max(created_on) from pgboss.job where name = 'extract' and data ->> 'objectRunId' = ${first.lists})`;
    // Then the two other pipelines start.
    const second = await startSync(other);
    const third = await startSync(urgent);
    for (const { lists } of [second, third]) await store.extraction.commitStep(await acquire(t, lists), buildPage(0));

    const loads: string[] = [];
    await store.queue.work('load', { concurrency: 1 }, async ({ pipelineId }) => {
      loads.push(names.get(pipelineId) as string);
    });
    await waitFor(() => loads.length === 4, 'all load jobs run');
    expect(loads).toEqual(['urgent', 'other', 'large', 'large']);

    const slices: string[] = [];
    const slicesById = new Map(
      Object.entries({ large: first, other: second, urgent: third }).flatMap(([name, { lists, children }]) => [
        [lists, `${name}/lists`],
        [children, `${name}/children`],
      ]),
    );
    await store.queue.work('extract', { concurrency: 1 }, async ({ objectRunId }) => {
      slices.push(slicesById.get(objectRunId) as string);
    });
    await waitFor(() => slices.length === 6, 'all extract jobs run');
    expect(slices).toEqual([
      'urgent/lists',
      'other/lists',
      'urgent/children',
      'large/children',
      'other/children',
      'large/lists',
    ]);
  });

  test('a long object run keeps its priority after its pipeline resumes and after its object is restarted', async () => {
    const { store, database } = t;
    const pipeline = await t.createPipeline('paused');
    const { lists } = await startSync(pipeline);
    const lease = await acquire(t, lists);
    await store.extraction.requeue(lease, { afterMs: 0, status: 'running', credits: {}, isLong: true });
    await database.sql`delete from pgboss.job where data ->> 'objectRunId' = ${lists}`;
    await store.runs.resume(pipeline.id);
    await store.runs.restartObject(pipeline.id, 'lists');
    const jobs = await database.sql`select priority from pgboss.job where data ->> 'objectRunId' = ${lists}`;
    expect(jobs.map(({ priority }) => priority)).toEqual([-6, -6]);
  });
});
