import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FreshdeskSimulator } from '@freshet/freshdesk-simulator';
import { startEmbeddedPostgres } from '@freshet/runtime/embedded-postgres';
import { eventually } from '@freshet/testing';
import postgres from 'postgres';
import { expect, test } from 'vitest';
import type { ApiClient, RunAnswer } from '../api-client.ts';
import { setUpPipeline } from '../setup.ts';
import { differences } from '../test-support/equality.ts';
import { Fleet, type FleetApp } from '../test-support/fleet.ts';

/*
 * Everything at once, for a while: processes killed and stopped, the database crashing, connections cut, an account that fails and
 * changes. Then it is quiet, and everything has to be right. `npm run test:chaos` does it for longer, with more of everything.
 */

const env = (name: string, usual: number) => Number(process.env[name] || usual);
const SEED = env('FRESHET_SEED', Math.floor(Math.random() * 2 ** 31));
const SECONDS = env('FRESHET_CHAOS_SECONDS', 15);
const PIPELINES = env('FRESHET_CHAOS_PIPELINES', 2);
const EACH: Readonly<Record<FleetApp, number>> = {
  api: 2,
  'extract-worker': env('FRESHET_CHAOS_WORKERS', 2),
  'load-worker': env('FRESHET_CHAOS_WORKERS', 2),
  scheduler: 2,
};
/** Longer than a heartbeat may be missing: its work is somebody else's by then. */
const STANDSTILL_MS = 20_000;
/** Accounts answer at 127.0.0.10 and so on. */
const FIRST_HOST = 10;
/** What it takes to be quiet again: retries with their pauses, and one complete run for each pipeline. */
const CALM_MS = 240_000;

/** https://en.wikipedia.org/wiki/Xorshift */
function randomOf(seed: number): (below: number) => number {
  let state = seed >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % below;
  };
}

test(`I1, I2, I3, I7, I8: whatever is killed, stopped, cut off or crashes, every warehouse equals its account in the end (seed ${SEED})`, {
  timeout: SECONDS * 1000 + CALM_MS + 60_000,
}, async () => {
  const random = randomOf(SEED);
  const dataDir = mkdtempSync(join(tmpdir(), 'freshet-chaos-'));
  const server = await startEmbeddedPostgres({
    from: import.meta.url,
    dataDir,
    settings: { fsync: 'off', max_connections: '300' },
  });
  const admin = postgres(server.url, { max: 2, onnotice: () => {}, connection: { application_name: 'chaos' } });
  const simulators: FreshdeskSimulator[] = [];
  const at = (database: string) => Object.assign(new URL(server.url), { pathname: `/${database}` }).href;
  await admin.unsafe('create database control');
  // An account's subdomain is the end of the address that it answers at.
  let port = 0;
  for (let n = 0; n < PIPELINES; n++) {
    const simulator = new FreshdeskSimulator({
      host: `127.0.0.${FIRST_HOST + n}`,
      port,
      seed: SEED + n,
      counts: { tickets: 150, contacts: 40 },
      spanDays: 25,
      asOf: new Date(Date.now() - 3_600_000),
      faults: { seed: SEED + n, oneIn: 40 },
    });
    simulators.push(simulator);
    port = Number(new URL(await simulator.listen()).port);
  }
  await using fleet = new Fleet(at('control'), `http://127.0.0.{subdomain}:${port}`);
  for (const [app, count] of Object.entries(EACH) as [FleetApp, number][])
    for (let n = 1; n <= count; n++) fleet.launch(app, `${app}-${n}`);
  const api = () => eventually(async () => fleet.api(), 'an API answers');
  /** Whichever API is alive, until one answers. */
  const call = <T>(work: (api: ApiClient) => Promise<T>) =>
    eventually(
      async () => {
        const found = fleet.api();
        return found === null ? null : await work(found).catch(() => null);
      },
      'an API answers',
      CALM_MS,
    );
  try {
    await api().catch((e: unknown) => {
      throw new Error(`${fleet.crashes.slice(0, 20).join(' | ')} ${fleet.said}`, { cause: e });
    });
    const pipelines: { readonly id: string; readonly schema: string; readonly simulator: FreshdeskSimulator }[] = [];
    for (let n = 0; n < PIPELINES; n++) {
      const simulator = simulators[n] as FreshdeskSimulator;
      await admin.unsafe(`create database warehouse_${n}`);
      const wish = {
        subdomain: String(FIRST_HOST + n),
        apiKey: 'demo-admin-key',
        warehouseUrl: at(`warehouse_${n}`),
        historicalSyncDays: null,
      };
      const made = await eventually(
        async () => setUpPipeline(await api(), wish).catch(() => null),
        'the pipeline is made',
        60_000,
      );
      pipelines.push({ id: made.id, schema: made.destination_schema, simulator });
    }

    const until = Date.now() + SECONDS * 1000;
    const standing = new Set<string>();
    const background: Promise<unknown>[] = [];
    const backends = () =>
      admin<
        { pid: number }[]
      >`select pid from pg_stat_activity where backend_type = 'client backend' and application_name <> 'chaos' order by pid`;
    const change = ({ account }: FreshdeskSimulator) => {
      const key = 1 + random(150);
      if (random(4) === 0) account.create('tickets', { subject: `new ${random(1000)}` });
      else if (random(3) === 0) account.addChild('conversations', key, { body: `said ${random(1000)}` });
      else account.update('tickets', key, { subject: `changed ${random(1000)}` });
    };
    const shake = async () => {
      const name = fleet.names[random(fleet.names.length)] as string;
      switch (random(8)) {
        case 0:
        case 1:
        case 2:
          return fleet.kill(name);
        case 3: {
          if (standing.size > 0 || Date.now() + STANDSTILL_MS > until + 5000) return;
          standing.add(name);
          fleet.signal(name, 'SIGSTOP');
          background.push(
            sleep(STANDSTILL_MS).then(() => {
              standing.delete(name);
              fleet.signal(name, 'SIGCONT');
            }),
          );
          return;
        }
        case 4: {
          const some = await backends();
          const victim = some[random(Math.max(1, some.length))];
          // A backend that is killed takes the server down as a crash does: everybody is cut off, and it recovers.
          if (victim) process.kill(victim.pid, 'SIGKILL');
          return;
        }
        case 5: {
          await admin`select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'freshet%' and random() < 0.5`;
          return;
        }
        default: {
          const pipeline = pipelines[random(pipelines.length)];
          await fleet.api()?.call('POST', `/v1/pipelines/${pipeline?.id}/runs`);
        }
      }
    };
    while (Date.now() < until) {
      for (const { simulator } of pipelines) change(simulator);
      // What meets a database or an API that is down is what is wanted.
      await shake().catch(() => {});
      await sleep(200 + random(600));
    }
    await Promise.all(background);

    // Quiet: what is under way comes to its end, and one more run of each brings the rest.
    for (const { id, schema, simulator } of pipelines) {
      let run = await call((a) => a.call<RunAnswer>('POST', `/v1/pipelines/${id}/runs`));
      for (let tries = 0; ; tries++) {
        const runId = run.id;
        run = await eventually(
          async () => {
            const now = await call((a) => a.call<RunAnswer>('GET', `/v1/runs/${runId}`));
            return now.finished_at === null ? null : now;
          },
          `the run is over; ${fleet.said}`,
          CALM_MS,
        );
        // One that began in the noise may have failed, and says so.
        if (run.status === 'succeeded' && tries > 0) break;
        expect(tries, JSON.stringify(run.objects.filter((o) => o.status !== 'succeeded'))).toBeLessThan(4);
        run = await call((a) => a.call<RunAnswer>('POST', `/v1/pipelines/${id}/runs`));
      }
      await using warehouse = warehouseAt(at(`warehouse_${pipelines.findIndex((p) => p.id === id)}`));
      expect(await differences(simulator, warehouse as never, schema), `seed ${SEED}`).toEqual([]);
    }
    // No run claims what it did not do, nothing was given up, and no process ended by itself.
    await using control = warehouseAt(at('control'));
    const claims = await control.sql`
        select id from freshet.object_runs where status = 'succeeded'
          and records_extracted <> records_inserted + records_updated + records_unchanged + records_rejected`;
    expect(claims).toEqual([]);
    expect(await control.sql`select queue, reason from freshet.dead_jobs`).toEqual([]);
    expect(
      await control.sql`select id from freshet.runs where status = 'succeeded' and exists (
        select from freshet.object_runs o where o.run_id = runs.id and o.status <> 'succeeded' and o.status <> 'skipped')`,
    ).toEqual([]);
    expect(fleet.crashes, fleet.said).toEqual([]);
  } finally {
    for (const simulator of simulators) await simulator.close();
    await admin.end({ timeout: 1 });
    await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
});

function warehouseAt(url: string) {
  const sql = postgres(url, { max: 2, onnotice: () => {} });
  return { sql, [Symbol.asyncDispose]: () => sql.end({ timeout: 1 }) };
}
