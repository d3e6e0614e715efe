import { execFile, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { createServer, connect as netConnect } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { EmbeddedPostgresOptions, KeeperAnswer, KeeperRequest } from './embedded-postgres.ts';

/**
 * The process that keeps an embedded PostgreSQL: starts it, and stops it when the channel to whoever asked for
 * it closes. See `embedded-postgres.ts`.
 */

const SUPERUSER = 'freshet';
const BUILTIN_LOCALE_SINCE = 17;
const run = promisify(execFile);

interface Server {
  readonly major: number;
  readonly bin: string;
  readonly home: string;
  readonly cluster: string;
  readonly owner: Owner | null;
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

let server: Server | null = null;

process.on('message', (request: KeeperRequest) => {
  const work = 'start' in request ? start(request.start) : stop().then((): KeeperAnswer => ({ stopped: true }));
  work.then(answer, (error: unknown) => answer({ failed: error instanceof Error ? error.message : String(error) }));
});
process.on('disconnect', () => void stop().finally(() => process.exit(0)));
// The group's signals are for others; the channel decides.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) process.on(signal, () => {});

function answer(message: KeeperAnswer): void {
  if (process.connected) process.send?.(message);
}

async function start(options: EmbeddedPostgresOptions): Promise<KeeperAnswer> {
  const owner = serverOwner();
  const { native: packaged, major } = locateBinaries(options);
  const home = place(resolve(options.dataDir), owner);
  const bin = reachable(packaged, owner) ? packaged : copyBinaries(packaged, home, owner);
  // The data's format belongs to the server's major version.
  const cluster = join(home, `pg${major}`);
  claim(home);
  server = { major, bin, home, cluster, owner };
  if (!existsSync(join(cluster, 'PG_VERSION'))) await initialise(server);
  const running = await runningPort(cluster);
  const port = running ?? (await launch(server, options.settings ?? {}));
  const password = readFileSync(join(home, 'superuser-password'), 'utf8').trim();
  return {
    started: {
      url: `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/postgres`,
      dataDir: home,
      clusterDir: cluster,
    },
  };
}

async function stop(): Promise<void> {
  const current = server;
  server = null;
  if (current === null) return;
  // Clients that drain get a moment; then they are disconnected.
  await pgCtl(current, ['stop', '-m', 'smart', '-w', '-t', '10'])
    .catch(() => pgCtl(current, ['stop', '-m', 'fast', '-w', '-t', '30']))
    .catch(() => {
      if (existsSync(join(current.cluster, 'postmaster.pid')))
        process.stderr.write(`PostgreSQL in ${current.cluster} did not stop.\n`);
    });
  rmSync(join(current.home, 'keeper.pid'), { force: true });
}

/** PostgreSQL refuses to run as root: as whom it runs then. Null: as we do. */
function serverOwner(): Owner | null {
  if (process.getuid?.() !== 0) return null;
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const user = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody');
  if (!user)
    throw new Error(
      'PostgreSQL does not run as root, and this machine has neither a user "postgres" nor "nobody". Run Freshet as an ordinary user.',
    );
  return { uid: Number(user[2]), gid: Number(user[3]) };
}

function locateBinaries({ from, wrapper = 'embedded-postgres' }: EmbeddedPostgresOptions): {
  readonly native: string;
  readonly major: number;
} {
  const platform = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  let entry: string;
  try {
    entry = createRequire(createRequire(from).resolve(wrapper)).resolve(platform);
  } catch {
    throw new Error(
      `There is no PostgreSQL for this machine among the packages (${platform}). Set DATABASE_URL to a PostgreSQL of your own.`,
    );
  }
  const home = join(dirname(entry), '..');
  const { version } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as { version: string };
  const native = join(home, 'native');
  restoreLinks(native);
  return { native, major: Number.parseInt(version, 10) };
}

/** Registries drop symbolic links; the package's install script makes them again, where install scripts are allowed. */
function restoreLinks(native: string): void {
  const links = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  for (const { source, target } of links) {
    const at = join(native, '..', target);
    if (!existsSync(at)) symlinkSync(join(native, '..', source), at);
  }
}

/** Where the data goes: as asked, or beside it where the server's own user cannot get to. */
function place(wanted: string, owner: Owner | null): string {
  try {
    mkdirSync(wanted, { recursive: true, mode: 0o755 });
    writeFileSync(join(wanted, '.writable'), '');
    unlinkSync(join(wanted, '.writable'));
  } catch (error) {
    throw new Error(
      `The data folder ${wanted} is not writable (${(error as NodeJS.ErrnoException).code}). Give another one with FRESHET_DATA_DIR.`,
    );
  }
  if (owner === null || reachable(wanted, owner)) return wanted;
  const beside = `/var/tmp/freshet-${createHash('sha256').update(wanted).digest('hex').slice(0, 12)}`;
  mkdirSync(beside, { recursive: true, mode: 0o755 });
  return beside;
}

/** Whether a user can get to a path through all folders above it. */
function reachable(path: string, owner: Owner | null): boolean {
  if (owner === null) return true;
  for (let at = resolve(path); ; at = dirname(at)) {
    const { mode, uid, gid } = statSync(at);
    const may = uid === owner.uid ? mode & 0o100 : gid === owner.gid ? mode & 0o010 : mode & 0o001;
    if (!may) return false;
    if (at === dirname(at)) return true;
  }
}

function copyBinaries(from: string, home: string, owner: Owner | null): string {
  const to = join(home, 'postgres');
  if (!existsSync(join(to, 'bin', 'postgres'))) {
    const half = `${to}.new.${process.pid}`;
    cpSync(from, half, { recursive: true, verbatimSymlinks: false, dereference: true });
    renameSync(half, to);
  }
  if (!reachable(to, owner)) throw new Error(`The user that PostgreSQL runs as cannot get to ${to}.`);
  return to;
}

/** Two servers on one data folder would be one too many. */
function claim(home: string): void {
  const file = join(home, 'keeper.pid');
  const other = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
  if (other !== 0 && other !== process.pid && isAlive(other)) {
    throw new Error(
      `Freshet is already running on the data folder ${home} (process ${other}). Stop it first, or give another folder with FRESHET_DATA_DIR.`,
    );
  }
  writeFileSync(file, String(process.pid));
}

/** A process that nobody has reaped still answers `kill(pid, 0)`, but is dead. */
function isAlive(pid: number): boolean {
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

async function initialise(at: Server): Promise<void> {
  const half = `${at.cluster}.new.${process.pid}`;
  const passwordFile = join(at.home, 'superuser-password');
  if (!existsSync(passwordFile)) writeFileSync(passwordFile, randomBytes(24).toString('base64url'), { mode: 0o600 });
  mkdirSync(half, { mode: 0o700 });
  if (at.owner) {
    chownSync(half, at.owner.uid, at.owner.gid);
    chownSync(passwordFile, at.owner.uid, at.owner.gid);
  }
  await run(
    join(at.bin, 'bin', 'initdb'),
    // The builtin locale depends on nothing that the machine may lack.
    [
      '-D',
      half,
      '-U',
      SUPERUSER,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C',
      ...(at.major >= BUILTIN_LOCALE_SINCE ? ['--locale-provider=builtin', '--builtin-locale=C.UTF-8'] : []),
      '--no-sync',
    ],
    { cwd: '/', env: { ...process.env, LC_ALL: 'C' }, ...at.owner },
  );
  // A start that was killed half-way leaves a folder that nobody mistakes for a cluster.
  renameSync(half, at.cluster);
}

/** The port of a server that already runs on this cluster and answers; null when none does. */
async function runningPort(cluster: string): Promise<number | null> {
  const file = join(cluster, 'postmaster.pid');
  if (!existsSync(file)) return null;
  const lines = readFileSync(file, 'utf8').split('\n');
  const port = Number(lines[3]);
  if ((lines[7] ?? '').trim() === 'ready' && isAlive(Number(lines[0])) && (await answers(port))) return port;
  // A dead server that still looks alive to PostgreSQL would keep the new one from starting.
  if (!isAlive(Number(lines[0]))) rmSync(file, { force: true });
  return null;
}

function answers(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = netConnect({ host: '127.0.0.1', port, timeout: 2000 });
    const end = (ok: boolean) => {
      socket.destroy();
      done(ok);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
    socket.once('timeout', () => end(false));
  });
}

async function launch(at: Server, settings: Readonly<Record<string, string>>): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    // The port of last time, if it is free: addresses that somebody has noted down go on working.
    const port = (attempt === 1 && (await lastPort(at))) || (await freePort());
    const options = { port: String(port), listen_addresses: '127.0.0.1', unix_socket_directories: '', ...settings };
    const flags = Object.entries(options).map(([name, value]) => `-c ${name}='${value}'`);
    try {
      await pgCtl(at, ['start', '-w', '-t', '60', '-l', join(at.cluster, 'server.log'), '-o', flags.join(' ')]);
      writeFileSync(join(at.home, 'port'), String(port));
      return port;
    } catch (error) {
      // Somebody may have taken the port in between.
      if (attempt >= 3)
        throw new Error(`PostgreSQL did not start; see ${join(at.cluster, 'server.log')}. ${(error as Error).message}`);
    }
  }
}

async function lastPort(at: Server): Promise<number | null> {
  const file = join(at.home, 'port');
  return existsSync(file) ? freePort(Number(readFileSync(file, 'utf8'))).catch(() => null) : null;
}

/** @param wanted 0: any. */
function freePort(wanted = 0): Promise<number> {
  return new Promise((done, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(wanted, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => done(port));
    });
  });
}

/** Not by `execFile`: the server inherits pg_ctl's pipes, and waiting for their end would wait for the server's. */
function pgCtl(at: Server, args: readonly string[]): Promise<void> {
  return new Promise((done, reject) => {
    const child = spawn(join(at.bin, 'bin', 'pg_ctl'), ['-D', at.cluster, '-s', ...args], {
      cwd: '/',
      stdio: 'ignore',
      env: { ...process.env, LC_ALL: 'C' },
      ...at.owner,
    });
    child.once('error', reject);
    child.once('exit', (code) =>
      code === 0 ? done() : reject(new Error(`pg_ctl ${args[0]} ended with status ${code}.`)),
    );
  });
}
