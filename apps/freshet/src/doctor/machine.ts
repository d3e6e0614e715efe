import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { AppError } from '@freshet/contracts';
import type { OutboundPolicy } from '@freshet/runtime';
import { readPackageManifest } from '../cli/version.ts';
import { failed, ok, skipped, warning } from './check.ts';
import type { DoctorSettings } from './settings.ts';

/** Checks of the machine: Node.js, the data folder, the disk, names and ports. */

const GIB = 2 ** 30;
/** PostgreSQL stops when the disk is full. */
const FREE_BYTES_MIN = GIB;
/** The batches of a week and the tables of a small account fit. */
const FREE_BYTES_RECOMMENDED = 5 * GIB;

export function checkNode(version = process.versions.node) {
  const required = readPackageManifest().engines.node.replace('>=', '');
  if (Number.parseInt(version, 10) >= Number.parseInt(required, 10)) return ok(`Node.js ${version}`);
  return failed(
    `Node.js ${version} is too old.`,
    `Install Node.js ${required} or newer from https://nodejs.org, or with a version manager: nvm install ${required}`,
  );
}

export function checkDataFolder({ isStandalone, dataDir }: DoctorSettings) {
  if (!isStandalone) return skipped('Separate processes have no data folder.');
  const folder = findExistingFolder(dataDir);
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    return failed(
      `The data folder ${dataDir} is not writable (${(error as NodeJS.ErrnoException).code}).`,
      'Change the owner of the folder, or choose a different folder with --data-dir or FRESHET_DATA_DIR.',
    );
  }
  if (folder !== dataDir) return ok(`${dataDir} does not exist yet. The first start creates the folder.`);
  const state = join(dataDir, 'standalone.json');
  if (existsSync(state) && (statSync(state).mode & 0o077) !== 0)
    return warning(
      `Other users can read ${state}, which contains the encryption keys and the token.`,
      `Run: chmod 600 '${state}'`,
    );
  return ok(`${dataDir} is writable.`);
}

/** @param getFreeBytes returns the free bytes of the disk of a folder. */
export function checkDiskSpace({ isStandalone, dataDir }: DoctorSettings, getFreeBytes = readFreeBytes) {
  if (!isStandalone) return skipped('Separate processes store no data on this machine.');
  const freeBytes = getFreeBytes(findExistingFolder(dataDir));
  const message = `${(freeBytes / GIB).toFixed(1)} GiB free on the disk of the data folder`;
  const remedy = 'Free disk space, or move the data folder to a larger disk with --data-dir.';
  if (freeBytes < FREE_BYTES_MIN) return failed(`${message}. At least 1 GiB is required.`, remedy);
  return freeBytes < FREE_BYTES_RECOMMENDED
    ? warning(`${message}. At least 5 GiB are recommended.`, remedy)
    : ok(`${message}.`);
}

function readFreeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

/** Resolves the names of the servers that the settings contain. */
export async function checkNames(settings: DoctorSettings, policy: OutboundPolicy) {
  const { databaseUrl, warehouse, account } = settings;
  const hosts = new Set(
    [account?.origin, databaseUrl]
      .flatMap((url) => (url === undefined || url === null ? [] : [new URL(url).hostname]))
      .concat(warehouse === null ? [] : [warehouse.host])
      .filter((host) => host !== ''),
  );
  if (hosts.size === 0) return skipped('The settings contain no server names.');
  // The outbound policy does not apply to the control database, which the operator chooses.
  const controlHost = databaseUrl === null ? '' : new URL(databaseUrl).hostname;
  for (const host of hosts) {
    const problem = await resolveName(host, host === controlHost ? null : policy);
    if (problem !== null) return failed(problem.message, problem.remedy);
  }
  return ok(`These names resolve to allowed addresses: ${[...hosts].join(', ')}.`);
}

async function resolveName(host: string, policy: OutboundPolicy | null) {
  const { lookup } = await import('node:dns');
  const resolve = policy?.lookup ?? lookup;
  const error = await new Promise<NodeJS.ErrnoException | null>((done) =>
    resolve(host.replace(/^\[|\]$/g, ''), { all: true }, (problem) => done(problem)),
  );
  if (error === null) return null;
  if (error instanceof AppError) throw error;
  return {
    message: `${host} does not resolve to an address (${error.code}).`,
    remedy: 'Correct the name in the settings, or the DNS servers of this machine (/etc/resolv.conf).',
  };
}

export async function checkPort({ host, port, isStandalone }: DoctorSettings) {
  if (port === null)
    return skipped(
      isStandalone
        ? 'PORT is not set. If port 8080 is in use, Freshet uses a free port.'
        : 'PORT is not set. The API listens on port 8080.',
    );
  const code = await new Promise<string | null>((done) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message));
    server.listen(port, host, () => server.close(() => done(null)));
  });
  if (code === null) return ok(`Port ${port} at ${host} is free.`);
  if (code === 'EADDRINUSE')
    return warning(
      `Port ${port} at ${host} is in use.`,
      'If Freshet is not running, stop the other program, or choose a different port with PORT.',
    );
  return failed(`Freshet cannot listen on port ${port} at ${host} (${code}).`, 'Choose a port above 1023 with PORT.');
}

/** Returns the folder, or the nearest parent folder that exists. */
function findExistingFolder(folder: string): string {
  return existsSync(folder) || folder === dirname(folder) ? folder : findExistingFolder(dirname(folder));
}
