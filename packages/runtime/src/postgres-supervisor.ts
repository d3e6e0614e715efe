import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { EmbeddedPostgresOptions, SupervisorRequest, SupervisorResponse } from './embedded-postgres.ts';
import { isAlive, startCluster, stopCluster } from './postgres-cluster.ts';
import { type Cluster, getClusterDir } from './postgres-creation.ts';
import {
  DEFAULT_PACKAGE,
  findServerUser,
  locateBinaries,
  prepareBinaries,
  prepareDataDir,
} from './postgres-installation.ts';

/**
 * The entry point of the supervisor process: starts an embedded PostgreSQL, and stops it when the
 * IPC channel to its parent closes. See `embedded-postgres.ts`.
 */

const PID_FILE = 'keeper.pid';

let cluster: Cluster | null = null;
/** The folders that are deleted when the server stops. */
let temporaryDirs: readonly string[] = [];

process.on('message', (request: SupervisorRequest) => {
  const work =
    'start' in request
      ? start(request.start)
      : stop(request.stop.retainData).then((): SupervisorResponse => ({ stopped: true }));
  work.then(respond, (error: unknown) => respond({ failed: error instanceof Error ? error.message : String(error) }));
});
process.on('disconnect', () => void stop().finally(() => process.exit(0)));
// Ignore signals to the process group. Only a request or the closed channel stops the server.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) process.on(signal, () => {});

function respond(message: SupervisorResponse): void {
  if (process.connected) process.send?.(message);
}

async function start(options: EmbeddedPostgresOptions): Promise<SupervisorResponse> {
  const user = findServerUser();
  const installation = locateBinaries(options.resolveFrom, options.packageName ?? DEFAULT_PACKAGE);
  const { packageDir, majorVersion } = installation;
  const dataDir = prepareDataDir(resolve(options.dataDir), user);
  lockDataDir(dataDir);
  // The data folder can differ from the requested folder (see `prepareDataDir`).
  if (options.isTemporary === true) temporaryDirs = [dataDir, resolve(options.dataDir)];
  const binaries = prepareBinaries(installation, dataDir, user);
  const clusterDir = getClusterDir(dataDir, majorVersion);
  const databases = options.databases ?? [];
  // The template is next to the binaries that created it, so that both have the same version.
  const templateDir = join(packageDir, ['template', ...databases].join('-'));
  cluster = { majorVersion, binaries, dataDir, clusterDir, templateDir, databases, user };
  const url = await startCluster(cluster, options.settings ?? {});
  return { started: { url, dataDir, clusterDir } };
}

async function stop(retainData = false): Promise<void> {
  const current = cluster;
  cluster = null;
  if (current === null) return;
  await stopCluster(current);
  rmSync(join(current.dataDir, PID_FILE), { force: true });
  if (!retainData) for (const folder of temporaryDirs) rmSync(folder, { recursive: true, force: true });
}

/** Prevents two servers from using the same data folder. */
function lockDataDir(dataDir: string): void {
  const file = join(dataDir, PID_FILE);
  const otherPid = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0;
  if (otherPid !== 0 && otherPid !== process.pid && isAlive(otherPid)) {
    throw new Error(
      `FRESHET_DATA_DIR: Freshet is already running on the data folder ${dataDir} (process ${otherPid}). Stop that process, or choose a different folder.`,
    );
  }
  writeFileSync(file, String(process.pid));
}
