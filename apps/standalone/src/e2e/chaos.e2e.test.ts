import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Freshet } from '@freshet/client';
import { FreshdeskSimulator } from '@freshet/freshdesk-simulator';
import { startEmbeddedPostgres } from '@freshet/runtime/embedded-postgres';
import { waitFor } from '@freshet/testing';
import postgres from 'postgres';
import { expect, test } from 'vitest';
import { setUpPipeline } from '../setup.ts';
import { findDifferences } from '../test-support/differences.ts';
import { Fleet, type FleetApp } from '../test-support/fleet.ts';

/*
 * Injects failures for a limited time: kills and suspends processes, crashes the database,
 * terminates connections, and lets requests to the accounts fail at random while records change.
 * Then the failures stop, and every warehouse must equal its account. `npm run test:chaos` runs for
 * a longer time and with more processes.
 */

const readNumber = (name: string, fallback: number) => Number(process.env[name] || fallback);
const SEED = readNumber('FRESHET_SEED', Math.floor(Math.random() * 2 ** 31));
const SECONDS = readNumber('FRESHET_CHAOS_SECONDS', 15);
const PIPELINES = readNumber('FRESHET_CHAOS_PIPELINES', 2);
const PROCESS_COUNTS: Readonly<Record<FleetApp, number>> = {
  api: 2,
  'extract-worker': readNumber('FRESHET_CHAOS_WORKERS', 2),
  'load-worker': readNumber('FRESHET_CHAOS_WORKERS', 2),
  scheduler: 2,
};
/**
 * The duration of a suspension. It exceeds the heartbeat timeout, so that other workers acquire the
 * jobs of the suspended process.
 */
const SUSPENSION_MS = 20_000;
/** The accounts listen at 127.0.0.10, 127.0.0.11 and so on. */
const FIRST_HOST = 10;
/** The time for recovery: retries with their backoff, and one complete run of each pipeline. */
const RECOVERY_MS = 240_000;

/**
 * Returns a xorshift generator of integers from 0 to `below` - 1.
 * https://en.wikipedia.org/wiki/Xorshift
 */
function createRandom(seed: number): (below: number) => number {
  let state = seed >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % below;
  };
}

test(`every warehouse equals its account after crashes, suspensions and lost connections (seed ${SEED}) (I1, I2, I3, I7, I8)`, {
  timeout: SECONDS * 1000 + RECOVERY_MS + 60_000,
}, async () => {
  const random = createRandom(SEED);
  const dataDir = mkdtempSync(join(tmpdir(), 'freshet-chaos-'));
  const server = await startEmbeddedPostgres({
    resolveFrom: import.meta.url,
    dataDir,
    isTemporary: true,
    settings: { fsync: 'off', max_connections: '300' },
  });
  const admin = postgres(server.url, { max: 2, onnotice: () => {}, connection: { application_name: 'chaos' } });
  const simulators: FreshdeskSimulator[] = [];
  const getUrl = (database: string) => Object.assign(new URL(server.url), { pathname: `/${database}` }).href;
  await admin.unsafe('create database control');
  // Each account has its own IP address. The last octet serves as the account's subdomain.
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
  await using fleet = new Fleet(getUrl('control'), `http://127.0.0.{subdomain}:${port}`);
  for (const [app, count] of Object.entries(PROCESS_COUNTS) as [FleetApp, number][])
    for (let n = 1; n <= count; n++) fleet.launch(app, `${app}-${n}`);
  const waitForApi = () => waitFor(async () => fleet.findApi(), 'an API is available');
  /** Repeats a request with any running API until it succeeds. */
  const request = <T>(send: (api: Freshet) => Promise<T>) =>
    waitFor(
      async () => {
        const api = fleet.findApi();
        return api === null ? null : await send(api).catch(() => null);
      },
      'an API responds',
      RECOVERY_MS,
    );
  try {
    await waitForApi().catch((error: unknown) => {
      throw new Error(`${fleet.crashes.slice(0, 20).join(' | ')} ${fleet.recentOutput}`, { cause: error });
    });
    const pipelines: { readonly id: string; readonly schema: string; readonly simulator: FreshdeskSimulator }[] = [];
    for (let n = 0; n < PIPELINES; n++) {
      const simulator = simulators[n] as FreshdeskSimulator;
      await admin.unsafe(`create database warehouse_${n}`);
      const settings = {
        subdomain: String(FIRST_HOST + n),
        apiKey: 'demo-admin-key',
        warehouseUrl: getUrl(`warehouse_${n}`),
        historicalSyncDays: null,
      };
      const pipeline = await waitFor(
        async () => setUpPipeline(await waitForApi(), settings).catch(() => null),
        'the pipeline is created',
        60_000,
      );
      pipelines.push({ id: pipeline.id, schema: pipeline.destination_schema, simulator });
    }

    const until = Date.now() + SECONDS * 1000;
    const suspended = new Set<string>();
    const resumptions: Promise<unknown>[] = [];
    const listBackends = () =>
      admin<
        { pid: number }[]
      >`select pid from pg_stat_activity where backend_type = 'client backend' and application_name <> 'chaos' order by pid`;
    const changeAccount = ({ account }: FreshdeskSimulator) => {
      const key = 1 + random(150);
      if (random(4) === 0) account.create('tickets', { subject: `new ${random(1000)}` });
      else if (random(3) === 0) account.createChild('conversations', key, { body: `note ${random(1000)}` });
      else account.update('tickets', key, { subject: `changed ${random(1000)}` });
    };
    const injectFailure = async () => {
      const name = fleet.names[random(fleet.names.length)] as string;
      switch (random(8)) {
        case 0:
        case 1:
        case 2:
          return fleet.kill(name);
        case 3: {
          if (suspended.size > 0 || Date.now() + SUSPENSION_MS > until + 5000) return;
          suspended.add(name);
          fleet.signal(name, 'SIGSTOP');
          resumptions.push(
            sleep(SUSPENSION_MS).then(() => {
              suspended.delete(name);
              fleet.signal(name, 'SIGCONT');
            }),
          );
          return;
        }
        case 4: {
          const backends = await listBackends();
          const victim = backends[random(Math.max(1, backends.length))];
          // After a backend is killed, the server closes all connections and recovers as after a
          // crash.
          if (victim) process.kill(victim.pid, 'SIGKILL');
          return;
        }
        case 5: {
          await admin`select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'freshet%' and random() < 0.5`;
          return;
        }
        default: {
          const pipeline = pipelines[random(pipelines.length)];
          if (pipeline)
            await fleet.findApi()?.post('/v1/pipelines/{id}/runs', { params: { path: { id: pipeline.id } } });
        }
      }
    };
    while (Date.now() < until) {
      for (const { simulator } of pipelines) changeAccount(simulator);
      // Requests are expected to fail while the database or the API is down.
      await injectFailure().catch(() => {});
      await sleep(200 + random(600));
    }
    await Promise.all(resumptions);

    // Recovery: the runs in progress finish, and one more run of each pipeline extracts the
    // remaining changes.
    for (const { id, schema, simulator } of pipelines) {
      const startRun = () => request((api) => api.post('/v1/pipelines/{id}/runs', { params: { path: { id } } }));
      let run = await startRun();
      for (let attempts = 0; ; attempts++) {
        const runId = run.id;
        run = await waitFor(
          async () => {
            const current = await request((api) => api.get('/v1/runs/{id}', { params: { path: { id: runId } } }));
            return current.finished_at === null ? null : current;
          },
          `the run has finished; ${fleet.recentOutput}`,
          RECOVERY_MS,
        );
        // The first run may have failed, because it started during the failures.
        if (run.status === 'succeeded' && attempts > 0) break;
        expect(attempts, JSON.stringify(run.objects.filter((o) => o.status !== 'succeeded'))).toBeLessThan(4);
        run = await startRun();
      }
      await using warehouse = openDatabase(getUrl(`warehouse_${pipelines.findIndex((p) => p.id === id)}`));
      expect(await findDifferences(simulator, warehouse as never, schema), `seed ${SEED}`).toEqual([]);
    }
    // The counts of every run add up, no job is dead, and no process has crashed.
    await using control = openDatabase(getUrl('control'));
    const wrongCounts = await control.sql`
        select id from freshet.object_runs where status = 'succeeded'
          and records_extracted <> records_inserted + records_updated + records_unchanged + records_rejected`;
    expect(wrongCounts).toEqual([]);
    expect(await control.sql`select queue, reason from freshet.dead_jobs`).toEqual([]);
    expect(
      await control.sql`select id from freshet.runs where status = 'succeeded' and exists (
        select from freshet.object_runs o where o.run_id = runs.id and o.status <> 'succeeded' and o.status <> 'skipped')`,
    ).toEqual([]);
    expect(fleet.crashes, fleet.recentOutput).toEqual([]);
  } finally {
    for (const simulator of simulators) await simulator.close();
    await admin.end({ timeout: 1 });
    await server.stop();
  }
});

function openDatabase(url: string) {
  const sql = postgres(url, { max: 2, onnotice: () => {} });
  return { sql, [Symbol.asyncDispose]: () => sql.end({ timeout: 1 }) };
}
