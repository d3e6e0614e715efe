import { AppError } from '@freshet/contracts';
import { removeLocalDeployment, resolveEntryModule, saveLocalDeployment } from '@freshet/runtime';
import { startEmbeddedPostgres } from '@freshet/runtime/embedded-postgres';
import postgres from 'postgres';
import { ChildProcesses } from './child-processes.ts';
import type { PersistentState } from './persistent-state.ts';
import type { StandaloneSettings } from './settings.ts';
import type { StartDisplay } from './start-display.ts';

export const DEMO_ACCOUNT = { subdomain: 'demo', apiKey: 'demo-admin-key' };
const DEMO_SPAN_DAYS = 28;
const DEFAULT_PORT = 8080;
/** The databases of the embedded PostgreSQL. */
const CONTROL_DATABASE = 'freshet';
const WAREHOUSE = 'warehouse';
const WORKERS = ['extract-worker', 'load-worker', 'scheduler'];

interface Started {
  readonly apiUrl: string;
  readonly warehouseUrl: string;
}

/**
 * The parts of a deployment on one machine: PostgreSQL, a simulated account, the API, the workers
 * and the scheduler. PostgreSQL is not started if the settings contain the URLs of both databases.
 * The simulated account is not started if the settings contain an account.
 */
export class StandaloneDeployment {
  readonly #settings: StandaloneSettings;
  readonly #state: PersistentState;
  readonly #display: StartDisplay;
  readonly #children: ChildProcesses;
  /** The functions that stop the started parts, in the order of the start. */
  #cleanups: (() => Promise<void>)[] = [];
  #starting: Promise<unknown> | null = null;
  #workerEnv: Readonly<Record<string, string>> = {};
  readonly #stopping = new AbortController();

  /** @param display shows the steps of the start. */
  constructor(settings: StandaloneSettings, state: PersistentState, display: StartDisplay) {
    this.#settings = settings;
    this.#state = state;
    this.#display = display;
    this.#children = new ChildProcesses(settings.dataDir);
    this.#children.onExit = (name, status, willRestart) =>
      display.print(
        `The ${name} exited (${status})${willRestart ? ' and is being restarted' : ''}. See ${settings.dataDir}/logs/${name}.log.`,
      );
  }

  get isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  /** The API token. It has the role `team_admin`. */
  get token(): string {
    return this.#settings.bootstrapToken ?? this.#state.token;
  }

  /**
   * Starts all parts except the workers and the scheduler.
   * @returns the URLs of the API and the warehouse.
   * @throws AppError `configuration` when a part does not start.
   * @throws DOMException `AbortError` when the deployment is stopped during the start.
   */
  start(): Promise<Started> {
    const started = this.#startParts();
    this.#starting = started;
    return started;
  }

  /** Starts the workers and the scheduler. The API must be available. */
  startWorkers(): void {
    this.#stopping.signal.throwIfAborted();
    for (const name of WORKERS) this.#children.start({ name, main: getMainModule(name), env: this.#workerEnv });
  }

  /**
   * Stops all parts in reverse order, including the parts that are starting. Further calls do
   * nothing.
   */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#cleanUp();
    // PostgreSQL or the simulated account may have started in the meantime. `start` reports errors.
    await this.#starting?.catch(() => {});
    await this.#cleanUp();
  }

  async #cleanUp(): Promise<void> {
    for (const cleanUp of this.#cleanups.splice(0).reverse()) await cleanUp();
  }

  async #startParts(): Promise<Started> {
    const [{ databaseUrl, warehouseUrl }, origin] = await Promise.all([
      this.#startPostgres(),
      this.#settings.account === null ? this.#startSimulator() : this.#settings.origin,
    ]);
    this.#stopping.signal.throwIfAborted();
    const env = {
      DATABASE_URL: databaseUrl,
      FRESHET_SECRET_KEYS: this.#settings.secretKeys ?? this.#state.secret_keys,
      LOG_LEVEL: this.#settings.logLevel,
      // The warehouse and webhook receivers may be on this machine, because the user controls the
      // whole machine.
      FRESHET_ALLOWED_ADDRESSES: '127.0.0.0/8,::1/128',
      ...(origin === null ? {} : { FRESHDESK_ORIGIN: origin }),
    };
    this.#cleanups.push(() => this.#children.stop('api', ...WORKERS));
    this.#workerEnv = env;
    const startApi = async () => {
      const url = await this.#startApi({ ...env, FRESHET_BOOTSTRAP_TOKEN: this.token, HOST: this.#settings.host });
      const { dataDir } = this.#settings;
      saveLocalDeployment(dataDir, { url, token: this.token });
      this.#cleanups.push(async () => removeLocalDeployment(dataDir));
      return url;
    };
    const apiUrl = await this.#display.step('API', startApi, (url) => url);
    return { apiUrl, warehouseUrl };
  }

  async #startPostgres(): Promise<{ readonly databaseUrl: string; readonly warehouseUrl: string }> {
    const { databaseUrl, warehouseUrl, dataDir } = this.#settings;
    if (databaseUrl !== null && warehouseUrl !== null) return { databaseUrl, warehouseUrl };
    const server = await this.#display.step(
      'PostgreSQL',
      () =>
        startEmbeddedPostgres({
          resolveFrom: import.meta.url,
          dataDir,
          databases: [CONTROL_DATABASE, WAREHOUSE],
        }),
      (started) => started.dataDir,
    );
    this.#cleanups.push(() => server.stop());
    const [ownDatabaseUrl, ownWarehouseUrl] = await Promise.all([
      databaseUrl ?? ensureDatabase(server.url, CONTROL_DATABASE),
      warehouseUrl ?? ensureDatabase(server.url, WAREHOUSE),
    ]);
    return { databaseUrl: ownDatabaseUrl, warehouseUrl: ownWarehouseUrl };
  }

  /** Starts the simulated account in this process, which has little other work. */
  #startSimulator(): Promise<string> {
    const start = async () => {
      const { FreshdeskSimulator } = await import('@freshet/freshdesk-simulator');
      const simulator = new FreshdeskSimulator({
        asOf: new Date(this.#state.simulated_as_of),
        spanDays: DEMO_SPAN_DAYS,
        lifecycle: true,
        plan: 'demo',
      });
      const origin = await simulator.listen();
      this.#cleanups.push(() => simulator.close());
      return origin;
    };
    return this.#display.step('Simulated account', start, (origin) => origin);
  }

  /**
   * Starts the API on the configured port. Without a configured port, uses the default port or, if
   * the default port is in use, a free port.
   */
  async #startApi(env: Readonly<Record<string, string>>): Promise<string> {
    const start = (port: number) =>
      this.#children.startListener({ name: 'api', main: getMainModule('api'), env: { ...env, PORT: String(port) } });
    if (this.#settings.port !== null) return start(this.#settings.port);
    try {
      return await start(DEFAULT_PORT);
    } catch (error) {
      if (!(error instanceof AppError && error.message.includes(`port ${DEFAULT_PORT} is in use`))) throw error;
      this.#stopping.signal.throwIfAborted();
      return start(0);
    }
  }
}

function getMainModule(app: string): string {
  return resolveEntryModule(`../../${app}/src/main`, import.meta.url);
}

/**
 * Creates the database if an earlier release created the cluster without it.
 * @returns the URL of the database.
 */
async function ensureDatabase(superuserUrl: string, name: string): Promise<string> {
  const sql = postgres(superuserUrl, { max: 1, fetch_types: false, onnotice: () => {} });
  try {
    const existing = await sql`select from pg_database where datname = ${name}`;
    if (existing.length === 0) await sql.unsafe(`create database ${name}`);
  } finally {
    await sql.end();
  }
  const url = new URL(superuserUrl);
  url.pathname = `/${name}`;
  return url.href;
}
