#!/usr/bin/env node
/**
 * `npm run test:warehouses`: the loader's tests against every release of PostgreSQL that a warehouse may be, and through a
 * PgBouncer in transaction mode, with which a whole deployment syncs, too. Needs the npm registry (for the servers) and a
 * `pgbouncer` (Debian: apt-get install pgbouncer). Runs on the Node that the workspace pins, after `npm test` or `npm start` has installed it.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { must } from './programs.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const { packageManager } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const servers = join(ROOT, 'packages/testing/servers');
const LOADER = ['packages/warehouse-loader/src/load.db.test.ts', 'packages/warehouse-loader/src/random.db.test.ts'];

if (spawnSync('pgbouncer', ['--version'], { stdio: 'ignore' }).error) {
  console.error('pgbouncer is needed, and not on the PATH. On Debian and Ubuntu: apt-get install pgbouncer');
  process.exit(1);
}
must('npx', ['--yes', packageManager, 'install', '--frozen-lockfile', '--reporter=append-only'], {
  cwd: servers,
  env: { ...process.env, CI: 'true' },
});
const { dependencies } = JSON.parse(readFileSync(join(servers, 'package.json'), 'utf8'));
for (const name of Object.keys(dependencies)) {
  const major = name.replace('postgres-', '');
  console.log(`\n== PostgreSQL ${major}`);
  test({ FRESHET_TEST_POSTGRES: major }, LOADER);
}
console.log('\n== Through PgBouncer in transaction mode');
test({ FRESHET_TEST_PGBOUNCER: 'on' }, [...LOADER, 'apps/standalone/src/e2e/sync.e2e.test.ts']);

function test(env, files) {
  must(process.execPath, [join(ROOT, 'scripts/run.mjs'), 'test', '--project', 'db', ...files], {
    cwd: ROOT,
    env: { ...process.env, ...env },
  });
}
