import { createDatabase } from '@freshet/testing';
import { expect, test } from 'vitest';
import { checkWarehouse, startLoaderProcess } from '../test-support/killable-loader.ts';
import { loadPlannedBatches } from '../test-support/load-planned.ts';
import { buildPlannedBatches } from '../test-support/planned-batches.ts';
import { readSeed } from '../test-support/random.ts';
import { startStepProxy } from '../test-support/step-proxy.ts';

test('each batch is applied exactly once, even if the loader is killed after any protocol step before it receives the response (I2)', async () => {
  const seed = readSeed();
  // Two loads: the first creates the tables and inserts rows, the second also updates rows.
  const planned = buildPlannedBatches(seed).slice(0, 6);
  let steps = 0;
  for (let stopAfter = 1, hasFinished = false; !hasFinished; stopAfter++) {
    const context = `seed ${seed}, step ${stopAfter}`;
    await using database = await createDatabase();
    let kill = () => {};
    await using proxy = await startStepProxy(database.url, stopAfter, () => kill());
    const { child, exited } = startLoaderProcess(proxy.url, seed, 'up', [String(planned.length), 'on']);
    kill = () => child.kill('SIGKILL');
    hasFinished = (await exited) === 0;
    steps = proxy.steps;
    await checkWarehouse(database.url, planned, hasFinished, context);
    await loadPlannedBatches(
      database.url,
      planned.map(({ batch }) => batch),
      true,
    );
    await checkWarehouse(database.url, planned, true, context);
    const [versions] = await database.sql<{ current: number; rows: number }[]>`
      select (select count(*)::int from acme.things_history where valid_to is null) as current, (select count(*)::int from acme.things) as rows`;
    expect(versions?.current, context).toBe(versions?.rows);
  }
  expect(steps).toBeGreaterThan(30);
}, 300_000);
