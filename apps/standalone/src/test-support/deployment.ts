import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { newToken } from '@freshet/control-store';
import { FreshdeskSimulator, type SimulatorOptions } from '@freshet/freshdesk-simulator';
import { createDatabase, eventually, type TestDatabase } from '@freshet/testing';
import { ApiClient, type RunAnswer } from '../api-client.ts';
import { setUpPipeline } from '../setup.ts';

const APPS = ['api', 'extract-worker', 'load-worker', 'scheduler'] as const;
export type AppName = (typeof APPS)[number];

/** This checkout. */
const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

/** Real processes against a real PostgreSQL and a simulated account, which is in the test's own process. */
export class Deployment implements AsyncDisposable {
  readonly simulator: FreshdeskSimulator;
  readonly control: TestDatabase;
  readonly warehouse: TestDatabase;
  readonly schema = 'freshdesk_demo';
  #api: ApiClient | null = null;
  #port = 0;
  readonly #env: Record<string, string>;
  readonly #processes = new Map<string, ChildProcess>();
  readonly #monitors = new Map<string, string>();
  readonly #errors: string[] = [];

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
      FRESHET_BOOTSTRAP_TOKEN: newToken(),
      FRESHDESK_ORIGIN: origin,
      HOST: '127.0.0.1',
      LOG_LEVEL: 'error',
      FRESHET_ALLOWED_ADDRESSES: '127.0.0.0/8',
      FRESHET_MONITOR_PORT: '0',
      ...env,
    };
  }

  /**
   * @param env more settings of the processes.
   * @param root the checkout whose processes they are.
   */
  static async start(
    options: SimulatorOptions = {},
    apps: readonly AppName[] = APPS,
    env: Readonly<Record<string, string>> = {},
    root = ROOT,
  ): Promise<Deployment> {
    // At rest for an hour: nothing is so young that it is read twice for safety.
    const simulator = new FreshdeskSimulator({
      seed: 5,
      spanDays: 25,
      asOf: new Date(Date.now() - 3_600_000),
      ...options,
    });
    const [origin, control, warehouse] = await Promise.all([simulator.listen(), createDatabase(), createDatabase()]);
    const deployment = new Deployment(simulator, origin, control, warehouse, env);
    for (const app of apps) await deployment.launch(app, app, root);
    return deployment;
  }

  get api(): ApiClient {
    if (!this.#api) throw new Error('the API was not started');
    return this.#api;
  }

  /** Where the API answers. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Of the role `team_admin`. */
  get token(): string {
    return this.#env['FRESHET_BOOTSTRAP_TOKEN'] as string;
  }

  /** Of all its processes. */
  get secretKeys(): string {
    return this.#env['FRESHET_SECRET_KEYS'] as string;
  }

  /** What the processes wrote to stderr and logged as errors. */
  get errors(): readonly string[] {
    return this.#errors;
  }

  /** Starts a process; an API keeps its port over restarts. */
  async launch(app: AppName, name: string = app, root = ROOT): Promise<void> {
    const child = fork(join(root, `apps/${app}/src/main.ts`), [], {
      env: { ...this.#env, PORT: String(this.#port) },
      execArgv: [],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => this.#errors.push(text));
    this.#processes.set(name, child);
    child.on('message', (message) => {
      const { monitoring } = message as { monitoring?: string };
      if (monitoring !== undefined) this.#monitors.set(name, monitoring);
    });
    if (app !== 'api') return;
    const address = await new Promise<string>((resolve, reject) => {
      child.on('message', (message) => {
        const { listening } = message as { listening?: string };
        if (listening !== undefined) resolve(listening);
      });
      child.once('exit', () => reject(new Error(this.#errors.join(''))));
    });
    this.#port = Number(new URL(address).port);
    this.#api = new ApiClient(address, this.#env['FRESHET_BOOTSTRAP_TOKEN'] as string);
  }

  /** What a process answers to whoever watches it. */
  async monitor(name: string, path: string): Promise<{ readonly status: number; readonly text: string }> {
    const base = await eventually(async () => this.#monitors.get(name) ?? null, `${name} can be watched`);
    const response = await fetch(`${base}${path}`);
    return { status: response.status, text: await response.text() };
  }

  /** Of those that were started, whose process is there. */
  get alive(): readonly string[] {
    return [...this.#processes]
      .filter(([, child]) => child.exitCode === null && child.signalCode === null)
      .map(([name]) => name);
  }

  /** Sends a signal, without waiting for what comes of it. */
  signal(name: string, signal: NodeJS.Signals): ChildProcess {
    const child = this.#processes.get(name) as ChildProcess;
    child.kill(signal);
    return child;
  }

  /** `kill -9`, and waits until the process is gone. */
  async kill(name: string): Promise<void> {
    const child = this.#processes.get(name) as ChildProcess;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  async createPipeline(apiKey = 'demo-admin-key', historicalSyncDays: number | null = 30): Promise<string> {
    const { id } = await setUpPipeline(this.api, {
      subdomain: 'demo',
      apiKey,
      warehouseUrl: this.warehouse.warehouseUrl,
      historicalSyncDays,
    });
    return id;
  }

  run(id: string): Promise<RunAnswer> {
    return this.api.call<RunAnswer>('GET', `/v1/runs/${id}`);
  }

  startRun(pipelineId: string): Promise<RunAnswer> {
    return this.api.call<RunAnswer>('POST', `/v1/pipelines/${pipelineId}/runs`);
  }

  startAudit(pipelineId: string): Promise<RunAnswer> {
    return this.api.call<RunAnswer>('POST', `/v1/pipelines/${pipelineId}/runs`, { kind: 'audit' });
  }

  /** Audits now, and waits for the end. */
  async audit(pipelineId: string): Promise<RunAnswer> {
    const { id } = await this.startAudit(pipelineId);
    return this.finished(id);
  }

  /**
   * Waits for a run to be over, through restarts of the API.
   * @param withinMs more than a rate limit's windows take, where there is one.
   */
  async finished(runId: string, withinMs = 100_000): Promise<RunAnswer> {
    return await eventually(
      async () => {
        const run = await this.run(runId);
        return run.finished_at === null ? null : run;
      },
      'the run is over',
      withinMs,
    );
  }

  /** Runs now, and waits for the end. */
  async sync(pipelineId: string, withinMs?: number): Promise<RunAnswer> {
    const { id } = await this.startRun(pipelineId);
    return this.finished(id, withinMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#processes.values()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await gone;
    }
    await this.simulator.close();
    await this.control[Symbol.asyncDispose]();
    await this.warehouse[Symbol.asyncDispose]();
  }
}
