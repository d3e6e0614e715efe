import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '@freshet/runtime/embedded-postgres';

/** A server of one test's own, which may be crashed. */
export class CrashableServer implements AsyncDisposable {
  readonly #dataDir: string;
  #server: EmbeddedPostgres;

  private constructor(dataDir: string, server: EmbeddedPostgres) {
    this.#dataDir = dataDir;
    this.#server = server;
  }

  static async start(): Promise<CrashableServer> {
    const dataDir = mkdtempSync(join(tmpdir(), 'freshet-crash-'));
    return new CrashableServer(dataDir, await launch(dataDir));
  }

  /** Of the superuser; another one after a crash. */
  get url(): string {
    return this.#server.url;
  }

  /** As `pg_ctl stop -m immediate` does: no checkpoint, every connection lost in the middle. It is back when this resolves, recovered from its log. */
  async crash(): Promise<void> {
    const [pid] = readFileSync(join(this.#server.dataDir, 'pg18', 'postmaster.pid'), 'utf8').split('\n');
    process.kill(Number(pid), 'SIGQUIT');
    await this.#server.stop();
    this.#server = await launch(this.#dataDir);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop();
    rmSync(this.#server.dataDir, { recursive: true, force: true });
    rmSync(this.#dataDir, { recursive: true, force: true });
  }
}

function launch(dataDir: string): Promise<EmbeddedPostgres> {
  // The machine stays up, so what was written is not lost without fsync; what was committed must be written.
  return startEmbeddedPostgres({ from: import.meta.url, dataDir, settings: { fsync: 'off', max_connections: '50' } });
}
