import { setTimeout as sleep } from 'node:timers/promises';
import { OwnServer } from '@freshet/testing';
import { expect, test } from 'vitest';
import { check, start } from './test-support/killed-loader.ts';
import { plannedBatches } from './test-support/planned-batches.ts';
import { RandomRecords } from './test-support/random-records.ts';

/** A thousand: FRESHET_KILLS=1000 npm test -- packages/warehouse-loader/src/crash.e2e.test.ts */
const KILLS = Number(process.env['FRESHET_KILLS'] ?? 50);
/** One of so many is a crash of PostgreSQL instead. */
const CRASHES = 8;

test(
  'I2, I8: loaders killed and PostgreSQL crashed at random moments, batches in every order, twice, and from two at once: nothing is lost, nothing there twice',
  async () => {
    const random = new RandomRecords(
      process.env['FRESHET_SEED'] === undefined ? undefined : Number(process.env['FRESHET_SEED']),
    );
    const context = `seed ${random.seed}`;
    await using server = await OwnServer.start();
    const planned = plannedBatches(random.seed);
    let kills = 0;
    let begun = 0;
    while (kills < KILLS) {
      const loaders = [start(server.url, random.seed, 'up'), start(server.url, random.seed, 'down')] as const;
      await Promise.all(loaders.map(({ loading }) => loading));
      begun++;
      // Anywhere within what they need for all of it, and most often early.
      await sleep(random.below(random.below(400) + 1));
      if (random.below(CRASHES) === 0) {
        await server.crash();
        kills++;
      }
      for (const { child, gone } of loaders) {
        child.kill('SIGKILL');
        kills++;
        await gone;
      }
      await check(server.url, planned, false, `${context}, after ${kills} kills`);
    }
    for (const direction of ['up', 'down'] as const)
      expect(await start(server.url, random.seed, direction).gone, context).toBe(0);
    await check(server.url, planned, true, context);
    expect(begun).toBeGreaterThan(0);
  },
  Math.max(120_000, KILLS * 4000),
);
