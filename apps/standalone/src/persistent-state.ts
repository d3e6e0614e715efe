import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '@freshet/contracts';
import { generateToken } from '@freshet/control-store';

/** The state that a standalone deployment retains in its data folder between starts. */
export interface PersistentState {
  readonly secret_keys: string;
  readonly token: string;
  /** The time of the latest change in the simulated account. */
  readonly simulated_as_of: string;
}

/**
 * Reads the state. Creates the state at the first start.
 * @throws AppError `configuration` when the folder is not writable.
 */
export function loadState(dataDir: string): PersistentState {
  const file = join(dataDir, 'standalone.json');
  try {
    if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as PersistentState;
    mkdirSync(dataDir, { recursive: true });
    const state: PersistentState = {
      secret_keys: `standalone:${randomBytes(32).toString('base64')}`,
      token: generateToken(),
      simulated_as_of: new Date(Math.floor(Date.now() / 1000) * 1000).toISOString(),
    };
    writeFileSync(`${file}.new`, JSON.stringify(state, null, 2), { mode: 0o600 });
    renameSync(`${file}.new`, file);
    return state;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new AppError(
      'configuration',
      `FRESHET_DATA_DIR: the data folder ${dataDir} is not usable (${code ?? (error as Error).message}). Choose a different folder.`,
      { cause: error },
    );
  }
}
