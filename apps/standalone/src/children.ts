import { type ChildProcess, fork } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '@freshet/contracts';
import { WORKER_NODE_OPTIONS } from '@freshet/runtime';

export interface ChildSpec {
  readonly name: string;
  readonly main: string;
  readonly args?: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** EX_CONFIG: the child has said what is wrong with its settings, and would again. */
const CONFIGURATION_STATUS = 78;
/** Settings of single apps, which they read themselves. */
const PASSED_ON = [
  'FRESHET_CONCURRENCY',
  'FRESHET_ANSWER_MIB_MAX',
  'FRESHET_UNLOADED_MIB_MAX',
  'FRESHET_REQUESTS_PER_MINUTE',
];
/** OpenTelemetry's, which it reads itself. */
const TRACING = 'OTEL_';
const RESTART_MS = 1000;
const STOP_TIMEOUT_MS = 45_000;

/**
 * The processes of a standalone deployment. Each has a process group of its own, so that Ctrl-C reaches this
 * process only, which ends them in order; each notices by its channel when this process is gone, however.
 */
export class Children {
  readonly #logDir: string;
  readonly #running = new Map<string, ChildProcess>();
  #stopping = false;
  /** Told when a child has ended by itself and is started again. */
  onRestart: (name: string, status: string) => void = () => {};

  constructor(dataDir: string) {
    this.#logDir = join(dataDir, 'logs');
    mkdirSync(this.#logDir, { recursive: true });
  }

  /** @returns the address it says it listens at. @throws AppError `configuration` with its own words when it ends instead. */
  startListener(spec: ChildSpec): Promise<string> {
    return new Promise((resolve, reject) => {
      const { child, words } = this.#fork(spec);
      child.on('message', (message) => {
        const { listening } = message as { listening?: string };
        if (listening === undefined) return;
        this.#keep(spec, child);
        resolve(listening);
      });
      child.once('exit', (code) =>
        reject(
          new AppError('configuration', words() || `The ${spec.name} ended with status ${code}; see ${this.#logDir}.`),
        ),
      );
    });
  }

  start(spec: ChildSpec): void {
    this.#keep(spec, this.#fork(spec).child);
  }

  /** Ends these, all at once, and waits for them. */
  async stop(...names: string[]): Promise<void> {
    this.#stopping = true;
    const children = names.map((name) => this.#running.get(name)).filter((child) => child !== undefined);
    await Promise.all(
      children.map(
        (child) =>
          new Promise<void>((done) => {
            if (child.exitCode !== null || child.signalCode !== null) return done();
            const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
            child.once('exit', () => {
              clearTimeout(timer);
              done();
            });
            child.kill('SIGTERM');
          }),
      ),
    );
  }

  #keep(spec: ChildSpec, child: ChildProcess): void {
    this.#running.set(spec.name, child);
    child.once('exit', (code, signal) => {
      if (this.#stopping) return;
      this.onRestart(spec.name, signal ?? `status ${code}`);
      if (code !== CONFIGURATION_STATUS) setTimeout(() => this.#stopping || this.start(spec), RESTART_MS);
    });
  }

  #fork(spec: ChildSpec): { readonly child: ChildProcess; readonly words: () => string } {
    const log = openSync(join(this.#logDir, `${spec.name}.log`), 'a', 0o600);
    const child = fork(spec.main, spec.args ?? [], {
      detached: true,
      stdio: ['ignore', log, 'pipe', 'ipc'],
      env: {
        PATH: process.env['PATH'] ?? '',
        NODE_EXTRA_CA_CERTS: process.env['NODE_EXTRA_CA_CERTS'],
        ...Object.fromEntries(
          Object.entries(process.env).filter(
            ([name, value]) => value && (PASSED_ON.includes(name) || name.startsWith(TRACING)),
          ),
        ),
        ...spec.env,
      },
      execArgv: [...WORKER_NODE_OPTIONS],
    });
    closeSync(log);
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-4000);
    });
    return { child, words: () => said.trim() };
  }
}
