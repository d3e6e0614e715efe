#!/usr/bin/env node
/**
 * `npm run test:warehouses`: runs the loader's tests against every supported PostgreSQL release,
 * and the tests of the models against the oldest release. Then runs the loader's tests, and a sync
 * of a complete deployment, through PgBouncer in transaction mode. `npm test` uses the newest
 * release.
 * Requires access to the npm registry (for the servers) and `pgbouncer` (Debian: apt-get install
 * pgbouncer). Runs on the Node version that the workspace pins, which `npm test` or `npm start`
 * installs.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runOrExit } from './programs.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const { packageManager } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const servers = join(ROOT, 'packages/testing/servers');
const LOADER = [
  'packages/warehouse-loader/src/load/load.db.test.ts',
  'packages/warehouse-loader/src/load/merge.db.test.ts',
  'packages/warehouse-loader/src/load/deletions.db.test.ts',
  'packages/warehouse-loader/src/load/audits.db.test.ts',
  'packages/warehouse-loader/src/records/row-writer.db.test.ts',
  'packages/warehouse-loader/src/records/random.db.test.ts',
  'packages/warehouse-loader/src/schema/evolve.db.test.ts',
  'packages/warehouse-loader/src/schema/column-names.db.test.ts',
  'packages/warehouse-loader/src/schema/history.db.test.ts',
  'packages/warehouse-loader/src/warehouse.db.test.ts',
];
const MODELS = ['packages/analytics'];

if (spawnSync('pgbouncer', ['--version'], { stdio: 'ignore' }).error) {
  console.error('pgbouncer is not on the PATH. On Debian and Ubuntu, install it with: apt-get install pgbouncer');
  process.exit(1);
}
runOrExit('npx', ['--yes', packageManager, 'install', '--frozen-lockfile', '--reporter=append-only'], {
  cwd: servers,
  env: { ...process.env, CI: 'true' },
});
const { dependencies } = JSON.parse(readFileSync(join(servers, 'package.json'), 'utf8'));
const releases = Object.keys(dependencies).map((name) => name.replace('postgres-', ''));
for (const major of releases) {
  console.log(`\n== PostgreSQL ${major}`);
  const models = major === releases[0] ? MODELS : [];
  runTests({ FRESHET_TEST_POSTGRES: major }, [...LOADER, ...models]);
}
console.log('\n== Through PgBouncer in transaction mode');
runTests({ FRESHET_TEST_PGBOUNCER: 'on' }, [...LOADER, 'apps/standalone/src/e2e/sync.e2e.test.ts']);

function runTests(env, files) {
  runOrExit(process.execPath, [join(ROOT, 'scripts/run.mjs'), 'test', ...files], {
    cwd: ROOT,
    env: { ...process.env, ...env },
  });
}
