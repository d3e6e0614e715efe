import { Freshet, FreshetError } from '@freshet/client';
import { failed, ok, skipped } from './check.ts';
import type { DoctorSettings } from './settings.ts';

/** Checks of a running deployment through its API. */

const PROCESSES = ['api', 'extract-worker', 'load-worker', 'scheduler'];
const NO_API = 'Set FRESHET_URL and FRESHET_TOKEN to check a running deployment.';

export async function checkApi({ api }: DoctorSettings) {
  if (api === null) return skipped(NO_API);
  try {
    const { processes } = await createClient(api).get('/v1/system');
    const missing = PROCESSES.filter((name) => !processes.some((process) => process.name === name));
    if (missing.length === 0) return ok('The API responds, and all four kinds of process are running.');
    return failed(
      `These processes are not running: ${missing.join(', ')}.`,
      missing.map((name) => `Start: freshet ${name}`).join('. '),
    );
  } catch (error) {
    if (!(error instanceof FreshetError)) throw error;
    const isTokenError = error.status === 401 || error.status === 403;
    return failed(
      error.message,
      isTokenError ? 'Set FRESHET_TOKEN to a valid token.' : 'Correct FRESHET_URL, or start the API: freshet api',
    );
  }
}

/** Tests the warehouse of each destination and the account of each pipeline. */
export async function checkConnections({ api }: DoctorSettings) {
  if (api === null) return skipped(NO_API);
  const client = createClient(api);
  const problems: string[] = [];
  let tests = 0;
  for await (const { id, name } of client.paginate('/v1/destinations')) {
    const { usable, missing_grants, error } = await client.post('/v1/destinations/{id}/test', {
      params: { path: { id } },
    });
    tests++;
    if (!usable) problems.push(`destination "${name}": ${error?.message ?? missing_grants.join(' ')}`);
  }
  for await (const { id, name } of client.paginate('/v1/pipelines')) {
    const { ok: isUsable, error } = await client.post('/v1/pipelines/{id}/test', { params: { path: { id } } });
    tests++;
    if (!isUsable) problems.push(`pipeline "${name}": ${error?.message ?? 'the API key cannot read any object.'}`);
  }
  if (problems.length === 0) return ok(`${tests} connections to warehouses and accounts work.`);
  return failed(problems.join(' '), 'Update the credential, the destination or the pipeline in the console.');
}

function createClient({ url, token }: NonNullable<DoctorSettings['api']>): Freshet {
  return new Freshet({ url, token, maxAttempts: 1 });
}
