import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { AppError } from '@freshet/contracts';

/** The folders of pg_dump that are often not in PATH. */
const DEBIAN_FOLDER = '/usr/lib/postgresql';
const OTHER_FOLDERS = ['/opt/homebrew/opt/libpq/bin', '/usr/local/opt/libpq/bin', '/usr/local/pgsql/bin'];

/**
 * Finds a pg_dump that can dump a server.
 * @param majorVersion the major version of the server. An older pg_dump refuses to dump the server.
 * @param path the value of `PATH`.
 * @throws AppError `configuration` that states how to install pg_dump.
 */
export function findPgDump(majorVersion: number, path: string): string {
  const programs = listPrograms(path);
  const versions = programs.map((program) => ({ program, version: readMajorVersion(program) }));
  const suitable = versions.find(({ version }) => version !== null && version >= majorVersion);
  if (suitable !== undefined) return suitable.program;
  const found = versions
    .flatMap(({ program, version }) => (version === null ? [] : [`${program} has version ${version}`]))
    .join(', ');
  throw new AppError(
    'configuration',
    `A backup requires pg_dump ${majorVersion} or newer, because the server has version ${majorVersion}. ${
      found === '' ? 'No pg_dump was found.' : `Found: ${found}.`
    }
Install the client programs of PostgreSQL ${majorVersion}:
  Debian, Ubuntu  apt-get install postgresql-client-${majorVersion} (repository: https://apt.postgresql.org)
  macOS           brew install libpq
Alternatively, stop Freshet and copy its data folder.`,
  );
}

function listPrograms(path: string): string[] {
  const debianFolders = existsSync(DEBIAN_FOLDER)
    ? readdirSync(DEBIAN_FOLDER).map((version) => join(DEBIAN_FOLDER, version, 'bin'))
    : [];
  const folders = [...path.split(delimiter).filter((folder) => folder !== ''), ...debianFolders, ...OTHER_FOLDERS];
  return [...new Set(folders)].map((folder) => join(folder, 'pg_dump')).filter((program) => existsSync(program));
}

function readMajorVersion(program: string): number | null {
  const { stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  const version = /\d+/.exec(stdout ?? '')?.[0];
  return version === undefined ? null : Number(version);
}
