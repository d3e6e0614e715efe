import { waitFor } from '@freshet/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ObjectRunLease, Pipeline, Step } from '../index.ts';
import { openTestStore, type TestStore } from '../test-support/store.ts';

/** However much waits of one pipeline, another's changes wait for a slice of it at most. */
let t: TestStore;
beforeAll(async () => {
  t = await openTestStore();
});
afterAll(() => t[Symbol.asyncDispose]());

const OBJECTS = [
  { name: 'lists', creditClass: 'incremental' as const },
  { name: 'children', creditClass: 'children' as const },
];

const batch = (n: number): Step => ({
  position: { n },
  customColumns: null,
  batch: { body: Buffer.from('compressed'), rawBytes: 100, records: 3, generation: null, extractedAt: new Date() },
  erasedKeys: [],
  childWork: [],
  completedUnits: [],
  failedUnits: [],
  progress: null,
  credits: { incremental: 1 },
  coverage: null,
  isLast: false,
});

async function begin(pipeline: Pipeline) {
  const run = await t.store.runs.get((await t.store.runs.start(pipeline.id, 'schedule', OBJECTS)).id);
  const of = (name: string) => run.objects.find((o) => o.object === name)?.id as string;
  return { lists: of('lists'), children: of('children') };
}
const claimed = async (objectRunId: string) => (await t.store.extraction.acquire(objectRunId)) as ObjectRunLease;

test('first slices go before what a whole slice was not enough for; of equals, those of a high pipeline', async () => {
  const { store, database } = t;
  const large = await t.createPipeline('large');
  const other = await t.createPipeline('other');
  const urgent = await store.pipelines.update((await t.createPipeline('urgent')).id, { priority: 'high' }, null);
  const names = new Map([
    [large.id, 'large'],
    [other.id, 'other'],
    [urgent.id, 'urgent'],
  ]);
  // The large one has been read and loaded for a slice each, and much waits: a job for every batch.
  const first = await begin(large);
  const claim = await claimed(first.lists);
  for (let n = 0; n < 5; n++) await store.extraction.commitStep(claim, batch(n));
  const table = await store.loading.acquire(large.id, 'lists');
  if (table === null) throw new Error('nothing to load');
  await store.loading.yieldToOthers(table);
  await store.extraction.requeue(claim, { afterMs: 0, status: 'running', credits: {}, isLong: true });
  const again = await claimed(first.lists);
  await store.extraction.commitStep(again, batch(5));
  await database.sql`delete from pgboss.job where name = 'extract' and data ->> 'objectRunId' = ${first.lists} and created_on < (
    select max(created_on) from pgboss.job where name = 'extract' and data ->> 'objectRunId' = ${first.lists})`;
  // Then the others come.
  const second = await begin(other);
  const third = await begin(urgent);
  for (const { lists } of [second, third]) await store.extraction.commitStep(await claimed(lists), batch(0));

  const loads: string[] = [];
  await store.queue.work('load', { concurrency: 1 }, async ({ pipelineId }) => {
    loads.push(names.get(pipelineId) as string);
  });
  await waitFor(() => loads.length === 4, 'all loads were taken up');
  expect(loads).toEqual(['urgent', 'other', 'large', 'large']);

  const slices: string[] = [];
  const whose = new Map(
    Object.entries({ large: first, other: second, urgent: third }).flatMap(([name, { lists, children }]) => [
      [lists, `${name}/lists`],
      [children, `${name}/children`],
    ]),
  );
  await store.queue.work('extract', { concurrency: 1 }, async ({ objectRunId }) => {
    slices.push(whose.get(objectRunId) as string);
  });
  await waitFor(() => slices.length === 6, 'all slices were taken up');
  expect(slices).toEqual([
    'urgent/lists',
    'other/lists',
    'urgent/children',
    'large/children',
    'other/children',
    'large/lists',
  ]);
});

test('a pause and a change of position forget neither', async () => {
  const { store, database } = t;
  const pipeline = await t.createPipeline('paused');
  const { lists } = await begin(pipeline);
  await store.extraction.requeue(await claimed(lists), { afterMs: 0, status: 'running', credits: {}, isLong: true });
  await database.sql`delete from pgboss.job where data ->> 'objectRunId' = ${lists}`;
  await store.runs.resume(pipeline.id);
  await store.runs.restartObject(pipeline.id, 'lists');
  const jobs = await database.sql`select priority from pgboss.job where data ->> 'objectRunId' = ${lists}`;
  expect(jobs.map(({ priority }) => priority)).toEqual([-6, -6]);
});
