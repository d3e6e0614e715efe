#!/usr/bin/env node
/**
 * The entry point of `npm start`, `npm test` and `npm run freshet --`. Installs the locked
 * dependencies if they are missing or outdated, selects the Node version that the workspace pins,
 * and runs the command with it. This script is plain JavaScript, and runs on Node 18 or newer.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const NODE_MIN = 24;
const COMMANDS = {
  start: [join(ROOT, 'apps/standalone/src/main.ts')],
  freshet: [join(ROOT, 'apps/freshet/src/main.ts')],
  test: [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', '--project', 'unit', '--project', 'db'],
  'test:release': [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', '--project', 'release'],
  'test:docs': [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', '--project', 'docs'],
  'test:console': [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', '--project', 'browser'],
};
/**
 * The interval at which this process checks whether its parent process is alive. The check is
 * necessary because npm forwards no signal when npm is killed. The scripts in package.json use
 * `exec`, so that npm is the parent of this process, and not a shell that would survive npm.
 */
const PARENT_POLL_MS = 500;

const [name, ...args] = process.argv.slice(2);
const command = COMMANDS[name];
if (!command) {
  console.error(`Usage: node scripts/run.mjs ${Object.keys(COMMANDS).join('|')}`);
  process.exit(2);
}
installIfNeeded();
run(findNode(), [...command, ...args]);

function installIfNeeded() {
  const { packageManager } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const state = createHash('sha256')
    .update(readFileSync(join(ROOT, 'pnpm-lock.yaml')))
    .update(`${packageManager} ${process.platform} ${process.arch}`)
    .digest('hex');
  const stamp = join(ROOT, 'node_modules/.freshet-installed');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === state) return;
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
  writeFileSync(stamp, state);
}

function findNode() {
  for (const node of [join(ROOT, 'node_modules/.bin/node'), process.execPath]) {
    const { status, stdout } = spawnSync(node, ['-p', 'process.versions.node'], { encoding: 'utf8' });
    if (status === 0 && Number.parseInt(stdout, 10) >= NODE_MIN) return node;
  }
  console.error(
    `Node ${NODE_MIN} or newer is required. The version that the workspace pins does not run on this machine, and the installed version is ${process.versions.node}.`,
  );
  process.exit(1);
}

function run(node, nodeArgs) {
  const parent = process.ppid;
  const child = spawn(node, nodeArgs, {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, PATH: `${join(ROOT, 'node_modules/.bin')}:${process.env.PATH ?? ''}` },
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
