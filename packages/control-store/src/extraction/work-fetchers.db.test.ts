import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { acquire, buildParent, buildStep, countPendingParents, startRun } from '../test-support/builders.ts';
import { openTestStore, resetStore, type TestStore } from '../test-support/store.ts';

let t: TestStore;

beforeAll(async () => {
  t = await openTestStore();
});
afterAll(() => t[Symbol.asyncDispose]());
beforeEach(() => resetStore(t));

describe('ExtractionStore.createWorkFetcher', () => {
  test('returns each parent once per slice, and a parent remains pending until the children of its latest version are extracted', async () => {
    const run = await startRun(t, (await t.createPipeline()).id);
    const lists = await acquire(t, run.getObjectRunId('lists'));
    await t.store.extraction.commitStep(
      lists,
      buildStep({ childWork: Array.from({ length: 50 }, (_, i) => buildParent(String(i), 'v1')) }),
    );
    const lease = await acquire(t, run.getObjectRunId('children'));
    const fetch = t.store.extraction.createWorkFetcher(lease);
    const seen: string[] = [];
    for (let parents = await fetch(7); parents.length > 0; parents = await fetch(7))
      seen.push(...parents.map(({ parentId }) => parentId));
    expect(seen.sort()).toEqual(Array.from({ length: 50 }, (_, i) => String(i)).sort());
    await t.store.extraction.commitStep(
      lease,
      buildStep({ completedUnits: [buildParent('1', 'v1'), buildParent('2', 'v1')] }),
    );
    // Parent 2 changed while its children were being extracted.
    await t.store.extraction.commitStep(
      lists,
      buildStep({ childWork: [buildParent('2', 'v2'), buildParent('1', 'v1')] }),
    );
    expect(await countPendingParents(t)).toBe(49);
  });
});
