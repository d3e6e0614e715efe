import { chmodSync, chownSync, copyFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '@freshet/runtime/embedded-postgres';
import postgres from 'postgres';
import { testedPostgres } from './tested-postgres.ts';

/** A server of one test's own, which may be crashed, or speak TLS. */
export class OwnServer implements AsyncDisposable {
  readonly #dataDir: string;
  #server: EmbeddedPostgres;

  private constructor(dataDir: string, server: EmbeddedPostgres) {
    this.#dataDir = dataDir;
    this.#server = server;
  }

  static async start(): Promise<OwnServer> {
    const dataDir = mkdtempSync(join(tmpdir(), 'freshet-crash-'));
    return new OwnServer(dataDir, await launch(dataDir));
  }

  /** Of the superuser; another one after a crash. */
  get url(): string {
    return this.#server.url;
  }

  /** As `pg_ctl stop -m immediate` does: no checkpoint, every connection lost in the middle. It is back when this resolves, recovered from its log. */
  async crash(): Promise<void> {
    const [pid] = readFileSync(join(this.#server.clusterDir, 'postmaster.pid'), 'utf8').split('\n');
    process.kill(Number(pid), 'SIGQUIT');
    await this.#server.stop();
    this.#server = await launch(this.#dataDir);
  }

  /** From now on it takes TLS as well, with a certificate for 127.0.0.1. @returns the certificate of who has signed it. */
  async enableTls(): Promise<string> {
    const cluster = this.#server.clusterDir;
    const { uid, gid } = statSync(cluster);
    for (const [from, to] of [
      ['server.pem', 'server.crt'],
      ['server.key', 'server.key'],
    ] as const) {
      copyFileSync(tlsFile(from), join(cluster, to));
      chmodSync(join(cluster, to), 0o600);
      chownSync(join(cluster, to), uid, gid);
    }
    const sql = postgres(this.url, { max: 1 });
    await sql`alter system set ssl = on`;
    await sql`select pg_reload_conf()`;
    await sql.end();
    return readFileSync(tlsFile('ca.pem'), 'utf8');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop();
    rmSync(this.#server.dataDir, { recursive: true, force: true });
    rmSync(this.#dataDir, { recursive: true, force: true });
  }
}

/** Made for these tests, and of no use to anybody: the key is public. */
function tlsFile(name: string): string {
  return fileURLToPath(new URL(`../fixtures/tls/${name}`, import.meta.url));
}

function launch(dataDir: string): Promise<EmbeddedPostgres> {
  // The machine stays up, so what was written is not lost without fsync; what was committed must be written.
  return startEmbeddedPostgres({ ...testedPostgres(), dataDir, settings: { fsync: 'off', max_connections: '50' } });
}
