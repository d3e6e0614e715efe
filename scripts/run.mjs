#!/usr/bin/env node
/**
 * What `npm start`, `npm test` and `npm run freshet --` call. Plain JavaScript that any Node from 18 on runs: it installs the locked
 * dependencies when they are missing or old, picks the Node that the workspace pins, and runs the command on it.
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
  'test:console': [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', '--project', 'browser'],
};
/**
 * How often to look whether whoever started us is still there: npm passes no signal on when it dies. (The scripts in
 * package.json say `exec`, so that it is our parent, and not a shell between us that would outlive it.)
 */
const PARENT_POLL_MS = 500;

const [name, ...args] = process.argv.slice(2);
const command = COMMANDS[name];
if (!command) {
  console.error(`Usage: node scripts/run.mjs ${Object.keys(COMMANDS).join('|')}`);
  process.exit(2);
}
installIfNeeded();
run(pinnedNode(), [...command, ...args]);

function installIfNeeded() {
  const { packageManager } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const state = createHash('sha256')
    .update(readFileSync(join(ROOT, 'pnpm-lock.yaml')))
    .update(`${packageManager} ${process.platform} ${process.arch}`)
    .digest('hex');
  const stamp = join(ROOT, 'node_modules/.freshet-installed');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === state) return;
  console.error('Installing dependencies (once, and again when they change) …');
  const result = spawnSync('npx', ['--yes', packageManager, 'install', '--frozen-lockfile', '--reporter=append-only'], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    env: { ...process.env, CI: 'true' },
    shell: process.platform === 'win32',
  });
  if (result.status !== 0) {
    console.error(result.stdout ?? '', result.stderr ?? '', result.error?.message ?? '');
    console.error('The dependencies could not be installed. Is the npm registry reachable, and this folder writable?');
    process.exit(1);
  }
  writeFileSync(stamp, state);
}

function pinnedNode() {
  for (const node of [join(ROOT, 'node_modules/.bin/node'), process.execPath]) {
    const { status, stdout } = spawnSync(node, ['-p', 'process.versions.node'], { encoding: 'utf8' });
    if (status === 0 && Number.parseInt(stdout, 10) >= NODE_MIN) return node;
  }
  console.error(
    `Node ${NODE_MIN} or newer is needed: the pinned one does not run on this machine, and the machine's own is ${process.versions.node}.`,
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
 * Forwards a signal that may have been sent to this process only (`kill -INT`). After Ctrl-C the child gets SIGINT from the terminal
 * and from here: Freshet's processes count both as one, and the test runner would take the second one as an order to end at once.
 */
function forward(child, signal) {
  const isFromTerminal = signal === 'SIGINT' && process.stdin.isTTY === true;
  if (isFromTerminal && name.startsWith('test')) return;
  child.kill(signal);
}
