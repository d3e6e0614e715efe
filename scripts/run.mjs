#!/usr/bin/env node
/**
 * The entry point of `npm start`, `npm test` and `npm run freshet --`. Installs the locked
 * dependencies if they are missing or outdated, selects the Node version that the workspace pins,
 * bundles the processes if their sources have changed, and runs the command. This script is plain
 * JavaScript, and runs on Node 18 or newer.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findBundle } from './bundle.mjs';
import { findSite } from './docs-site.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const NODE_MIN = 24;
/** The programs that run from the bundle: their paths in the bundle. */
const PROGRAMS = { start: 'apps/standalone/src/main.js', freshet: 'apps/freshet/src/main.js' };
const BUNDLE = ['--disable-warning=ExperimentalWarning', join(ROOT, 'scripts/bundle.mjs')];
const SITE_SCRIPT = join(ROOT, 'scripts/docs-site.mjs');
const COMMANDS = {
  bundle: BUNDLE,
  'docs:build': [SITE_SCRIPT],
  test: [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', '--project=unit', '--project=db', '--project=e2e'],
  'test:fast': [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', '--project=unit', '--project=db'],
  'test:package': [join(ROOT, 'scripts/test-package.mjs')],
  'test:release': [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', '--project', 'release'],
  'test:docs': [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', '--project', 'docs'],
  'test:dbt': [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', '--project', 'dbt'],
  'test:console': [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', '--project', 'browser'],
};
/**
 * The interval at which this process checks whether its parent process is alive. The check is
 * necessary because npm forwards no signal when npm is killed. The scripts in package.json use
 * `exec`, so that npm is the parent of this process, and not a shell that would survive npm.
 */
const PARENT_POLL_MS = 500;

const [name, ...args] = process.argv.slice(2);
const program = PROGRAMS[name];
const command = COMMANDS[name];
if (!program && !command) {
  console.error(`Usage: node scripts/run.mjs ${Object.keys({ ...PROGRAMS, ...COMMANDS }).join('|')}`);
  process.exit(2);
}
const node = installIfNeeded();
run(node, program ? ['--enable-source-maps', join(bundleIfNeeded(), program), ...args] : [...command, ...args]);

/**
 * @returns the path of the Node that runs the commands. The installation stores this path, because
 *   a check of the version takes as long as a start of Node.
 */
function installIfNeeded() {
  const { packageManager } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const state = createHash('sha256')
    .update(readFileSync(join(ROOT, 'pnpm-lock.yaml')))
    .update(`${packageManager} ${process.platform} ${process.arch}`)
    .digest('hex');
  const stamp = join(ROOT, 'node_modules/.freshet-installed');
  const [installedState, installedNode] = existsSync(stamp) ? readFileSync(stamp, 'utf8').split('\n') : [];
  if (installedState === state && installedNode && existsSync(installedNode)) return installedNode;
  console.error('Installing dependencies …');
  const result = spawnSync('npx', ['--yes', packageManager, 'install', '--frozen-lockfile', '--reporter=append-only'], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    env: { ...process.env, CI: 'true' },
    shell: process.platform === 'win32',
  });
  if (result.status !== 0) {
    console.error(result.stdout ?? '', result.stderr ?? '', result.error?.message ?? '');
    console.error(
      'Installing the dependencies failed. Check that the npm registry is reachable and that this folder is writable.',
    );
    process.exit(1);
  }
  const found = findNode();
  writeFileSync(stamp, `${state}\n${found}`);
  return found;
}

/** @returns the folder of the bundle. */
function bundleIfNeeded() {
  const folder = findBundle();
  if (existsSync(folder)) return folder;
  console.error('Bundling …');
  const { status } = spawnSync(node, BUNDLE, { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status === 0) return folder;
  console.error('Bundling failed. Check that this folder is writable.');
  process.exit(1);
}

function findNode() {
  for (const candidate of [join(ROOT, 'node_modules/.bin/node'), process.execPath]) {
    const { status, stdout } = spawnSync(candidate, ['-p', 'process.versions.node'], { encoding: 'utf8' });
    if (status === 0 && Number.parseInt(stdout, 10) >= NODE_MIN) return candidate;
  }
  console.error(
    `Node ${NODE_MIN} or newer is required. The version that the workspace pins does not run on this machine, and the installed version is ${process.versions.node}.`,
  );
  process.exit(1);
}

function run(executable, nodeArgs) {
  const parent = process.ppid;
  const child = spawn(executable, nodeArgs, {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: {
      ...process.env,
      ...(name === 'test:fast' ? { FRESHET_TEST_FAST: '1' } : {}),
      PATH: `${join(ROOT, 'node_modules/.bin')}:${process.env.PATH ?? ''}`,
      // The default of a program is relative to the current folder, which npm does not change.
      ...(program
        ? { FRESHET_DATA_DIR: process.env.FRESHET_DATA_DIR || join(ROOT, '.freshet'), ...helpSettings() }
        : {}),
    },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']) process.on(signal, () => forward(child, signal));
  setInterval(() => {
    if (process.ppid !== parent) child.kill('SIGTERM');
  }, PARENT_POLL_MS).unref();
  child.on('error', (error) => {
    console.error(error.message);
    process.exit(1);
  });
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}

/**
 * @returns the settings of the documentation site. The API builds the site on the first request for
 *   it, because a build would delay the start.
 */
function helpSettings() {
  const { FRESHET_HELP_DIR, FRESHET_HELP_BUILD } = process.env;
  if (FRESHET_HELP_DIR) return {};
  return { FRESHET_HELP_DIR: findSite(), FRESHET_HELP_BUILD: FRESHET_HELP_BUILD || SITE_SCRIPT };
}

/**
 * Forwards a signal to the child, because the signal may have been sent to this process only (`kill
 * -INT`). After Ctrl-C, however, the terminal also sends SIGINT to the child. Freshet's processes
 * count the two signals as one. The test runner would exit immediately on the second signal, so
 * SIGINT from a terminal is not forwarded to the test runner.
 */
function forward(child, signal) {
  const isFromTerminal = signal === 'SIGINT' && process.stdin.isTTY === true;
  if (isFromTerminal && name.startsWith('test')) return;
  child.kill(signal);
}
