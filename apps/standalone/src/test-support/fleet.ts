import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { Freshet } from '@freshet/client';
import { generateToken } from '@freshet/control-store';
import { NODE_OPTIONS } from '@freshet/runtime';
import { findProcessModule } from '@freshet/testing';

export type FleetApp = 'api' | 'extract-worker' | 'load-worker' | 'scheduler';

interface Member {
  readonly app: FleetApp;
  child: ChildProcess;
  /** The URL of an API process that is ready; otherwise null. */
  url: string | null;
  /** Whether the test is stopping this process, so that its exit is not a crash. */
  isStopping: boolean;
}

const OUTPUT_CHUNKS_MAX = 40;

/** Several processes of each app, which tests can kill, suspend and restart. */
export class Fleet implements AsyncDisposable {
  readonly #members = new Map<string, Member>();
  readonly #env: Record<string, string>;
  readonly #output: string[] = [];
  /** Exits that the test did not cause. */
  readonly crashes: string[] = [];

  constructor(databaseUrl: string, origin: string) {
    this.#env = {
      PATH: process.env['PATH'] ?? '',
      DATABASE_URL: databaseUrl,
      FRESHET_SECRET_KEYS: `test:${randomBytes(32).toString('base64')}`,
      FRESHET_BOOTSTRAP_TOKEN: generateToken(),
      FRESHDESK_ORIGIN: origin,
      HOST: '127.0.0.1',
      PORT: '0',
      LOG_LEVEL: 'error',
      FRESHET_ALLOWED_ADDRESSES: '127.0.0.0/8',
    };
  }

  get names(): readonly string[] {
    return [...this.#members.keys()];
  }

  /** The latest output of the processes. */
  get recentOutput(): string {
    return this.#output.slice(-OUTPUT_CHUNKS_MAX).join('');
  }

  launch(app: FleetApp, name: string): void {
    const child = fork(findProcessModule(`apps/${app}/src/main`), [], {
      env: this.#env,
      execArgv: [...NODE_OPTIONS],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const member: Member = { app, child, url: null, isStopping: false };
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => this.#output.push(text));
    child.on('message', (message) => {
      member.url = (message as { listening?: string }).listening ?? member.url;
    });
    child.once('exit', (code, signal) => {
      if (member.isStopping) return;
      this.crashes.push(`${name} exited: ${signal ?? `status ${code}`}`);
      this.launch(app, name);
    });
    this.#members.set(name, member);
  }

  /** Kills a process with SIGKILL, and starts its replacement. */
  async kill(name: string): Promise<void> {
    const { app } = this.#members.get(name) as Member;
    await this.#stop(name);
    this.launch(app, name);
  }

  signal(name: string, signal: NodeJS.Signals): void {
    this.#members.get(name)?.child.kill(signal);
  }

  /**
   * Returns a client of an API that is running; null when no API is running. The client does not
   * retry.
   */
  findApi(): Freshet | null {
    const member = [...this.#members.values()].find(
      ({ app, url, child }) => app === 'api' && url !== null && child.exitCode === null,
    );
    const token = this.#env['FRESHET_BOOTSTRAP_TOKEN'] as string;
    return member?.url ? new Freshet({ url: member.url, token, maxAttempts: 1 }) : null;
  }

  async #stop(name: string): Promise<void> {
    const member = this.#members.get(name) as Member;
    member.isStopping = true;
    if (member.child.exitCode !== null || member.child.signalCode !== null) return;
    const exit = new Promise((resolve) => member.child.once('exit', resolve));
    member.child.kill('SIGKILL');
    await exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.names.map((name) => this.#stop(name)));
  }
}
