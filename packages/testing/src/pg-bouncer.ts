import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres from 'postgres';

/**
 * A real PgBouncer in transaction mode in front of a server, with as few connections as show whether anything is kept in one.
 * Roles log in with their own passwords, which it asks the server about.
 * @param url of the server's superuser. @returns the same, through it. @throws Error when no `pgbouncer` is installed.
 */
export async function startPgBouncer(url: string): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const server = new URL(url);
  const folder = mkdtempSync(join(tmpdir(), 'freshet-pgbouncer-'));
  chmodSync(folder, 0o755);
  const port = await freePort();
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
  // It refuses to be root, and needs nothing that root has.
  const asWho = process.getuid?.() === 0 ? ['-u', 'nobody'] : [];
  const child = spawn('pgbouncer', ['-q', ...asWho, join(folder, 'pgbouncer.ini')], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const failed = new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.once('exit', (status) => reject(new Error(`pgbouncer ended with status ${status}.`)));
  });
  const through = new URL(url);
  through.port = String(port);
  await Promise.race([failed, answers(through.href)]);
  // It answers; that it ends later is what `stop` is for.
  failed.catch(() => {});
  return {
    url: through.href,
    stop: async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function answers(url: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    const sql = postgres(url, { max: 1, connect_timeout: 5, fetch_types: false });
    try {
      await sql.unsafe('select 1').simple();
      return;
    } catch (error) {
      if (tries > 100) throw error;
      await new Promise((done) => setTimeout(done, 50));
    } finally {
      await sql.end({ timeout: 1 });
    }
  }
}

function freePort(): Promise<number> {
  return new Promise((done, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => done(port));
    });
  });
}
