import { Freshet } from '@freshet/client';
import { AppError } from '@freshet/contracts';
import { readLocalDeployment, readSettings, settings } from '@freshet/runtime';
import { resolveDataDir } from './cli/data-dir.ts';

/** A link that signs in to the console. */
export interface SignInLink {
  readonly url: string;
  readonly expiresAt: Date;
}

/**
 * Creates a one-time link to the console of the deployment at `FRESHET_URL`. If this variable is
 * not set, uses the deployment that runs with the data folder.
 * @param dataDir the value of the option `--data-dir`.
 * @throws AppError `configuration` when there is no deployment.
 */
export async function createSignInLink(
  environment: NodeJS.ProcessEnv,
  dataDir: string | undefined,
): Promise<SignInLink> {
  const { url, token } = findDeployment(environment, dataDir);
  const { code, expires_at } = await new Freshet({ url, token }).post('/v1/sign-in-codes');
  return { url: `${url.replace(/\/$/, '')}/console?code=${code}`, expiresAt: new Date(expires_at) };
}

function findDeployment(
  environment: NodeJS.ProcessEnv,
  dataDir: string | undefined,
): { readonly url: string; readonly token: string } {
  const env = readSettings(
    {
      FRESHET_URL: settings.serverUrl(['http:', 'https:']).optional(),
      FRESHET_TOKEN: settings.string.optional(),
    },
    environment,
  );
  if (env.FRESHET_URL !== undefined && env.FRESHET_TOKEN !== undefined)
    return { url: env.FRESHET_URL, token: env.FRESHET_TOKEN };
  if (env.FRESHET_URL !== undefined || env.FRESHET_TOKEN !== undefined)
    throw new AppError(
      'configuration',
      'Set both FRESHET_URL (the address of the API) and FRESHET_TOKEN (an API token), or neither.',
    );
  const folder = resolveDataDir(dataDir, environment);
  const local = readLocalDeployment(folder);
  if (local !== null) return local;
  throw new AppError(
    'configuration',
    `No deployment is running with the data folder ${folder}. Start Freshet, or set FRESHET_URL and FRESHET_TOKEN to the address of the API and an API token.`,
  );
}
