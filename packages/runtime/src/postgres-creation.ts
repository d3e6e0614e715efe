import { execFile, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ServerUser } from './postgres-installation.ts';

/** Creates a PostgreSQL cluster: with `initdb`, or as a copy of an earlier new cluster. */

export const SUPERUSER = 'freshet';
const BUILTIN_LOCALE_SINCE = 17;
const SCRAM_ITERATIONS_SINCE = 16;
const execFileAsync = promisify(execFile);

export interface Cluster {
  readonly majorVersion: number;
  /** The folder that contains `bin`. */
  readonly binaries: string;
  readonly dataDir: string;
  readonly clusterDir: string;
  /**
   * A copy of a new cluster, from which further clusters are created. The folder is created with
   * the first cluster, unless its parent folder is read-only.
   */
  readonly templateDir: string;
  /** The databases of a new cluster. */
  readonly databases: readonly string[];
  /** The user that the server runs as. Null: the user of this process. */
  readonly user: ServerUser | null;
}

export function getPasswordFile({ dataDir }: Pick<Cluster, 'dataDir'>): string {
  return join(dataDir, 'superuser-password');
}

/**
 * Returns the folder of the cluster. Each major version has a separate folder, because the data
 * format depends on the major version.
 */
export function getClusterDir(dataDir: string, majorVersion: number): string {
  return join(dataDir, `pg${majorVersion}`);
}

/** Creates the cluster and its databases. */
export async function createCluster(cluster: Cluster): Promise<void> {
  const temporaryDir = `${cluster.clusterDir}.new.${process.pid}`;
  const passwordFile = getPasswordFile(cluster);
  if (!existsSync(passwordFile)) writeFileSync(passwordFile, randomBytes(24).toString('base64url'), { mode: 0o600 });
  mkdirSync(temporaryDir, { mode: 0o700 });
  if (existsSync(cluster.templateDir)) {
    cpSync(cluster.templateDir, temporaryDir, { recursive: true });
    changeOwner(temporaryDir, cluster);
    // The template contains the password of a different cluster.
    runStatements(cluster, temporaryDir, listPasswordStatements(cluster, passwordFile));
  } else {
    changeOwner(temporaryDir, cluster);
    if (cluster.user) chownSync(passwordFile, cluster.user.uid, cluster.user.gid);
    await initialize(cluster, temporaryDir, passwordFile);
    runStatements(cluster, temporaryDir, [
      ...listPasswordStatements(cluster, passwordFile),
      ...cluster.databases.map((name) => `create database "${name}"`),
    ]);
    storeTemplate(cluster, temporaryDir);
  }
  // Rename the folder last, so that an interrupted start never leaves an incomplete cluster at the
  // final path.
  renameSync(temporaryDir, cluster.clusterDir);
}

/**
 * Lists the statements that set the password of the superuser. SCRAM iterations slow down attempts
 * to guess a password, but also each connection. The password has 192 random bits, which cannot be
 * guessed, so one iteration is sufficient.
 */
function listPasswordStatements({ majorVersion }: Cluster, passwordFile: string): string[] {
  const password = readFileSync(passwordFile, 'utf8').trim();
  return [
    ...(majorVersion >= SCRAM_ITERATIONS_SINCE ? ['set scram_iterations = 1'] : []),
    `alter role ${SUPERUSER} password '${password}'`,
  ];
}

async function initialize(cluster: Cluster, folder: string, passwordFile: string): Promise<void> {
  await execFileAsync(
    join(cluster.binaries, 'bin', 'initdb'),
    [
      '-D',
      folder,
      '-U',
      SUPERUSER,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C',
      // The builtin locale does not depend on the locales of the machine.
      ...(cluster.majorVersion >= BUILTIN_LOCALE_SINCE
        ? ['--locale-provider=builtin', '--builtin-locale=C.UTF-8']
        : []),
      '--no-sync',
    ],
    { cwd: '/', env: { ...process.env, LC_ALL: 'C' }, ...cluster.user },
  );
}

/** Runs statements in the cluster with PostgreSQL in single-user mode. */
function runStatements(cluster: Cluster, folder: string, statements: readonly string[]): void {
  if (statements.length === 0) return;
  const { status, stderr, error } = spawnSync(
    join(cluster.binaries, 'bin', 'postgres'),
    ['--single', '-j', '-D', folder, '-F', 'postgres'],
    {
      input: statements.map((statement) => `${statement};\n\n`).join(''),
      encoding: 'utf8',
      cwd: '/',
      env: { ...process.env, LC_ALL: 'C' },
      ...cluster.user,
    },
  );
  // In single-user mode, PostgreSQL continues after an error, and exits with status 0.
  if (status !== 0 || /\b(?:ERROR|FATAL|PANIC):/.test(stderr))
    throw new Error(
      `PostgreSQL could not create the databases of ${folder}. Cause: ${error?.message ?? stderr.trim()}`,
    );
}

/** Stores a copy of the new cluster as the template of further clusters. */
function storeTemplate({ templateDir }: Cluster, folder: string): void {
  const temporaryDir = `${templateDir}.new.${process.pid}`;
  try {
    mkdirSync(temporaryDir, { mode: 0o700 });
    cpSync(folder, temporaryDir, { recursive: true });
    renameSync(temporaryDir, templateDir);
  } catch {
    // The installation is read-only, or a different process has stored the template in the
    // meantime. Without a template, each cluster is created with `initdb`.
    rmSync(temporaryDir, { recursive: true, force: true });
  }
}

/** Gives a folder with all of its files to the user that the server runs as. */
function changeOwner(folder: string, { user }: Cluster): void {
  if (user === null) return;
  chownSync(folder, user.uid, user.gid);
  for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' }))
    chownSync(join(folder, entry), user.uid, user.gid);
}
