import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type ControlStore, generateToken, openControlStore, type Pipeline, type Run } from '@freshet/control-store';
import { catalogue, listObjectsToExtract } from '@freshet/freshdesk-extractor';
import { NODE_OPTIONS } from '@freshet/runtime';
import { startEmbeddedPostgres } from '@freshet/runtime/embedded-postgres';
import pg from 'pg';

export const API_KEY = 'demo-admin-key';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
let bundle: string | null = null;

/**
 * Returns the file of a process in the bundle of the current sources.
 * @param path the path of the module in the repository, without its extension: `apps/api/src/main`.
 */
export function findProcessModule(path: string): string {
  const args = ['--disable-warning=ExperimentalWarning', join(ROOT, 'scripts/bundle.mjs')];
  bundle ??= execFileSync(process.execPath, args, { encoding: 'utf8' }).trim();
  return join(bundle, `${path}.js`);
}

/**
 * The deployment that most benchmarks run against: an embedded PostgreSQL with a control database
 * and a warehouse, and the real processes. Disposal stops the processes and deletes the data.
 */
export class BenchDeployment implements AsyncDisposable {
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

  /**
   * @param origin the origin of the simulated account.
   * @param cleanups functions to call on disposal, the last function first.
   */
  static async start(origin: string, cleanups: (() => unknown)[] = []): Promise<BenchDeployment> {
    const folder = mkdtempSync(join(tmpdir(), 'freshet-bench-'));
    cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
    const postgres = await startEmbeddedPostgres({
      resolveFrom: import.meta.url,
      dataDir: folder,
      isTemporary: true,
      settings: { max_wal_size: '4GB', shared_buffers: '512MB' },
    });
    cleanups.push(() => postgres.stop());
    const admin = new pg.Client(postgres.url);
    await admin.connect();
    await admin.query('create database freshet');
    await admin.query('create database warehouse');
    await admin.end();
    const getDatabaseUrl = (database: string) =>
      Object.assign(new URL(postgres.url), { pathname: `/${database}` }).href;
    const env = {
      DATABASE_URL: getDatabaseUrl('freshet'),
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
    return new BenchDeployment(folder, getDatabaseUrl('warehouse'), store, env, cleanups);
  }

  /**
   * Starts a simulator in a separate process.
   * @returns the origin of the simulator.
   */
  static async startSimulator(args: readonly string[], cleanups: (() => unknown)[]): Promise<string> {
    return (await BenchDeployment.startSimulatorProcess(args, cleanups)).origin;
  }

  /**
   * Starts a simulator in a separate process.
   * @returns the origin and the process, which can be suspended with signals.
   */
  static async startSimulatorProcess(
    args: readonly string[],
    cleanups: (() => unknown)[],
  ): Promise<{ readonly origin: string; readonly child: ChildProcess }> {
    const child = startProcess({ script: findProcessModule('packages/freshdesk-simulator/src/main'), args, cleanups });
    return { origin: await waitForListening(child), child };
  }

  startWorker(app: 'extract-worker' | 'load-worker' | 'scheduler'): ChildProcess {
    return startProcess({
      script: findProcessModule(`apps/${app}/src/main`),
      env: this.#env,
      nodeOptions: NODE_OPTIONS,
      cleanups: this.#cleanups,
    });
  }

  /**
   * Waits until the workers poll for jobs. A worker that polls has registered itself as a pg-boss
   * instance.
   */
  async waitForStart(...workers: readonly ChildProcess[]): Promise<void> {
    const pids = workers.map(({ pid }) => pid);
    const client = new pg.Client(this.controlDatabaseUrl);
    await client.connect();
    for (;;) {
      const { rows } = await client.query<{ n: number }>(
        'select count(*)::int as n from freshet.processes where pid = any($1) and stopped_at is null',
        [pids],
      );
      if (rows[0]?.n === pids.length) break;
      await sleep(20);
    }
    await client.end();
  }

  /**
   * Starts the API.
   * @returns the URL of the API, and a token with the role `team_admin`.
   */
  async startApi(): Promise<{ readonly url: string; readonly token: string; readonly child: ChildProcess }> {
    const token = generateToken();
    const env = {
      ...this.#env,
      FRESHET_BOOTSTRAP_TOKEN: token,
      FRESHET_REQUESTS_PER_MINUTE: '1000000',
      PORT: '0',
      HOST: '127.0.0.1',
    };
    const child = startProcess({ script: findProcessModule('apps/api/src/main'), env, cleanups: this.#cleanups });
    return { url: await waitForListening(child), token, child };
  }

  /**
   * Starts a server script of a benchmark.
   * @returns the URL of the server.
   */
  startServer(script: string): Promise<string> {
    return waitForListening(startProcess({ script: join(ROOT, script), env: this.#env, cleanups: this.#cleanups }));
  }

  /** The connection URL of the control database. */
  get controlDatabaseUrl(): string {
    return this.#env['DATABASE_URL'] as string;
  }

  async createPipeline(options: {
    readonly objects: readonly string[];
    readonly sharePercent?: number;
    readonly schema?: string;
  }): Promise<Pipeline> {
    const { objects, sharePercent = 100, schema = 'bench' } = options;
    const warehouse = new URL(this.warehouseUrl);
    const key = await this.store.credentials.create({
      name: `key ${schema}`,
      type: 'freshdesk_api_key',
      secret: API_KEY,
    });
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
    return (await this.store.runs.start(pipeline.id, 'manual', listObjectsToExtract(pipeline.objects))).id;
  }

  /** Waits until the run finishes. @throws Error if the run did not succeed. */
  async waitForRun(runId: string): Promise<Run> {
    for (;;) {
      const run = await this.store.runs.get(runId);
      if (run.finished_at !== null) {
        if (run.status === 'succeeded') return run;
        throw new Error(
          `The run finished with status ${run.status}: ${run.objects.map((o) => `${o.object} ${o.status} ${o.error_message ?? ''}`).join('; ')}`,
        );
      }
      await sleep(50);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const cleanup of this.#cleanups.reverse()) await cleanup();
  }
}

function waitForListening(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once('message', (m) => resolve((m as { listening: string }).listening));
    child.once('exit', (status) =>
      reject(new Error(`A process exited with status ${status} before it was listening.`)),
    );
  });
}

/** Returns the peak resident memory of a process in MiB, as counted by Linux (`VmHWM`). */
export function getPeakMemoryMiB(child: ChildProcess): number {
  return Math.round(Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024);
}

/** Returns the user and system time of a running process in seconds. */
export function getCpuSeconds(child: ChildProcess): number {
  const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

interface ProcessOptions {
  /** The file to run. */
  readonly script: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly nodeOptions?: readonly string[];
  /** The function that kills the process is added to this list. */
  readonly cleanups: (() => unknown)[];
}

function startProcess({ script, args = [], env = {}, nodeOptions = [], cleanups }: ProcessOptions): ChildProcess {
  const child = fork(script, args, {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: [...nodeOptions],
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
