import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '@freshet/runtime/embedded-postgres';
import type { TestProject } from 'vitest/node';
import { bundleProcesses } from './bundle.ts';
import { startPgBouncer } from './pg-bouncer.ts';
import { getPostgresUnderTest } from './postgres-under-test.ts';

/**
 * Starts one server for all tests of a run, and bundles the processes. The folder and the port of
 * the server are not shared with concurrent runs.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dataDir = mkdtempSync(join(tmpdir(), 'freshet-test-'));
  const server = await startEmbeddedPostgres({
    ...getPostgresUnderTest(),
    dataDir,
    isTemporary: true,
    // The data is deleted after the run, so the data need not survive a crash.
    settings: { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '1000' },
  });
  const bouncer = process.env['FRESHET_TEST_PGBOUNCER'] === undefined ? null : await startPgBouncer(server.url);
  project.provide('bundle', bundleProcesses());
  project.provide('postgresUrl', server.url);
  project.provide('warehouseUrl', bouncer?.url ?? server.url);
  return async () => {
    await bouncer?.stop();
    await server.stop();
  };
}
