import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));

/** Runs its arguments on a terminal of its own, and ends with their status. */
const IN_TERMINAL = 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))';

/** `npm start` as a user's shell starts it, with a data folder of its own. */
export class Standalone implements Disposable {
  readonly dataDir: string;
  readonly process: ChildProcess;
  readonly #ownsDataDir: boolean;
  #output = '';
  readonly exited: Promise<number | null>;

  /**
   * @param dataDir null: a new one.
   * @param options `detached`: the processes have a group of their own, as a shell gives it to a command. `terminal`: their output is a terminal.
   */
  constructor(
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
    dataDir: string | null = null,
    { detached = false, terminal = false }: { readonly detached?: boolean; readonly terminal?: boolean } = {},
  ) {
    this.#ownsDataDir = dataDir === null && env['FRESHET_DATA_DIR'] === undefined;
    this.dataDir = dataDir ?? mkdtempSync(join(tmpdir(), 'freshet-standalone-'));
    // As a user's folder is: PostgreSQL, which does not run as root, gets to it, and its data stays inside.
    if (this.#ownsDataDir) chmodSync(this.dataDir, 0o755);
    // The shell's environment, but for what Freshet itself reads.
    const shell = Object.fromEntries(
      Object.entries(process.env).filter(
        ([name]) => !/^(FRESH|DATABASE_URL|WAREHOUSE_URL|PORT|HOST$|LOG_LEVEL|VITEST|NODE_ENV)/.test(name),
      ),
    );
    const command = ['npm', 'start', '--', ...args];
    const [program = '', ...programArgs] = terminal ? ['python3', '-c', IN_TERMINAL, ...command] : command;
    this.process = spawn(program, programArgs, {
      cwd: ROOT,
      detached,
      env: { ...shell, FRESHET_DATA_DIR: this.dataDir, PORT: '0', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.process.stdout, this.process.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (this.#output += text));
    this.exited = new Promise((resolve) => this.process.once('exit', (code) => resolve(code)));
  }

  /** Everything written so far, stdout and stderr together. */
  get output(): string {
    return this.#output;
  }

  /** The last line, which `--once` makes a JSON object. */
  get lastLine(): string {
    return this.#output.trimEnd().split('\n').at(-1) as string;
  }

  /** Why its processes have last shut down, as the API's log has it: `SIGTERM` in order, or because their parent was gone. */
  get lastShutdown(): string | undefined {
    const log = readFileSync(join(this.dataDir, 'logs/api.log'), 'utf8');
    return [...log.matchAll(/"reason":"([^"]+)","msg":"stopping"/g)].at(-1)?.[1];
  }

  /** npm, the start script, and the process that starts all the others. */
  line(): number[] {
    const all = processes();
    const line = [this.process.pid as number];
    while (line.length < 3) line.push(all.find((p) => p.parent === line.at(-1))?.pid as number);
    return line;
  }

  /** Every process that belongs to it, however it was started: by their parents, and by the data folder in their command line. */
  family(): number[] {
    const all = processes();
    const members = new Set<number>([this.process.pid as number]);
    for (let grown = true; grown; ) {
      grown = false;
      for (const { pid, parent, command } of all) {
        const belongs = members.has(parent) || command.includes(this.dataDir);
        if (belongs && !members.has(pid)) {
          members.add(pid);
          grown = true;
        }
      }
    }
    return [...members].filter((pid) => all.some((p) => p.pid === pid));
  }

  [Symbol.dispose](): void {
    for (const pid of this.family()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    }
    if (this.#ownsDataDir) rmSync(this.dataDir, { recursive: true, force: true });
  }
}

/** Whether a process is there and not just waiting to be reaped. */
export function isRunning(pid: number): boolean {
  return readProcess(String(pid)).length > 0;
}

function processes(): ReturnType<typeof readProcess> {
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
    // Ended while we looked.
    return [];
  }
}
