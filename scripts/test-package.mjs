#!/usr/bin/env node
/**
 * `npm run test:package`: packs the npm package, installs the tarball with npm into an empty
 * folder, and uses it as a user does: help, doctor, a deployment with the simulated account, a
 * stop, an upgrade to the next version, and a sync with the same data folder. Prints the size of
 * the package and the start times, and fails if the package is too large.
 *
 * The first installation is read-only and has run no install scripts. The upgrade is an ordinary
 * installation.
 *
 * `FRESHET_PREVIOUS_TARBALL` is the path or the URL of the tarball of the last release. The test
 * then upgrades from that release to this checkout. Without the variable, it upgrades from this
 * checkout to the same code with a higher version. `FRESHET_HELP_SITE` is the folder of a built
 * documentation site. Requires Linux or macOS, and the npm registry.
 */
import { spawn, spawnSync } from 'node:child_process';
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const MIB = 2 ** 20;
const TARBALL_BYTES_MAX = 8 * MIB;
const INSTALLED_BYTES_MAX = 120 * MIB;
/** The user `nobody`, who cannot write the installation of root. */
const NOBODY = 65_534;

const folder = mkdtempSync(join(tmpdir(), 'freshet-package-'));
const prefix = join(folder, 'prefix');
const home = join(folder, 'home');
const isRoot = process.getuid() === 0;
const user = isRoot ? { uid: NOBODY, gid: NOBODY } : {};
/** Only these variables, because the result must not depend on the environment of this process. */
const environment = {
  PATH: `${join(prefix, 'bin')}:${dirname(process.execPath)}:/usr/bin:/bin`,
  HOME: home,
  FRESHET_REQUESTS_PER_MINUTE: '1000000',
};

try {
  spawnSync('chmod', ['755', folder]);
  mkdirSync(home);
  if (isRoot) chownSync(home, NOBODY, NOBODY);
  await testPackage();
} finally {
  makeWritable(true);
  rmSync(folder, { recursive: true, force: true });
}

async function testPackage() {
  const current = pack('current');
  const previous = process.env.FRESHET_PREVIOUS_TARBALL ?? current.tarball;
  const next = process.env.FRESHET_PREVIOUS_TARBALL === undefined ? pack('next', current.folder) : current;
  report('tarball', current.bytes, TARBALL_BYTES_MAX);

  console.log(`== Install ${previous}, read-only and without install scripts`);
  install(previous, '--ignore-scripts');
  makeWritable(false);
  report('installed, with PostgreSQL', measureFolder(prefix), INSTALLED_BYTES_MAX);
  testCommands();
  testOldNode(current.folder);
  const firstRows = await testDeployment();
  expect(existsSync(join(home, '.cache/freshet')), 'compiled code is cached outside of the read-only installation');

  console.log(`== Upgrade to ${next.version}`);
  makeWritable(true);
  install(next.tarball);
  expect(run('--version').trim() === next.version, 'freshet --version prints the new version');
  testSyncOnce();
  const secondRows = await testDeployment();
  for (const [table, count] of Object.entries(firstRows))
    expect(secondRows[table] >= count, `${table} has at least ${count} rows after the upgrade`);
  console.log('The package works.');
}

/**
 * Writes and packs the folder of the package.
 * @param base a folder of the package that is packed with a higher version. Absent: this checkout.
 */
function pack(name, base) {
  const target = join(folder, name);
  if (base === undefined) {
    const site = process.env.FRESHET_HELP_SITE ? ['--help-site', process.env.FRESHET_HELP_SITE] : [];
    execute(process.execPath, [join(ROOT, 'scripts/package.mjs'), target, ...site]);
  } else {
    execute('cp', ['-R', base, target]);
    for (const file of ['package.json', 'bundle/apps/freshet/package.json']) raiseVersion(join(target, file));
  }
  const [{ filename, version }] = JSON.parse(execute('npm', ['pack', '--json', '--silent'], { cwd: target }));
  const tarball = join(target, filename);
  return { folder: target, tarball, version, bytes: statSync(tarball).size };
}

function raiseVersion(file) {
  const manifest = JSON.parse(readFileSync(file, 'utf8'));
  const [major, minor, patch] = manifest.version.split('-')[0].split('.').map(Number);
  writeFileSync(file, JSON.stringify({ ...manifest, version: `${major}.${minor}.${patch + 1}` }));
}

function install(tarball, ...options) {
  const args = ['install', '--global', '--prefix', prefix, '--prefer-offline', '--no-audit', '--no-fund', '--silent'];
  execute('npm', [...args, ...options, tarball]);
}

/**
 * Makes the installation read-only or writable. For root, the test runs Freshet as another user.
 */
function makeWritable(isWritable) {
  if (!isRoot) spawnSync('chmod', ['-R', isWritable ? 'u+w' : 'a-w', prefix]);
}

function testCommands() {
  const { version } = JSON.parse(readFileSync(join(prefix, 'lib/node_modules/freshet/package.json'), 'utf8'));
  expect(run('--version').trim() === version, 'freshet --version prints the version');
  for (const args of [['--help'], ['sync', '--help'], ['help', 'doctor']])
    expect(run(...args).includes('Exit status:'), `freshet ${args.join(' ')} prints the help`);
  const { status, checks } = JSON.parse(run('doctor', '--json'));
  expect(status !== 'failed', `freshet doctor finds no problem: ${JSON.stringify(checks, null, 2)}`);
  const completion =
    'source <(freshet completion bash); COMP_WORDS=(freshet sy); COMP_CWORD=1; _freshet; echo "$COMPREPLY"';
  expect(execute('bash', ['-c', completion], { env: environment }).trim() === 'sync', 'bash completes "freshet sy"');
}

/** The program must explain that Node is too old, instead of failing with a syntax error. */
function testOldNode(source) {
  mkdirSync(join(folder, 'old/bin'), { recursive: true });
  execute('cp', [join(source, 'bin/freshet.js'), join(folder, 'old/bin/freshet.js')]);
  writeFileSync(join(folder, 'old/package.json'), '{"type":"module","version":"1.0.0","engines":{"node":">=999"}}');
  const { status, stderr } = spawnSync(process.execPath, [join(folder, 'old/bin/freshet.js')], { encoding: 'utf8' });
  expect(status === 78 && stderr.includes('requires Node.js 999 or newer'), 'freshet names the required Node');
}

/** Starts `freshet`, waits for the first sync, and stops it. @returns the rows of each table. */
async function testDeployment() {
  const startedAt = performance.now();
  const seconds = () => `${((performance.now() - startedAt) / 1000).toFixed(1)} s`;
  const child = spawn('freshet', ['--port', '0'], {
    ...user,
    cwd: home,
    env: environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = new Promise((done) => child.once('exit', (code, signal) => done(code ?? signal)));
  const output = { text: '' };
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output.text += text;
  });
  const waitForText = (pattern) => waitForMatch(child, output, exit, pattern);
  try {
    const [, url] = await waitForText(/^ {2}API +(\S+)\s/m);
    console.log(`   start until the API responds: ${seconds()}`);
    await waitForText(/Freshet is running\./);
    console.log(`   start until the first sync has finished: ${seconds()}`);
    for (const path of ['/livez', '/console', '/help/', '/docs'])
      expect((await fetch(url + path)).status === 200, `${path} responds`);
    expect(output.text.includes('FRESHDESK_API_KEY=… freshet'), 'the output names the command that starts Freshet');
    const rows = await countRows(/(postgres:\/\/[^\s']+)/.exec(output.text)[1]);
    expect(rows.tickets === 2000, 'the warehouse has 2000 tickets');
    child.kill('SIGTERM');
    expect((await exit) === 0, 'SIGTERM ends Freshet with status 0');
    expect(!readdirSync(join(home, '.local/share/freshet')).includes('keeper.pid'), 'PostgreSQL has stopped');
    return rows;
  } finally {
    child.kill('SIGTERM');
    await exit;
  }
}

function waitForMatch(child, output, exit, pattern) {
  return new Promise((resolve, reject) => {
    const check = () => {
      const match = pattern.exec(output.text);
      if (match) resolve(match);
    };
    child.stdout.on('data', check);
    check();
    void exit.then((status) => reject(new Error(`Freshet exited with ${status}:\n${output.text}`)));
  });
}

async function countRows(warehouseUrl) {
  const { default: postgres } = await import(
    createRequire(join(ROOT, 'apps/standalone/package.json')).resolve('postgres')
  );
  const sql = postgres(warehouseUrl, { max: 1 });
  const rows = await sql`select table_name, row_count::int from freshdesk_demo._freshet_objects`;
  await sql.end();
  return Object.fromEntries(rows.map(({ table_name, row_count }) => [table_name, row_count]));
}

/** Runs one more sync with the same data folder. */
function testSyncOnce() {
  const startedAt = performance.now();
  const lines = run('sync', '--once', '--port', '0').trim().split('\n');
  console.log(`   sync --once: ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
  const { run: result } = JSON.parse(lines.at(-1));
  expect(result.status === 'succeeded', 'sync --once succeeds');
  const conversations = result.objects.find(({ object }) => object === 'conversations');
  expect(conversations.mode === 'incremental', 'the run continues with the same data');
}

/** Runs `freshet` as a user. @returns its output. */
function run(...args) {
  return execute('freshet', args, { ...user, cwd: home, env: environment });
}

/** Runs a program. @returns its output. */
function execute(program, args, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: 'utf8',
    maxBuffer: 64 * MIB,
    ...options,
  });
  if (status === 0) return stdout;
  throw new Error(`${program} ${args.join(' ')} exited with status ${status}.\n${stdout}\n${stderr}\n${error ?? ''}`);
}

function expect(condition, message) {
  if (!condition) throw new Error(`Failed: ${message}`);
}

function report(label, bytes, bytesMax) {
  console.log(`   ${label}: ${(bytes / MIB).toFixed(1)} MiB (at most ${bytesMax / MIB} MiB)`);
  expect(bytes <= bytesMax, `the size of the package (${label})`);
}

function measureFolder(path) {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((bytes, entry) => bytes + statSync(join(entry.parentPath, entry.name)).size, 0);
}
