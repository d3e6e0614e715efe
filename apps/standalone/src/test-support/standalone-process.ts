import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findProcessModule, waitFor } from '@freshet/testing';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));

/** Runs the following arguments in a new pseudo-terminal, and exits with their status. */
const IN_TERMINAL = [
  'python3',
  '-c',
  'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))',
  // A new pseudo-terminal has no size.
  'sh',
  '-c',
  'stty rows 40 cols 120 && exec "$@"',
  'sh',
];

interface ProcessOptions {
  /** Creates a new process group, as a shell does for a command. */
  readonly detached?: boolean;
  /** Connects the output to a pseudo-terminal. */
  readonly terminal?: boolean;
  /** Starts the program without npm, which takes half a second of CPU time. */
  readonly withoutNpm?: boolean;
}

/** Runs `npm start` as a user's shell does, with a separate data folder. */
export class StandaloneProcess implements Disposable {
  readonly dataDir: string;
  readonly process: ChildProcess;
  readonly #ownsDataDir: boolean;
  #output = '';
  readonly exited: Promise<number | null>;

  /**
   * @param dataDir null: a new folder, which is deleted at the end.
   */
  constructor(
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
    dataDir: string | null = null,
    { detached = false, terminal = false, withoutNpm = false }: ProcessOptions = {},
  ) {
    this.#ownsDataDir = dataDir === null && env['FRESHET_DATA_DIR'] === undefined;
    this.dataDir = dataDir ?? mkdtempSync(join(tmpdir(), 'freshet-standalone-'));
    // Make the folder accessible to other users, because PostgreSQL does not run as root.
    if (this.#ownsDataDir) chmodSync(this.dataDir, 0o755);
    // The environment of the test, without the variables that Freshet reads.
    const environment = Object.fromEntries(
      Object.entries(process.env).filter(
        ([name]) => !/^(FRESH|DATABASE_URL|WAREHOUSE_URL|PORT|HOST$|LOG_LEVEL|VITEST|NODE_ENV)/.test(name),
      ),
    );
    const command = withoutNpm
      ? [process.execPath, '--enable-source-maps', findProcessModule('apps/standalone/src/main'), ...args]
      : ['npm', 'start', '--', ...args];
    const [program = '', ...programArgs] = terminal ? [...IN_TERMINAL, ...command] : command;
    this.process = spawn(program, programArgs, {
      cwd: ROOT,
      detached,
      env: { ...environment, FRESHET_DATA_DIR: this.dataDir, PORT: '0', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.process.stdout, this.process.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (this.#output += text));
    this.exited = new Promise((resolve) => this.process.once('exit', (code) => resolve(code)));
  }

  /** The output of stdout and stderr so far. */
  get output(): string {
    return this.#output;
  }

  /** Waits until a line of the output contains a text. Fails as soon as the program exits. */
  async waitForOutput(text: string): Promise<void> {
    const isPrinted = () =>
      this.#output
        .split('\n')
        .slice(0, -1)
        .some((line) => line.includes(text));
    const isExited = () => this.process.exitCode !== null || this.process.signalCode !== null;
    await waitFor(() => isPrinted() || isExited(), `the output contains “${text}”`);
    if (!isPrinted()) throw new Error(`The program exited before it printed “${text}”:\n${this.#output}`);
  }

  /** The URL of the API. Null: the API has not started yet. */
  get apiUrl(): string | null {
    return /^ {2}API +(\S+)\n/m.exec(this.#output)?.[1] ?? null;
  }

  /** The last line of the output. With `--once`, this line is a JSON object. */
  get lastLine(): string {
    return this.#output.trimEnd().split('\n').at(-1) as string;
  }

  /**
   * The reason for the last shutdown in the log of the API: a signal, or the exit of the parent
   * process.
   */
  get lastShutdown(): string | undefined {
    const log = readFileSync(join(this.dataDir, 'logs/api.log'), 'utf8');
    return [...log.matchAll(/"reason":"([^"]+)","msg":"shutting down"/g)].at(-1)?.[1];
  }

  /**
   * Returns the process ids of npm, the start script, and the process that starts all other
   * processes.
   */
  getProcessChain(): number[] {
    const processes = listProcesses();
    const chain = [this.process.pid as number];
    while (chain.length < 3) chain.push(processes.find((p) => p.parent === chain.at(-1))?.pid as number);
    return chain;
  }

  /**
   * Returns the ids of all processes of the deployment. A process belongs to the deployment if its
   * parent does, or if its command line contains the data folder.
   */
  getProcessTree(): number[] {
    const processes = listProcesses();
    const members = new Set<number>([this.process.pid as number]);
    for (let hasGrown = true; hasGrown; ) {
      hasGrown = false;
      for (const { pid, parent, command } of processes) {
        const belongs = members.has(parent) || command.includes(this.dataDir);
        if (belongs && !members.has(pid)) {
          members.add(pid);
          hasGrown = true;
        }
      }
    }
    return [...members].filter((pid) => processes.some((p) => p.pid === pid));
  }

  [Symbol.dispose](): void {
    for (const pid of this.getProcessTree()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    }
    if (this.#ownsDataDir) rmSync(this.dataDir, { recursive: true, force: true });
  }
}

/** Returns whether a process exists and is not a zombie. */
export function isRunning(pid: number): boolean {
  return readProcess(String(pid)).length > 0;
}

function listProcesses(): ReturnType<typeof readProcess> {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap(readProcess);
}

function readProcess(name: string): { pid: number; parent: number; command: string }[] {
  try {
    const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (state === 'Z') return [];
    return [
      {
        pid: Number(name),
        parent: Number(parent),
        command: readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' '),
      },
    ];
  } catch {
    // The process exited in the meantime.
    return [];
  }
}
