import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { newToken } from '@freshet/control-store';
import { ApiClient } from '../api-client.ts';

export type FleetApp = 'api' | 'extract-worker' | 'load-worker' | 'scheduler';

interface Member {
  readonly app: FleetApp;
  child: ChildProcess;
  /** Where an API answers. */
  address: string | null;
  /** The test has ended it, and starts it again. */
  ending: boolean;
}

/** Several processes of each kind, which die, stand still, and come back. */
export class Fleet implements AsyncDisposable {
  readonly #members = new Map<string, Member>();
  readonly #env: Record<string, string>;
  readonly #said: string[] = [];
  /** Ends that nobody has asked for. */
  readonly crashes: string[] = [];

  constructor(databaseUrl: string, origin: string) {
    this.#env = {
      PATH: process.env['PATH'] ?? '',
      DATABASE_URL: databaseUrl,
      FRESHET_SECRET_KEYS: `test:${randomBytes(32).toString('base64')}`,
      FRESHET_BOOTSTRAP_TOKEN: newToken(),
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

  /** The last of what the processes have logged as errors. */
  get said(): string {
    return this.#said.slice(-40).join('');
  }

  launch(app: FleetApp, name: string): void {
    const child = fork(fileURLToPath(new URL(`../../../${app}/src/main.ts`, import.meta.url)), [], {
      env: this.#env,
      execArgv: [],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const member: Member = { app, child, address: null, ending: false };
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => this.#said.push(text));
    child.on('message', (message) => {
      member.address = (message as { listening?: string }).listening ?? member.address;
    });
    child.once('exit', (code, signal) => {
      if (member.ending) return;
      this.crashes.push(`${name} ended: ${signal ?? `status ${code}`}`);
      this.launch(app, name);
    });
    this.#members.set(name, member);
  }

  /** `kill -9`, and another takes its place. */
  async kill(name: string): Promise<void> {
    const { app } = this.#members.get(name) as Member;
    await this.#end(name);
    this.launch(app, name);
  }

  signal(name: string, signal: NodeJS.Signals): void {
    this.#members.get(name)?.child.kill(signal);
  }

  /** An API that answers, whichever. */
  api(): ApiClient | null {
    const found = [...this.#members.values()].find(
      ({ app, address, child }) => app === 'api' && address !== null && child.exitCode === null,
    );
    return found?.address ? new ApiClient(found.address, this.#env['FRESHET_BOOTSTRAP_TOKEN'] as string) : null;
  }

  async #end(name: string): Promise<void> {
    const member = this.#members.get(name) as Member;
    member.ending = true;
    if (member.child.exitCode !== null || member.child.signalCode !== null) return;
    const gone = new Promise((resolve) => member.child.once('exit', resolve));
    member.child.kill('SIGKILL');
    await gone;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.names.map((name) => this.#end(name)));
  }
}
