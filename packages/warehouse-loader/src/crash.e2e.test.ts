import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { OwnServer } from '@freshet/testing';
import pg from 'pg';
import { expect, test } from 'vitest';
import { moment } from './test-support/loading.ts';
import { plannedBatches } from './test-support/planned-batches.ts';
import { RandomRecords } from './test-support/random-records.ts';

/** A thousand: FRESHET_KILLS=1000 npm test -- packages/warehouse-loader/src/crash.e2e.test.ts */
const KILLS = Number(process.env['FRESHET_KILLS'] ?? 50);
/** One of so many is a crash of PostgreSQL instead. */
const CRASHES = 8;

test(
  'I2, I8: loaders killed and PostgreSQL crashed at random moments, batches in every order, twice, and from two at once: nothing is lost, nothing there twice',
  async () => {
    const random = new RandomRecords(process.env['FRESHET_SEED'] === undefined ? undefined : Number(process.env['FRESHET_SEED']));
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
    for (const direction of ['up', 'down'] as const) expect(await start(server.url, random.seed, direction).gone, context).toBe(0);
    await check(server.url, planned, true, context);
    expect(begun).toBeGreaterThan(0);
  },
  Math.max(120_000, KILLS * 4000),
);

function start(url: string, seed: number, direction: string): { child: ChildProcess; loading: Promise<unknown>; gone: Promise<number | null> } {
  const script = fileURLToPath(new URL('./test-support/load-all.ts', import.meta.url));
  const child = fork(script, [url, String(seed), direction], { execArgv: [], stdio: ['ignore', 'pipe', 'ignore', 'ipc'] });
  const gone = once(child, 'exit').then(([status]) => status as number | null);
  return { child, loading: Promise.race([once(child.stdout as NodeJS.ReadableStream, 'data'), gone]), gone };
}

/** Whatever was committed agrees with itself; at the end it is everything. */
async function check(url: string, planned: ReturnType<typeof plannedBatches>, isAll: boolean, context: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    const made = await client.query<{ there: boolean }>(`select to_regclass('acme.things') is not null as there`);
    if (made.rows[0]?.there !== true) return;
    const ledger = await client.query<{ batch_id: string; inserted: string; sum: string; records: string }>(
      'select batch_id, inserted, inserted + updated + unchanged + rejected as sum, records from acme._freshet_batches',
    );
    const applied = new Set(ledger.rows.map((r) => r.batch_id));
    if (isAll) expect(applied.size, context).toBe(planned.length);
    expect(ledger.rows.filter((r) => r.sum !== r.records, context)).toEqual([]);
    const newest = new Map<number, number>();
    for (const { batch, records } of planned) {
      if (applied.has(batch.id)) for (const { id, version } of records) newest.set(id, Math.max(version, newest.get(id) ?? 0));
    }
    const rows = await client.query<{ id: string; at: Date; name: string }>('select id, updated_at as at, name from acme.things');
    expect(rows.rows.length, context).toBe(ledger.rows.reduce((sum, r) => sum + Number(r.inserted), 0));
    expect(new Map(rows.rows.map((r) => [Number(r.id), `${r.at.toISOString()} ${r.name}`])), context).toEqual(
      new Map([...newest].map(([id, version]) => [id, `${moment(version)} version ${version}`])),
    );
    const counted = await client.query<{ n: number }>('select coalesce(sum(row_count), 0)::int as n from acme._freshet_objects');
    expect(counted.rows[0]?.n, context).toBe(newest.size);
  } finally {
    await client.end();
  }
}
