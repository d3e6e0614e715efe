import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';

/**
 * Starts PgBouncer in transaction mode in front of a server, with so few server connections that
 * code that relies on session state fails. Roles log in with their own passwords, which PgBouncer
 * reads from the server.
 * @param url connection URL of the server's superuser.
 * @returns the corresponding URL that connects through PgBouncer.
 * @throws Error if `pgbouncer` is not installed.
 */
export async function startPgBouncer(url: string): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const server = new URL(url);
  const folder = mkdtempSync(join(tmpdir(), 'freshet-pgbouncer-'));
  chmodSync(folder, 0o755);
  const port = await findFreePort();
  writeFileSync(join(folder, 'users.txt'), `"${server.username}" "${server.password}"\n`);
  writeFileSync(
    join(folder, 'pgbouncer.ini'),
    `[databases]
* = host=${server.hostname} port=${server.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
pool_mode = transaction
default_pool_size = 2
max_client_conn = 500
auth_type = scram-sha-256
auth_file = ${join(folder, 'users.txt')}
auth_user = ${server.username}
auth_query = select usename, passwd from pg_shadow where usename = $1
`,
  );
  // PgBouncer refuses to run as root.
  const userArguments = process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
  const child = spawn('pgbouncer', ['-q', ...userArguments, join(folder, 'pgbouncer.ini')], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const failed = new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.once('exit', (status) => reject(new Error(`pgbouncer exited with status ${status}.`)));
  });
  const bouncerUrl = new URL(url);
  bouncerUrl.port = String(port);
  await Promise.race([failed, waitForServer(bouncerUrl.href)]);
  // Ignore the exit of the process from now on, because `stop` kills the process.
  failed.catch(() => {});
  return {
    url: bouncerUrl.href,
    stop: async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function waitForServer(url: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const sql = postgres(url, { max: 1, connect_timeout: 5, fetch_types: false });
    try {
      await sql.unsafe('select 1').simple();
      return;
    } catch (error) {
      if (attempt > 100) throw error;
      await new Promise((done) => setTimeout(done, 50));
    } finally {
      await sql.end({ timeout: 1 });
    }
  }
}

function findFreePort(): Promise<number> {
  return new Promise((done, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => done(port));
    });
  });
}
