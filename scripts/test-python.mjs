#!/usr/bin/env node
/**
 * `npm run test:python`: builds the Python packages in `integrations/python`, installs each package
 * into a new virtual environment, and tests the packages against a complete deployment. Airflow and
 * Dagster execute the Dags and assets. Requires Python 3.10 or newer with venv, and access to PyPI.
 *
 * Usage: node scripts/test-python.mjs [package …]   (default: all packages)
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startDeployment } from './deployment.mjs';
import { createPythonEnvironment, runInBackground } from './programs.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const PYTHON = join(ROOT, 'integrations/python');
/** A test that takes longer ends with a stack trace, for example because a wait never ends. */
const TEST_SECONDS_MAX = 120;
/** The packages, and the requirements of the environment that each package is tested in. */
const PACKAGES = [
  { name: 'freshet', requirements: 'freshet.txt' },
  { name: 'airflow-provider-freshet', requirements: 'airflow.txt' },
  { name: 'dagster-freshet', requirements: 'dagster.txt' },
];

const tools = createPythonEnvironment(ROOT, 'tools', join(PYTHON, 'requirements/tools.txt'));
const folder = mkdtempSync(join(tmpdir(), 'freshet-python-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const wheels = join(folder, 'wheels');
const toolEnv = { ...process.env, PATH: `${tools}:${process.env.PATH}`, UV_NO_CONFIG: '1', UV_SYSTEM_CERTS: '1' };

/** The token of each package. */
const tokens = new Map();
const selected = PACKAGES.filter(({ name }) => process.argv.length === 2 || process.argv.includes(name));
const starting = startDeployment(ROOT, { PORT: String(await findFreePort()) });
const building = buildWheels();
const results = await Promise.allSettled([checkSources(), ...selected.map(testPackage)]);
if (selected.includes(PACKAGES[0])) {
  // Restarts the API, so no other tests may run at the same time.
  results.push(...(await Promise.allSettled([runTests('freshet', '-k', 'api_restarts')])));
}
for (const result of results) {
  const [log, text] =
    result.status === 'fulfilled' ? [console.log, result.value] : [console.error, result.reason.message];
  log(text.trim());
}
await (await starting).stop();
process.exit(results.some(({ status }) => status === 'rejected') ? 1 : 0);

/** Checks that the generated files are up to date, and runs the linter and the formatter. */
async function checkSources() {
  const options = { cwd: PYTHON, env: toolEnv };
  const outputs = [
    await runInBackground(join(tools, 'python'), ['generate.py', '--check'], options),
    await runInBackground(join(tools, 'ruff'), ['check', '.'], options),
    await runInBackground(join(tools, 'ruff'), ['format', '--check', '.'], options),
  ];
  return outputs.join('');
}

/** Builds the wheels that a release publishes. */
async function buildWheels() {
  for (const { name } of PACKAGES) {
    const args = ['build', '--quiet', '--wheel', '--no-build-isolation', '--python', join(tools, 'python')];
    await runInBackground(join(tools, 'uv'), [...args, '--out-dir', wheels, join(PYTHON, name)], { env: toolEnv });
  }
}

/**
 * Installs the wheel of a package and its dependencies into a new environment, checks its types,
 * and runs its tests outside of the repository.
 * @returns the output of the checks and tests.
 */
async function testPackage({ name, requirements }) {
  await building;
  const environment = join(folder, name);
  const python = join(environment, 'bin/python');
  const uv = (...args) => runInBackground(join(tools, 'uv'), args, { env: toolEnv });
  const [wheel] = readdirSync(wheels).filter((file) => file.startsWith(`${name.replaceAll('-', '_')}-`));
  const pinned = ['--constraint', join(PYTHON, 'requirements', requirements), '--find-links', wheels];
  await uv('venv', '--quiet', '--python', 'python3', environment);
  await uv('pip', 'install', '--quiet', '--python', python, ...pinned, join(wheels, wheel), 'pytest');
  const cwd = join(folder, `${name}-work`);
  mkdirSync(cwd);
  const types = runInBackground(
    join(tools, 'mypy'),
    ['--strict', '--python-executable', python, '--cache-dir', join(cwd, '.mypy'), join(PYTHON, name, 'src')],
    { cwd, env: toolEnv },
  );
  const tests = runTests(name, '--ignore', join(PYTHON, name, 'tests/restart'), '--durations', '3');
  const outcomes = await Promise.allSettled([types, tests]);
  const output = outcomes
    .map(({ status, value, reason }) => (status === 'fulfilled' ? value : reason.message))
    .join('');
  if (outcomes.some(({ status }) => status === 'rejected')) throw new Error(`${name}\n${output}`);
  return `${name}\n${output}`;
}

/** Runs the tests of a package with the environment in which the package is installed. */
async function runTests(name, ...args) {
  const { url, token, warehouseUrl } = await starting;
  if (!tokens.has(name)) tokens.set(name, createToken(url, token, name));
  const plugins = ['-p', 'no:cacheprovider', '-p', 'deployment_fixtures'];
  const limits = ['-o', `faulthandler_timeout=${TEST_SECONDS_MAX}`, '-o', 'faulthandler_exit_on_timeout=true'];
  return runInBackground(
    join(folder, name, 'bin/python'),
    ['-m', 'pytest', '--quiet', ...plugins, ...limits, join(PYTHON, name, 'tests'), ...args],
    {
      cwd: join(folder, `${name}-work`),
      env: {
        ...process.env,
        FRESHET_URL: url,
        FRESHET_TOKEN: await tokens.get(name),
        FRESHET_ADMIN_TOKEN: token,
        WAREHOUSE_URL: warehouseUrl,
        PYTHONPATH: join(PYTHON, 'testing'),
        PYTHONDONTWRITEBYTECODE: '1',
      },
    },
  );
}

/** Creates a token that has only the permissions that the guide of the package names. */
async function createToken(url, token, name) {
  const scopes = name === 'freshet' ? ['read', 'run', 'read_reports'] : ['read', 'run'];
  const response = await fetch(`${url}/v1/tokens`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name, role: 'pipeline_admin', scopes }),
  });
  if (!response.ok) throw new Error(`POST /v1/tokens responded with ${response.status}: ${await response.text()}`);
  return (await response.json()).token;
}

function findFreePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
