import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { AppError } from '@freshet/contracts';
import { inspectControlDatabase } from '@freshet/control-store';
import { type ControlDatabase, openControlDatabase } from '../cli/control-database.ts';
import { findPgDump } from './pg-dump.ts';

const MIB = 2 ** 20;

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
  const database = await openControlDatabase(options['data-dir'], environment);
  try {
    const { serverVersion } = await inspectControlDatabase(database.url);
    const program = findPgDump(Number.parseInt(serverVersion, 10), environment['PATH'] ?? '');
    await dump(program, environment, database.url, file);
  } finally {
    await database.close();
  }
  return { file, keys: findKeys(database, environment) };
}

/** Returns the text that the command prints. */
export function describeBackup({ file, keys }: Backup): string {
  return `Wrote ${file} (${(statSync(file).size / MIB).toFixed(1)} MiB).
The backup contains customer data and encrypted secrets. It does not contain the encryption keys.
Store the keys separately, because no secret can be decrypted without them: ${keys}
`;
}

/** Returns the location of the encryption keys: an environment variable or a file. */
function findKeys({ dataDir }: ControlDatabase, environment: NodeJS.ProcessEnv): string {
  return dataDir === null || environment['FRESHET_SECRET_KEYS']
    ? 'FRESHET_SECRET_KEYS'
    : join(dataDir, 'standalone.json');
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
