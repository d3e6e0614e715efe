import { createDatabase } from '@freshet/testing';
import { expect, test } from 'vitest';
import { check, start } from './test-support/killed-loader.ts';
import { loadPlanned } from './test-support/load-planned.ts';
import { plannedBatches } from './test-support/planned-batches.ts';
import { RandomRecords } from './test-support/random-records.ts';
import { stepProxy } from './test-support/step-proxy.ts';

test('I2: a loader killed after each thing that it asks of the warehouse, when that is done and it has not heard of it', async () => {
  const { seed } = new RandomRecords(
    process.env['FRESHET_SEED'] === undefined ? undefined : Number(process.env['FRESHET_SEED']),
  );
  // Two transactions: the tables are made and rows are new in the first, and many come again in the second.
  const planned = plannedBatches(seed).slice(0, 6);
  let steps = 0;
  for (let last = 1, isThrough = false; !isThrough; last++) {
    const context = `seed ${seed}, step ${last}`;
    await using database = await createDatabase();
    let kill = () => {};
    await using proxy = await stepProxy(database.url, last, () => kill());
    const { child, gone } = start(proxy.url, seed, 'up', [String(planned.length), 'on']);
    kill = () => child.kill('SIGKILL');
    isThrough = (await gone) === 0;
    steps = proxy.steps;
    await check(database.url, planned, isThrough, context);
    await loadPlanned(
      database.url,
      planned.map(({ batch }) => batch),
      true,
    );
    await check(database.url, planned, true, context);
    const [versions] = await database.sql<{ open: number; rows: number }[]>`
      select (select count(*)::int from acme.things_history where valid_to is null) as open, (select count(*)::int from acme.things) as rows`;
    expect(versions?.open, context).toBe(versions?.rows);
  }
  expect(steps).toBeGreaterThan(30);
}, 300_000);
