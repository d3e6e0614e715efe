import { setTimeout as sleep } from 'node:timers/promises';
import { DedicatedServer } from '@freshet/testing';
import { expect, test } from 'vitest';
import { checkWarehouse, startLoaderProcess } from '../test-support/killable-loader.ts';
import { buildPlannedBatches } from '../test-support/planned-batches.ts';
import { readSeed } from '../test-support/random.ts';
import { RandomRecords } from '../test-support/random-records.ts';

/**
 * To run a thousand kills: FRESHET_KILLS=1000 npm test --
 * packages/warehouse-loader/src/load/crash.e2e.test.ts
 */
const KILLS = Number(process.env['FRESHET_KILLS'] ?? 50);
/** The average number of rounds per crash of PostgreSQL. The loaders are killed in every round. */
const ROUNDS_PER_CRASH = 8;

test(
  'two concurrent loaders apply each batch exactly once, even if they are killed and PostgreSQL crashes at random times (I2, I8)',
  async () => {
    const random = new RandomRecords(readSeed());
    const context = `seed ${random.seed}`;
    await using server = await DedicatedServer.start();
    const planned = buildPlannedBatches(random.seed);
    let kills = 0;
    let rounds = 0;
    while (kills < KILLS) {
      const loaders = [
        startLoaderProcess(server.url, random.seed, 'up'),
        startLoaderProcess(server.url, random.seed, 'down'),
      ] as const;
      await Promise.all(loaders.map(({ started }) => started));
      rounds++;
      // Wait for a random time within the duration of the complete load. Short times are more
      // frequent.
      await sleep(random.nextInt(random.nextInt(400) + 1));
      if (random.nextInt(ROUNDS_PER_CRASH) === 0) {
        await server.crash();
        kills++;
      }
      for (const { child, exited } of loaders) {
        child.kill('SIGKILL');
        kills++;
        await exited;
      }
      await checkWarehouse(server.url, planned, false, `${context}, after ${kills} kills`);
    }
    for (const direction of ['up', 'down'] as const)
      expect(await startLoaderProcess(server.url, random.seed, direction).exited, context).toBe(0);
    await checkWarehouse(server.url, planned, true, context);
    expect(rounds).toBeGreaterThan(0);
  },
  Math.max(120_000, KILLS * 4000),
);
