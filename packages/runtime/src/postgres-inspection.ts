import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { findRunningCluster } from './postgres-cluster.ts';
import { getClusterDir } from './postgres-creation.ts';
import {
  DEFAULT_PACKAGE,
  findCompleteBinaries,
  findDataDir,
  findServerUser,
  locateBinaries,
} from './postgres-installation.ts';

/** The state of the embedded PostgreSQL of a data folder. */
export interface EmbeddedPostgresState {
  /** The version of the server, such as `18.4`. */
  readonly version: string;
  /** The folder that contains the data of the server. */
  readonly dataDir: string;
  /** Whether a cluster exists in the data folder. */
  readonly exists: boolean;
  /**
   * The URL with which the superuser connects to the database `postgres`. Null: no server is
   * running.
   */
  readonly url: string | null;
}

/**
 * Inspects the embedded PostgreSQL without starting it.
 * @param options see `EmbeddedPostgresOptions`.
 * @throws Error if the binaries are not installed or do not run on this machine.
 */
export async function inspectEmbeddedPostgres(options: {
  readonly resolveFrom: string;
  readonly dataDir: string;
}): Promise<EmbeddedPostgresState> {
  const user = findServerUser();
  const installation = locateBinaries(options.resolveFrom, DEFAULT_PACKAGE);
  const requestedDir = resolve(options.dataDir);
  const dataDir = existsSync(requestedDir) ? findDataDir(requestedDir, user) : requestedDir;
  const binaries = findCompleteBinaries(installation, dataDir);
  const version =
    binaries === null ? String(installation.majorVersion) : readServerVersion(join(binaries, 'bin', 'postgres'));
  const clusterDir = getClusterDir(dataDir, installation.majorVersion);
  const exists = existsSync(join(clusterDir, 'PG_VERSION'));
  return { version, dataDir, exists, url: exists ? await findRunningCluster({ dataDir, clusterDir }) : null };
}

function readServerVersion(program: string): string {
  const { status, stdout, stderr, error } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  const version = /\d[\d.]*\d/.exec(stdout ?? '')?.[0];
  if (status === 0 && version !== undefined) return version;
  const cause = error?.message ?? stderr.trim();
  throw new Error(`The embedded PostgreSQL does not run on this machine (${cause}).`);
}
