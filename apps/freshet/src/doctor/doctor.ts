import { AppError } from '@freshet/contracts';
import { createOutboundPolicy } from '@freshet/runtime';
import { findEmbeddedDatabases } from '../cli/embedded-databases.ts';
import { EXIT } from '../cli/errors.ts';
import { readVersion } from '../cli/version.ts';
import { type Check, type CheckResult, failed, runChecks, summarize } from './check.ts';
import { ControlDatabaseChecks, checkEmbeddedPostgres, checkSecretKeys, checkWarehouse } from './databases.ts';
import { checkApi, checkConnections } from './deployment.ts';
import { FreshdeskChecks } from './freshdesk.ts';
import { checkDataFolder, checkDiskSpace, checkNames, checkNode, checkPort } from './machine.ts';
import { formatReport } from './report.ts';
import { type DoctorSettings, listSecrets, readDoctorSettings } from './settings.ts';

/**
 * Checks the machine, the settings and the connections, and prints a report. Changes nothing.
 * @returns the exit status.
 */
export async function runDoctor(options: {
  readonly json: boolean;
  readonly 'data-dir': string | undefined;
}): Promise<number> {
  const results = await diagnose(process.env, options['data-dir']);
  const status = summarize(results);
  const report = { version: readVersion(), status, checks: results };
  process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : formatReport(report, process.stdout));
  return status === 'failed' ? EXIT.failure : EXIT.success;
}

/** Runs all checks. If the settings are malformed, only the checks without settings run. */
export async function diagnose(environment: NodeJS.ProcessEnv, dataDir: string | undefined): Promise<CheckResult[]> {
  const node: Check = { name: 'node', run: () => checkNode() };
  let settings: DoctorSettings;
  try {
    settings = readDoctorSettings(environment, dataDir);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const { message } = error;
    return await runChecks(
      [node, { name: 'settings', run: () => failed(message, 'Correct the variables, and run the command again.') }],
      [],
    );
  }
  return await runChecks([node, ...listChecks(settings)], listSecrets(settings));
}

function listChecks(settings: DoctorSettings): Check[] {
  const policy = createOutboundPolicy(settings.allowedAddresses);
  const embedded = findEmbeddedDatabases(settings.dataDir);
  // `checkEmbeddedPostgres` handles the rejection. This handler prevents an unhandled rejection
  // before that.
  embedded.catch(() => {});
  const database = new ControlDatabaseChecks(settings, embedded);
  const freshdesk = new FreshdeskChecks(settings);
  return [
    { name: 'data_folder', run: () => checkDataFolder(settings) },
    { name: 'disk_space', run: () => checkDiskSpace(settings) },
    { name: 'embedded_postgresql', run: () => checkEmbeddedPostgres(settings, embedded) },
    { name: 'control_database', run: () => database.checkAccess() },
    { name: 'database_clock', run: () => database.checkClock() },
    { name: 'secret_keys', run: () => checkSecretKeys(settings) },
    { name: 'dns', run: () => checkNames(settings, policy) },
    { name: 'freshdesk_key', run: () => freshdesk.checkKey() },
    { name: 'freshdesk_clock', run: () => freshdesk.checkClock() },
    { name: 'warehouse', run: () => checkWarehouse(settings, policy) },
    { name: 'port', run: () => checkPort(settings) },
    { name: 'api', run: () => checkApi(settings) },
    { name: 'connections', run: () => checkConnections(settings) },
  ];
}
