import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { inspectControlDatabase, SecretBox } from '@freshet/control-store';
import type { OutboundPolicy } from '@freshet/runtime';
import { Warehouse } from '@freshet/warehouse-loader';
import type { findEmbeddedDatabases } from '../cli/embedded-databases.ts';
import { failed, ok, skipped, warning } from './check.ts';
import { compareClocks } from './clock.ts';
import type { DoctorSettings } from './settings.ts';

/** Checks of the control database, the keys and the warehouse. */

const CHECK_TIMEOUT_MS = 15_000;
const STOPPED = 'Freshet is not running.';

type EmbeddedDatabases = Awaited<ReturnType<typeof findEmbeddedDatabases>>;

/** @param embedded rejects if the embedded PostgreSQL cannot run. */
export async function checkEmbeddedPostgres(
  { databaseUrl, warehouse, isStandalone }: DoctorSettings,
  embedded: Promise<EmbeddedDatabases>,
) {
  if (!isStandalone) return skipped('Separate processes use the server in DATABASE_URL.');
  if (databaseUrl !== null && warehouse !== null)
    return skipped('DATABASE_URL and WAREHOUSE_URL replace the embedded PostgreSQL.');
  try {
    const { version, dataDir, exists, isRunning } = await embedded;
    const state = isRunning ? 'is running' : exists ? 'is stopped' : 'will be created at the first start';
    return ok(`PostgreSQL ${version} in ${dataDir} ${state}.`);
  } catch (error) {
    return failed(
      (error as Error).message,
      'Install the package again without --omit=optional, or set DATABASE_URL and WAREHOUSE_URL. The embedded PostgreSQL requires Linux with glibc or macOS, on x64 or arm64.',
    );
  }
}

/** Inspects the control database. */
export class ControlDatabaseChecks {
  readonly #state: Promise<Awaited<ReturnType<typeof inspectControlDatabase>> | null>;

  constructor({ databaseUrl }: DoctorSettings, embedded: Promise<EmbeddedDatabases>) {
    this.#state = findUrl(databaseUrl, embedded).then((url) => (url === null ? null : inspectControlDatabase(url)));
    // Both checks handle the rejection. This handler prevents an unhandled rejection before that.
    this.#state.catch(() => {});
  }

  async checkAccess() {
    const state = await this.#state;
    if (state === null) return skipped(`${STOPPED} The embedded control database can be checked while Freshet runs.`);
    const { serverVersion, isSupported, missingGrants, schema } = state;
    if (!isSupported)
      return failed(`PostgreSQL ${serverVersion} is too old.`, 'Use a server with PostgreSQL 14 or newer.');
    if (missingGrants.length > 0)
      return failed(
        'The role in DATABASE_URL lacks privileges.',
        `As the owner of the database, run: ${missingGrants.join(' ')}`,
      );
    if (schema === 'older')
      return warning(
        `The schema of the database is older than this release (PostgreSQL ${serverVersion}).`,
        'Run: freshet migrate. The next start also migrates the database.',
      );
    if (schema === 'newer')
      return failed(
        'The schema of the database belongs to a newer release.',
        'Upgrade this installation: npm install --global freshet@latest',
      );
    const purpose = schema === 'none' ? 'The first start creates the schema.' : 'The schema belongs to this release.';
    return ok(`PostgreSQL ${serverVersion}. ${purpose}`);
  }

  async checkClock() {
    const state = await this.#state.catch(() => undefined);
    if (state === null) return skipped(STOPPED);
    return state === undefined
      ? skipped('The control database cannot be reached.')
      : compareClocks('the control database', state.clockSkewMs);
  }
}

async function findUrl(databaseUrl: string | null, embedded: Promise<EmbeddedDatabases>): Promise<string | null> {
  if (databaseUrl !== null) return databaseUrl;
  // `checkEmbeddedPostgres` reports the error.
  return await embedded.then(({ controlUrl }) => controlUrl).catch(() => null);
}

export function checkSecretKeys({ secretKeys, isStandalone, dataDir }: DoctorSettings) {
  if (secretKeys === null) {
    if (!isStandalone)
      return failed('FRESHET_SECRET_KEYS is missing.', 'Create a key with: echo "k1:$(openssl rand -base64 32)"');
    const file = join(dataDir, 'standalone.json');
    return ok(existsSync(file) ? `The key is in ${file}.` : `The first start creates a key in ${file}.`);
  }
  // The constructor validates and tests the keys.
  void new SecretBox(secretKeys);
  return ok('The keys are valid.');
}

export async function checkWarehouse(settings: DoctorSettings, policy: OutboundPolicy) {
  const { warehouse: address, account, isStandalone } = settings;
  if (address === null)
    return skipped(
      isStandalone ? 'The warehouse is a database in the embedded PostgreSQL.' : 'Each pipeline has its own warehouse.',
    );
  const schema = `freshdesk_${(account?.subdomain ?? 'demo').replaceAll('-', '_')}`;
  const warehouse = new Warehouse(address, 1, policy, { checkMs: CHECK_TIMEOUT_MS });
  try {
    const results = [await warehouse.test(schema), await warehouse.test(`${schema}_analytics`)];
    const missingGrants = [...new Set(results.flatMap((result) => result.missingGrants))];
    const version = results[0]?.serverVersion;
    if (missingGrants.length > 0)
      return failed(
        `The role in WAREHOUSE_URL lacks privileges (PostgreSQL ${version}).`,
        `As the owner of the database, run: ${missingGrants.join(' ')}`,
      );
    if (results.some(({ isUsable }) => !isUsable))
      return failed(`PostgreSQL ${version} is too old.`, 'Use a server with PostgreSQL 14 or newer.');
    return ok(`PostgreSQL ${version}. The role can load into the schema ${schema}.`);
  } finally {
    await warehouse.close();
  }
}
