import { AppError } from '@freshet/contracts';
import { readSettings, settings } from '@freshet/runtime';
import { startEmbeddedPostgres } from '@freshet/runtime/embedded-postgres';
import { resolveDataDir } from './data-dir.ts';
import { findEmbeddedDatabases, toControlUrl } from './embedded-databases.ts';

/** A control database that a command uses. */
export interface ControlDatabase {
  readonly url: string;
  /** The data folder of the embedded PostgreSQL. Null: the URL comes from DATABASE_URL. */
  readonly dataDir: string | null;
  readonly close: () => Promise<void>;
}

/**
 * Returns the control database in `DATABASE_URL`. If this variable is not set, uses the embedded
 * PostgreSQL of the data folder, and starts the server if it is stopped.
 * @param dataDirOption the value of the option `--data-dir`.
 * @throws AppError `configuration` if the data folder contains no control database.
 */
export async function openControlDatabase(
  dataDirOption: string | undefined,
  environment: NodeJS.ProcessEnv,
): Promise<ControlDatabase> {
  const { DATABASE_URL: url } = readSettings({ DATABASE_URL: settings.DATABASE_URL.optional() }, environment);
  if (url !== undefined) return { url, dataDir: null, close: async () => {} };
  const dataDir = resolveDataDir(dataDirOption, environment);
  const { exists, controlUrl } = await findEmbeddedDatabases(dataDir);
  if (controlUrl !== null) return { url: controlUrl, dataDir, close: async () => {} };
  if (!exists)
    throw new AppError(
      'configuration',
      `The data folder ${dataDir} contains no control database. Set --data-dir to the data folder of Freshet, or set DATABASE_URL.`,
    );
  const server = await startEmbeddedPostgres({ resolveFrom: import.meta.url, dataDir });
  return { url: toControlUrl(server.url), dataDir, close: () => server.stop() };
}
