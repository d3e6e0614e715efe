import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type ControlStore, newToken, openControlStore, type Pipeline, type Run } from '@freshet/control-store';
import { catalogue, objectsToRead } from '@freshet/freshdesk-extractor';
import { WORKER_NODE_OPTIONS } from '@freshet/runtime';
import { startEmbeddedPostgres } from '@freshet/runtime/embedded-postgres';
import pg from 'pg';

export const KEY = 'demo-admin-key';

/** A PostgreSQL with a control database and a warehouse, and the real processes on it: what every benchmark stands on. */
export class Lab implements AsyncDisposable {
  readonly folder: string;
  readonly warehouseUrl: string;
  readonly store: ControlStore;
  readonly #env: Readonly<Record<string, string>>;
  readonly #cleanups: (() => unknown)[];

  private constructor(
    folder: string,
    warehouseUrl: string,
    store: ControlStore,
    env: Readonly<Record<string, string>>,
    cleanups: (() => unknown)[],
  ) {
    this.folder = folder;
    this.warehouseUrl = warehouseUrl;
    this.store = store;
    this.#env = env;
    this.#cleanups = cleanups;
  }

  /** @param origin where the simulated account answers. */
  static async open(origin: string, cleanups: (() => unknown)[] = []): Promise<Lab> {
    const folder = mkdtempSync(join(tmpdir(), 'freshet-bench-'));
    cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
    const postgres = await startEmbeddedPostgres({
      from: import.meta.url,
      dataDir: folder,
      settings: { max_wal_size: '4GB', shared_buffers: '512MB' },
    });
    cleanups.push(() => postgres.stop());
    const admin = new pg.Client(postgres.url);
    await admin.connect();
    await admin.query('create database freshet');
    await admin.query('create database warehouse');
    await admin.end();
    const at = (database: string) => Object.assign(new URL(postgres.url), { pathname: `/${database}` }).href;
    const env = {
      DATABASE_URL: at('freshet'),
      FRESHET_SECRET_KEYS: `bench:${randomBytes(32).toString('base64')}`,
      FRESHDESK_ORIGIN: origin,
      FRESHET_ALLOWED_ADDRESSES: '127.0.0.0/8',
      LOG_LEVEL: 'warn',
    };
    const store = await openControlStore({
      databaseUrl: env.DATABASE_URL,
      secretKeys: env.FRESHET_SECRET_KEYS,
      onError: console.error,
    });
    cleanups.push(() => store.close(1000));
    return new Lab(folder, at('warehouse'), store, env, cleanups);
  }

  /** A simulator in a process of its own. @returns where it answers. */
  static async simulator(args: readonly string[], cleanups: (() => unknown)[]): Promise<string> {
    return (await Lab.simulatorProcess(args, cleanups)).origin;
  }

  /** The same, to be stopped and sent on. */
  static async simulatorProcess(
    args: readonly string[],
    cleanups: (() => unknown)[],
  ): Promise<{ readonly origin: string; readonly child: ChildProcess }> {
    const child = spawn('packages/freshdesk-simulator/src/main.ts', args, {}, [], cleanups);
    return { origin: await listening(child), child };
  }

  worker(app: 'extract-worker' | 'load-worker' | 'scheduler'): ChildProcess {
    return spawn(`apps/${app}/src/main.ts`, [], this.#env, WORKER_NODE_OPTIONS, this.#cleanups);
  }

  /** The API, in a process of its own. @returns where it answers, and a token of the role `team_admin`. */
  async api(): Promise<{ readonly url: string; readonly token: string }> {
    const token = newToken();
    const env = {
      ...this.#env,
      FRESHET_BOOTSTRAP_TOKEN: token,
      FRESHET_REQUESTS_PER_MINUTE: '1000000',
      PORT: '0',
      HOST: '127.0.0.1',
    };
    return { url: await listening(spawn('apps/api/src/main.ts', [], env, [], this.#cleanups)), token };
  }

  /** Another server, of a script of the benchmark's own. @returns where it answers. */
  server(script: string): Promise<string> {
    return listening(spawn(script, [], this.#env, [], this.#cleanups));
  }

  /** Of the control database. */
  get controlUrl(): string {
    return this.#env['DATABASE_URL'] as string;
  }

  async pipeline(options: {
    readonly objects: readonly string[];
    readonly sharePercent?: number;
    readonly schema?: string;
  }): Promise<Pipeline> {
    const { objects, sharePercent = 100, schema = 'bench' } = options;
    const warehouse = new URL(this.warehouseUrl);
    const key = await this.store.credentials.create({ name: `key ${schema}`, type: 'freshdesk_api_key', secret: KEY });
    const password = await this.store.credentials.create({
      name: `password ${schema}`,
      type: 'postgres_password',
      secret: warehouse.password,
    });
    const destination = await this.store.destinations.create({
      name: `warehouse ${schema}`,
      type: 'postgres',
      host: warehouse.hostname,
      port: Number(warehouse.port),
      database: 'warehouse',
      username: warehouse.username,
      credential_id: password.id,
      ssl_mode: 'disable',
    });
    return this.store.pipelines.create({
      name: schema,
      subdomain: 'demo',
      credential_id: key.id,
      historical_sync_days: null,
      credit_share_percent: sharePercent,
      destination_id: destination.id,
      destination_schema: schema,
      table_prefix: '',
      frequency_minutes: 1440,
      audit_frequency_days: null,
      objects: Object.fromEntries(catalogue.map((o) => [o.name, { included: objects.includes(o.name) }])),
      schema_policy: 'evolve',
    });
  }

  async startRun(pipeline: Pipeline): Promise<string> {
    return (await this.store.runs.start(pipeline.id, 'manual', objectsToRead(pipeline.objects))).id;
  }

  /** @throws Error when the run did not succeed. */
  async finished(runId: string): Promise<Run> {
    for (;;) {
      const run = await this.store.runs.get(runId);
      if (run.finished_at !== null) {
        if (run.status === 'succeeded') return run;
        throw new Error(
          `The run ended as ${run.status}: ${run.objects.map((o) => `${o.object} ${o.status} ${o.error_message ?? ''}`).join('; ')}`,
        );
      }
      await sleep(50);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const cleanup of this.#cleanups.reverse()) await cleanup();
  }
}

function listening(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once('message', (m) => resolve((m as { listening: string }).listening));
    child.once('exit', (status) => reject(new Error(`A process ended with status ${status} before it listened.`)));
  });
}

/** The most memory that a process has had resident; Linux counts it. */
export function peakMiB(child: ChildProcess): number {
  return Math.round(Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024);
}

function spawn(
  path: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  execArgv: readonly string[],
  cleanups: (() => unknown)[],
): ChildProcess {
  const script = fileURLToPath(new URL(`../../${path}`, import.meta.url));
  const child = fork(script, args, {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: [...execArgv],
  });
  cleanups.push(
    () =>
      new Promise<void>((resolve) => {
        if (child.exitCode !== null || child.signalCode !== null) return resolve();
        child.once('exit', () => resolve());
        child.kill('SIGKILL');
      }),
  );
  return child;
}
