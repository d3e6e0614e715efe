import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { AppError } from '@freshet/contracts';
import { inspectControlDatabase } from '@freshet/control-store';
import { readSettings, settings } from '@freshet/runtime';
import { startEmbeddedPostgres } from '@freshet/runtime/embedded-postgres';
import { resolveDataDir } from '../cli/data-dir.ts';
import { findEmbeddedDatabases, toControlUrl } from '../cli/embedded-databases.ts';
import { findPgDump } from './pg-dump.ts';

const MIB = 2 ** 20;

interface Source extends Pick<Backup, 'keys'> {
  /** The URL of the control database. */
  readonly url: string;
  readonly close: () => Promise<void>;
}

export interface Backup {
  /** The path of the file. */
  readonly file: string;
  /** The place of the encryption keys, which the backup does not contain. */
  readonly keys: string;
}

/**
 * Writes a backup of the control database.
 * @throws AppError `configuration` if the database cannot be reached or pg_dump is unsuitable.
 */
export async function createBackup(
  options: { readonly output: string | undefined; readonly 'data-dir': string | undefined },
  environment: NodeJS.ProcessEnv,
): Promise<Backup> {
  const time = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const file = resolve(options.output ?? `freshet-${time}.dump`);
  if (existsSync(file))
    throw new AppError('configuration', `${file} already exists. Choose a different file with --output.`);
  const source = await openSource(options['data-dir'], environment);
  try {
    const { serverVersion } = await inspectControlDatabase(source.url);
    const program = findPgDump(Number.parseInt(serverVersion, 10), environment['PATH'] ?? '');
    await dump(program, environment, source.url, file);
  } finally {
    await source.close();
  }
  return { file, keys: source.keys };
}

/** Returns the text that the command prints. */
export function describeBackup({ file, keys }: Backup): string {
  return `Wrote ${file} (${(statSync(file).size / MIB).toFixed(1)} MiB).
The backup contains customer data and encrypted secrets. It does not contain the encryption keys.
Store the keys separately, because no secret can be decrypted without them: ${keys}
`;
}

async function openSource(dataDirOption: string | undefined, environment: NodeJS.ProcessEnv): Promise<Source> {
  const { DATABASE_URL: url } = readSettings({ DATABASE_URL: settings.DATABASE_URL.optional() }, environment);
  if (url !== undefined) return { url, keys: 'FRESHET_SECRET_KEYS', close: async () => {} };
  const dataDir = resolveDataDir(dataDirOption, environment);
  const keys = environment['FRESHET_SECRET_KEYS'] ? 'FRESHET_SECRET_KEYS' : join(dataDir, 'standalone.json');
  const { exists, controlUrl } = await findEmbeddedDatabases(dataDir);
  if (controlUrl !== null) return { url: controlUrl, keys, close: async () => {} };
  if (!exists)
    throw new AppError(
      'configuration',
      `The data folder ${dataDir} contains no control database. Set --data-dir to the data folder of Freshet, or set DATABASE_URL.`,
    );
  const server = await startEmbeddedPostgres({ resolveFrom: import.meta.url, dataDir });
  return { url: toControlUrl(server.url), keys, close: () => server.stop() };
}

/** Writes the dump to a temporary file, so that an interrupted backup never looks complete. */
async function dump(program: string, environment: NodeJS.ProcessEnv, url: string, file: string): Promise<void> {
  const temporaryFile = `${file}.new.${process.pid}`;
  // Other users must not read the file, which contains customer data.
  closeSync(openSync(temporaryFile, 'wx', 0o600));
  try {
    const { PGPASSWORD, target } = splitPassword(url);
    const child = spawn(program, ['--format=custom', `--file=${temporaryFile}`, `--dbname=${target}`], {
      stdio: ['ignore', 'inherit', 'pipe'],
      // A command line is visible to other users, an environment is not.
      env: { ...environment, ...(PGPASSWORD === '' ? {} : { PGPASSWORD }) },
    });
    let errorOutput = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errorOutput += text;
    });
    const [status] = (await once(child, 'close')) as [number | null];
    if (status !== 0) throw new AppError('configuration', `pg_dump failed: ${errorOutput.trim()}`);
    renameSync(temporaryFile, file);
  } finally {
    rmSync(temporaryFile, { force: true });
  }
}

function splitPassword(databaseUrl: string): { readonly PGPASSWORD: string; readonly target: string } {
  const url = new URL(databaseUrl);
  const PGPASSWORD = decodeURIComponent(url.password);
  url.password = '';
  return { PGPASSWORD, target: url.href };
}
