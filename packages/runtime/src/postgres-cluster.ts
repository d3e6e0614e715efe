import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, connect as netConnect } from 'node:net';
import { join } from 'node:path';
import { type Cluster, createCluster, getPasswordFile, SUPERUSER } from './postgres-creation.ts';

/** Starts and stops a PostgreSQL cluster with `pg_ctl`. */

const START_ATTEMPTS_MAX = 3;
const CONNECT_TIMEOUT_MS = 2000;

/**
 * Starts the server of a cluster, unless it is already running. Creates the cluster first if it
 * does not exist.
 * @returns the URL with which the superuser connects to the server.
 */
export async function startCluster(cluster: Cluster, settings: Readonly<Record<string, string>>): Promise<string> {
  if (!existsSync(join(cluster.clusterDir, 'PG_VERSION'))) await createCluster(cluster);
  return toUrl(cluster, (await findRunningPort(cluster.clusterDir)) ?? (await startServer(cluster, settings)));
}

/** Returns the URL of the server of a cluster; null when no server is running. */
export async function findRunningCluster(cluster: Pick<Cluster, 'dataDir' | 'clusterDir'>): Promise<string | null> {
  const port = await findRunningPort(cluster.clusterDir);
  return port === null ? null : toUrl(cluster, port);
}

function toUrl(cluster: Pick<Cluster, 'dataDir'>, port: number): string {
  const password = readFileSync(getPasswordFile(cluster), 'utf8').trim();
  return `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/postgres`;
}

export async function stopCluster(cluster: Cluster): Promise<void> {
  // Clients have ten seconds to disconnect. Then the server disconnects the remaining clients.
  await runPgCtl(cluster, ['stop', '-m', 'smart', '-w', '-t', '10'])
    .catch(() => runPgCtl(cluster, ['stop', '-m', 'fast', '-w', '-t', '30']))
    .catch(() => {
      if (existsSync(join(cluster.clusterDir, 'postmaster.pid')))
        process.stderr.write(`PostgreSQL in ${cluster.clusterDir} did not stop.\n`);
    });
}

/**
 * Returns whether a process exists and is not a zombie. `kill(pid, 0)` succeeds even for a zombie.
 */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true;
  }
}

/**
 * Returns the port of a server that is already running on the cluster; null when no server is
 * running.
 */
async function findRunningPort(clusterDir: string): Promise<number | null> {
  const file = join(clusterDir, 'postmaster.pid');
  if (!existsSync(file)) return null;
  const lines = readFileSync(file, 'utf8').split('\n');
  const port = Number(lines[3]);
  if ((lines[7] ?? '').trim() === 'ready' && isAlive(Number(lines[0])) && (await acceptsConnections(port))) return port;
  // The file of a dead server would prevent a new server from starting.
  if (!isAlive(Number(lines[0]))) rmSync(file, { force: true });
  return null;
}

function acceptsConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = netConnect({ host: '127.0.0.1', port, timeout: CONNECT_TIMEOUT_MS });
    const settle = (isConnected: boolean) => {
      socket.destroy();
      resolve(isConnected);
    };
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
    socket.once('timeout', () => settle(false));
  });
}

async function startServer(cluster: Cluster, settings: Readonly<Record<string, string>>): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    // Reuse the port of the last start if that port is free, so that saved addresses stay valid.
    const port = (attempt === 1 && (await findLastPort(cluster))) || (await findFreePort());
    const parameters = { port: String(port), listen_addresses: '127.0.0.1', unix_socket_directories: '', ...settings };
    const flags = Object.entries(parameters).map(([name, value]) => `-c ${name}='${value}'`);
    const log = join(cluster.clusterDir, 'server.log');
    try {
      await runPgCtl(cluster, ['start', '-w', '-t', '60', '-l', log, '-o', flags.join(' ')]);
      writeFileSync(join(cluster.dataDir, 'port'), String(port));
      return port;
    } catch (error) {
      // Retry with a different port, because a different process may have opened this port since
      // the check.
      if (attempt >= START_ATTEMPTS_MAX)
        throw new Error(`PostgreSQL did not start. See the log ${log}. Cause: ${(error as Error).message}`);
    }
  }
}

async function findLastPort(cluster: Cluster): Promise<number | null> {
  const file = join(cluster.dataDir, 'port');
  return existsSync(file) ? findFreePort(Number(readFileSync(file, 'utf8'))).catch(() => null) : null;
}

/**
 * Returns the number of a free port. Rejects if the given port is in use.
 * @param port the port to check; 0: any free port.
 */
function findFreePort(port = 0): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(port, '127.0.0.1', () => {
      const address = probe.address() as { port: number };
      probe.close(() => resolve(address.port));
    });
  });
}

/**
 * Runs `pg_ctl` with `spawn` instead of `execFile`, because the server would inherit the pipes that
 * `execFile` creates, and `execFile` would then wait for the server to exit.
 */
function runPgCtl(cluster: Cluster, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(join(cluster.binaries, 'bin', 'pg_ctl'), ['-D', cluster.clusterDir, '-s', ...args], {
      cwd: '/',
      stdio: 'ignore',
      env: { ...process.env, LC_ALL: 'C' },
      ...cluster.user,
    });
    child.once('error', reject);
    child.once('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`pg_ctl ${args[0]} exited with status ${code}.`)),
    );
  });
}
