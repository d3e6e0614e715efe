import { type ChildProcess, fork } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '@freshet/contracts';
import { NODE_OPTIONS } from '@freshet/runtime';

export interface ChildProcessSpec {
  readonly name: string;
  /** The path of the entry module. */
  readonly main: string;
  readonly args?: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

interface ForkedChild {
  readonly child: ChildProcess;
  /** Returns the end of the child's stderr. */
  readonly getErrorOutput: () => string;
}

/** EX_CONFIG: the settings are invalid, so a restart would fail again. */
const EX_CONFIG = 78;
/**
 * Settings of individual apps and of Node. These variables are passed to all children unchanged,
 * and each app validates its own settings.
 */
const INHERITED_VARIABLES = [
  'FRESHET_CONCURRENCY',
  'FRESHET_ANSWER_MIB_MAX',
  'FRESHET_UNLOADED_MIB_MAX',
  'FRESHET_REQUESTS_PER_MINUTE',
  'FRESHET_TRACE_URL',
  'FRESHET_HELP_DIR',
  'FRESHET_HELP_BUILD',
  'NODE_COMPILE_CACHE',
];
/** Variables with this prefix configure OpenTelemetry. They are passed to all children, too. */
const TRACING_PREFIX = 'OTEL_';
const RESTART_DELAY_MS = 1000;
const STOP_TIMEOUT_MS = 45_000;
/**
 * The number of characters at the end of a child's stderr that are retained for an error message.
 */
const STDERR_CHARACTERS_MAX = 4000;

/**
 * The child processes of a standalone deployment. Each child has a separate process group, so that
 * Ctrl-C reaches only this process. This process then stops the children in order. A child detects
 * through its IPC channel that this process has exited.
 */
export class ChildProcesses {
  readonly #logDir: string;
  readonly #running = new Map<string, ChildProcess>();
  #isStopping = false;
  /**
   * Called when a child has exited unexpectedly. The child is restarted unless its settings are
   * invalid.
   */
  onExit: (name: string, status: string, willRestart: boolean) => void = () => {};

  constructor(dataDir: string) {
    this.#logDir = join(dataDir, 'logs');
    mkdirSync(this.#logDir, { recursive: true });
  }

  /**
   * Starts a child that serves HTTP.
   * @returns the URL of the child.
   * @throws AppError `configuration` with the child's error output if the child exits before it
   *   listens.
   */
  startListener(spec: ChildProcessSpec): Promise<string> {
    return new Promise((resolve, reject) => {
      const { child, getErrorOutput } = this.#fork(spec);
      // Register the child now, so that `stop` also stops a child that is not listening yet.
      this.#running.set(spec.name, child);
      child.on('message', (message) => {
        const { listening } = message as { listening?: string };
        if (listening === undefined) return;
        this.#supervise(spec, child);
        resolve(listening);
      });
      child.once('exit', (code) =>
        reject(
          new AppError(
            'configuration',
            getErrorOutput() || `The ${spec.name} exited with status ${code}. See its log in ${this.#logDir}.`,
          ),
        ),
      );
    });
  }

  start(spec: ChildProcessSpec): void {
    this.#supervise(spec, this.#fork(spec).child);
  }

  /**
   * Stops the named children at the same time, and waits for their exit. No child is restarted
   * after this call.
   */
  async stop(...names: string[]): Promise<void> {
    this.#isStopping = true;
    const children = names.map((name) => this.#running.get(name)).filter((child) => child !== undefined);
    await Promise.all(children.map(stopChild));
  }

  /** Restarts the child when it exits, unless its settings are invalid. */
  #supervise(spec: ChildProcessSpec, child: ChildProcess): void {
    this.#running.set(spec.name, child);
    child.once('exit', (code, signal) => {
      if (this.#isStopping) return;
      const willRestart = code !== EX_CONFIG;
      this.onExit(spec.name, signal ?? `status ${code}`, willRestart);
      if (willRestart) setTimeout(() => this.#isStopping || this.start(spec), RESTART_DELAY_MS);
    });
  }

  #fork(spec: ChildProcessSpec): ForkedChild {
    const log = openSync(join(this.#logDir, `${spec.name}.log`), 'a', 0o600);
    const child = fork(spec.main, spec.args ?? [], {
      detached: true,
      stdio: ['ignore', log, 'pipe', 'ipc'],
      env: {
        PATH: process.env['PATH'] ?? '',
        NODE_EXTRA_CA_CERTS: process.env['NODE_EXTRA_CA_CERTS'],
        ...Object.fromEntries(
          Object.entries(process.env).filter(
            ([name, value]) => value && (INHERITED_VARIABLES.includes(name) || name.startsWith(TRACING_PREFIX)),
          ),
        ),
        ...spec.env,
      },
      execArgv: [...NODE_OPTIONS],
    });
    closeSync(log);
    let errorOutput = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      errorOutput = (errorOutput + text).slice(-STDERR_CHARACTERS_MAX);
    });
    return { child, getErrorOutput: () => errorOutput.trim() };
  }
}

function stopChild(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    child.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
    child.kill('SIGTERM');
  });
}
