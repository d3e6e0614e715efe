import { Freshet } from '@freshet/client';
import { readSettings, settings } from '@freshet/runtime';

/**
 * Creates a client of the API at `FRESHET_URL`.
 * @throws AppError `configuration` if `FRESHET_URL` or `FRESHET_TOKEN` is missing.
 */
export function createClient(environment: NodeJS.ProcessEnv): Freshet {
  const { FRESHET_URL: url, FRESHET_TOKEN: token } = readSettings(
    { FRESHET_URL: settings.serverUrl(['http:', 'https:']), FRESHET_TOKEN: settings.string },
    environment,
  );
  return new Freshet({ url, token });
}
