import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '@freshet/contracts';
import { newToken } from '@freshet/control-store';

/** What a standalone deployment keeps in its data folder from start to start. */
export interface State {
  readonly secret_keys: string;
  readonly token: string;
  /** When the simulated account was last changed before Freshet first saw it. */
  readonly simulated_as_of: string;
}

/** @throws AppError `configuration` when the folder cannot be written. */
export function loadState(dataDir: string): State {
  const file = join(dataDir, 'standalone.json');
  try {
    if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as State;
    mkdirSync(dataDir, { recursive: true });
    const state: State = {
      secret_keys: `standalone:${randomBytes(32).toString('base64')}`,
      token: newToken(),
      simulated_as_of: new Date(Math.floor(Date.now() / 1000) * 1000).toISOString(),
    };
    writeFileSync(`${file}.new`, JSON.stringify(state, null, 2), { mode: 0o600 });
    renameSync(`${file}.new`, file);
    return state;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new AppError(
      'configuration',
      `The data folder ${dataDir} cannot be used (${code ?? (error as Error).message}). Give another one with FRESHET_DATA_DIR.`,
      { cause: error },
    );
  }
}
