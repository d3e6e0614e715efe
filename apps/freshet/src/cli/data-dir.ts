import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { readSettings, settings } from '@freshet/runtime';

/**
 * Returns the data folder of a deployment on one machine: the option, `FRESHET_DATA_DIR`, or a
 * folder in the user's data folder (XDG Base Directory Specification). The default does not depend
 * on the current folder, so that each start continues with the same data.
 */
export function resolveDataDir(option: string | undefined, environment: NodeJS.ProcessEnv): string {
  const { FRESHET_DATA_DIR: configured } = readSettings({ FRESHET_DATA_DIR: settings.string.optional() }, environment);
  const chosen = option ?? configured;
  if (chosen !== undefined) return resolve(chosen);
  const base = environment['XDG_DATA_HOME'] ?? '';
  return join(isAbsolute(base) ? base : join(homedir(), '.local/share'), 'freshet');
}
