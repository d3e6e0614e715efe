import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { Freshet, type Run, type Schemas } from '@freshet/client';
import { generateToken } from '@freshet/control-store';
import { createControlDatabase } from '@freshet/control-store/test-support';
import { catalogue } from '@freshet/freshdesk-extractor';
import { FreshdeskSimulator, type SimulatorOptions } from '@freshet/freshdesk-simulator';
import { NODE_OPTIONS } from '@freshet/runtime';
import { createDatabase, findProcessModule, type TestDatabase, waitFor } from '@freshet/testing';
import { setUpPipeline } from '../setup.ts';
import { type Difference, findDifferences } from './differences.ts';

const APPS = ['api', 'extract-worker', 'load-worker', 'scheduler'] as const;
export type AppName = (typeof APPS)[number];

const RUN_TIMEOUT_MS = 100_000;
const RUN_POLL_INTERVAL_MS = 100;

/**
 * A deployment of real processes with a real PostgreSQL, and a simulated account in the process of
 * the test.
 */
export class Deployment implements AsyncDisposable {
  readonly simulator: FreshdeskSimulator;
  readonly control: TestDatabase;
  readonly warehouse: TestDatabase;
  readonly schema = 'freshdesk_demo';
  #api: Freshet | null = null;
  /** The port of the API. It stays the same across restarts. */
  #port = 0;
  readonly #env: Record<string, string>;
  readonly #processes = new Map<string, ChildProcess>();
  readonly #monitorUrls = new Map<string, string>();
  readonly #logs: string[] = [];
  /** The objects of the pipeline. */
  #objects = catalogue.filter(({ includedByDefault }) => includedByDefault);

  private constructor(
    simulator: FreshdeskSimulator,
    origin: string,
    control: TestDatabase,
    warehouse: TestDatabase,
    env: Readonly<Record<string, string>>,
  ) {
    this.simulator = simulator;
    this.control = control;
    this.warehouse = warehouse;
    this.#env = {
      PATH: process.env['PATH'] ?? '',
      DATABASE_URL: control.url,
      FRESHET_SECRET_KEYS: `test:${randomBytes(32).toString('base64')}`,
      FRESHET_BOOTSTRAP_TOKEN: generateToken(),
      FRESHDESK_ORIGIN: origin,
      HOST: '127.0.0.1',
      LOG_LEVEL: 'error',
      FRESHET_ALLOWED_ADDRESSES: '127.0.0.0/8',
      FRESHET_MONITOR_PORT: '0',
      ...env,
    };
  }

  /**
   * @param env additional settings of the processes.
   * @param release the sources of a different release, whose processes are started.
   */
  static async start(
    options: SimulatorOptions = {},
    apps: readonly AppName[] = APPS,
    env: Readonly<Record<string, string>> = {},
    release?: string,
  ): Promise<Deployment> {
    // A sync rereads the records in its lookback window. The latest change is one hour old, so no
    // record is in a lookback window.
    const simulator = new FreshdeskSimulator({
      seed: 5,
      spanDays: 25,
      asOf: new Date(Date.now() - 3_600_000),
      ...options,
    });
    const [origin, control, warehouse] = await Promise.all([
      simulator.listen(),
      // The processes of a different release must find only the migrations of that release.
      release === undefined ? createControlDatabase() : createDatabase(),
      createDatabase(),
    ]);
    const deployment = new Deployment(simulator, origin, control, warehouse, env);
    await Promise.all(apps.map((app) => deployment.launch(app, app, release)));
    return deployment;
  }

  /** A client of the API with the role `team_admin`. */
  get api(): Freshet {
    if (!this.#api) throw new Error('the API was not started');
    return this.#api;
  }

  /** The URL of the API. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** A token with the role `team_admin`. */
  get token(): string {
    return this.#env['FRESHET_BOOTSTRAP_TOKEN'] as string;
  }

  get secretKeys(): string {
    return this.#env['FRESHET_SECRET_KEYS'] as string;
  }

  /** Everything that the processes have written to stdout and stderr. */
  get logs(): readonly string[] {
    return this.#logs;
  }

  /** The names of the processes that are running. */
  get runningProcesses(): readonly string[] {
    return [...this.#processes].filter(([, child]) => isRunning(child)).map(([name]) => name);
  }

  /** Starts a process. If the process is an API, waits until the API is ready. */
  async launch(app: AppName, name: string = app, release?: string): Promise<void> {
    const child = fork(findProcessModule(`apps/${app}/src/main`, release), [], {
      env: { ...this.#env, PORT: String(this.#port) },
      execArgv: [...NODE_OPTIONS],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => this.#logs.push(text));
    this.#processes.set(name, child);
    child.on('message', (message) => {
      const { monitoring } = message as { monitoring?: string };
      if (monitoring !== undefined) this.#monitorUrls.set(name, monitoring);
    });
    if (app !== 'api') return;
    const url = await new Promise<string>((resolve, reject) => {
      child.on('message', (message) => {
        const { listening } = message as { listening?: string };
        if (listening !== undefined) resolve(listening);
      });
      child.once('exit', () => reject(new Error(this.#logs.join(''))));
    });
    this.#port = Number(new URL(url).port);
    this.#api = new Freshet({ url, token: this.token });
  }

  /** Requests a path from the monitor of a process. */
  async fetchFromMonitor(name: string, path: string): Promise<{ readonly status: number; readonly text: string }> {
    const url = await waitFor(async () => this.#monitorUrls.get(name) ?? null, `the monitor of ${name} is available`);
    const response = await fetch(`${url}${path}`);
    return { status: response.status, text: await response.text() };
  }

  /** Sends a signal to a process, without waiting for its effect. */
  signal(name: string, signal: NodeJS.Signals): ChildProcess {
    const child = this.#processes.get(name) as ChildProcess;
    child.kill(signal);
    return child;
  }

  /** Kills a process with SIGKILL, and waits for its exit. */
  async kill(name: string): Promise<void> {
    await killChild(this.#processes.get(name) as ChildProcess);
  }

  /**
   * Creates the pipeline of the account `demo`. A new pipeline is due immediately, so a scheduler
   * that is still starting could start a run at any time during the test. The next run is therefore
   * postponed by a day. A scheduler that already runs may have started a run, which `startRun`
   * returns.
   * @param historicalSyncDays null: all history.
   * @param objects the names of the objects that the pipeline includes. Each further object makes
   *   every run longer. Absent: the default selection, to which a test can add objects.
   */
  async createPipeline(
    apiKey = 'demo-admin-key',
    historicalSyncDays: number | null = 30,
    objects?: readonly string[],
  ): Promise<string> {
    if (objects) this.#objects = catalogue.filter(({ name }) => objects.includes(name));
    const { id } = await setUpPipeline(this.api, {
      subdomain: 'demo',
      apiKey,
      warehouseUrl: this.warehouse.warehouseUrl,
      historicalSyncDays,
      objects: objects
        ? Object.fromEntries(catalogue.map(({ name }) => [name, { included: objects.includes(name) }]))
        : {},
    });
    await this.control.sql`
      update freshet.pipelines set next_run_at = now() + interval '1 day' where id = ${id} and next_run_at <= now()`;
    return id;
  }

  /** Finds all differences between the account and the tables of the pipeline. */
  findDifferences(): Promise<Difference[]> {
    return findDifferences(this.simulator, this.warehouse, this.schema, this.#objects);
  }

  /** Switches the analytics models of a pipeline on, and waits until they exist. */
  async enableAnalytics(id: string): Promise<void> {
    await this.updatePipeline(id, { analytics: true });
    await this.waitForRefresh(id);
  }

  /** Waits until the requested refresh of the analytics models has succeeded or failed. */
  async waitForRefresh(id: string): Promise<NonNullable<Schemas['Pipeline']['analytics_refresh']>> {
    return await waitFor(
      async () => {
        const { analytics_refresh: refresh } = await this.api.get('/v1/pipelines/{id}', { params: { path: { id } } });
        return refresh === null || refresh.status === 'pending' ? null : refresh;
      },
      'the analytics models are refreshed',
      RUN_TIMEOUT_MS,
      RUN_POLL_INTERVAL_MS,
    );
  }

  async updatePipeline(id: string, body: Schemas['PipelineUpdate']): Promise<void> {
    await this.api.patch('/v1/pipelines/{id}', { params: { path: { id } }, body });
  }

  async updateObject(id: string, object: string, body: Schemas['PipelineObjectUpdate']): Promise<void> {
    await this.api.patch('/v1/pipelines/{id}/objects/{object}', { params: { path: { id, object } }, body });
  }

  async restartObject(id: string, object: string): Promise<void> {
    await this.api.post('/v1/pipelines/{id}/objects/{object}/restart', { params: { path: { id, object } } });
  }

  getRun(id: string): Promise<Run> {
    return this.api.get('/v1/runs/{id}', { params: { path: { id } } });
  }

  /** Returns the runs of a pipeline, the latest first. */
  async listRuns(pipelineId: string): Promise<readonly Run[]> {
    const { data } = await this.api.get('/v1/runs', { params: { query: { pipeline_id: pipelineId } } });
    return data;
  }

  startRun(pipelineId: string): Promise<Run> {
    return this.api.post('/v1/pipelines/{id}/runs', { params: { path: { id: pipelineId } } });
  }

  startAudit(pipelineId: string): Promise<Run> {
    return this.api.post('/v1/pipelines/{id}/runs', { params: { path: { id: pipelineId } }, body: { kind: 'audit' } });
  }

  /** Starts an audit and waits for its end. */
  async audit(pipelineId: string): Promise<Run> {
    const { id } = await this.startAudit(pipelineId);
    return this.waitForRun(id);
  }

  /** Waits until a run has finished, even if the API restarts. */
  async waitForRun(runId: string, timeoutMs = RUN_TIMEOUT_MS): Promise<Run> {
    return await waitFor(
      async () => {
        const run = await this.getRun(runId);
        return run.finished_at === null ? null : run;
      },
      'the run has finished',
      timeoutMs,
      RUN_POLL_INTERVAL_MS,
    );
  }

  /** Starts a run and waits for its end. */
  async sync(pipelineId: string, timeoutMs?: number): Promise<Run> {
    const { id } = await this.startRun(pipelineId);
    return this.waitForRun(id, timeoutMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#processes.values()) if (isRunning(child)) await killChild(child);
    await this.simulator.close();
    await this.control[Symbol.asyncDispose]();
    await this.warehouse[Symbol.asyncDispose]();
  }
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

async function killChild(child: ChildProcess): Promise<void> {
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await exit;
}
