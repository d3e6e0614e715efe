import { chmodSync, chownSync, copyFileSync, mkdtempSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '@freshet/runtime/embedded-postgres';
import postgres from 'postgres';
import { getPostgresUnderTest } from './postgres-under-test.ts';

/** A PostgreSQL server for a single test. The test can crash the server or enable TLS. */
export class DedicatedServer implements AsyncDisposable {
  readonly #dataDir: string;
  #server: EmbeddedPostgres;

  private constructor(dataDir: string, server: EmbeddedPostgres) {
    this.#dataDir = dataDir;
    this.#server = server;
  }

  static async start(): Promise<DedicatedServer> {
    const dataDir = mkdtempSync(join(tmpdir(), 'freshet-crash-'));
    return new DedicatedServer(dataDir, await startServer(dataDir));
  }

  /** Connection URL of the superuser. It changes after a crash. */
  get url(): string {
    return this.#server.url;
  }

  /**
   * Crashes the server like `pg_ctl stop -m immediate`: without a checkpoint, and with the loss of
   * all connections. Then restarts the server, and resolves after recovery.
   */
  async crash(): Promise<void> {
    const [pid] = readFileSync(join(this.#server.clusterDir, 'postmaster.pid'), 'utf8').split('\n');
    process.kill(Number(pid), 'SIGQUIT');
    await this.#server.stop({ retainData: true });
    this.#server = await startServer(this.#dataDir);
  }

  /** Enables TLS with a certificate for 127.0.0.1. @returns the CA certificate. */
  async enableTls(): Promise<string> {
    const cluster = this.#server.clusterDir;
    const { uid, gid } = statSync(cluster);
    for (const [from, to] of [
      ['server.pem', 'server.crt'],
      ['server.key', 'server.key'],
    ] as const) {
      copyFileSync(getTlsPath(from), join(cluster, to));
      chmodSync(join(cluster, to), 0o600);
      chownSync(join(cluster, to), uid, gid);
    }
    const sql = postgres(this.url, { max: 1 });
    await sql`alter system set ssl = on`;
    await sql`select pg_reload_conf()`;
    await sql.end();
    return readFileSync(getTlsPath('ca.pem'), 'utf8');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop();
  }
}

/**
 * Returns the path of a TLS fixture. The private key is public, because only these tests use it.
 */
function getTlsPath(name: string): string {
  return fileURLToPath(new URL(`../fixtures/tls/${name}`, import.meta.url));
}

function startServer(dataDir: string): Promise<EmbeddedPostgres> {
  // Only the server crashes, and not the machine, so writes survive without fsync. Synchronous
  // commit must stay on, because otherwise a crash could lose transactions that were committed.
  return startEmbeddedPostgres({
    ...getPostgresUnderTest(),
    dataDir,
    isTemporary: true,
    settings: { fsync: 'off', max_connections: '50' },
  });
}
