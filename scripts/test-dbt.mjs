#!/usr/bin/env node
/**
 * `npm run test:dbt`: builds the dbt package in `integrations/dbt` on a synced warehouse, and
 * compares the rows of every model with the models that Freshet installs. Requires Python 3 with
 * venv, and access to PyPI.
 */
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createPythonEnvironment } from './programs.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const bin = createPythonEnvironment(ROOT, 'dbt', join(ROOT, 'integrations/dbt/requirements.txt'));
const { status } = spawnSync(process.execPath, [join(ROOT, 'scripts/run.mjs'), 'test:dbt', ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: { ...process.env, FRESHET_DBT: join(bin, 'dbt') },
});
process.exit(status ?? 1);
