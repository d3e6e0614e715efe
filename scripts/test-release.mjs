#!/usr/bin/env node
/**
 * `npm run test:release-build`: a dry run of a release. Builds all artifacts, checks that a second
 * build in another folder produces the same bytes, and uses the artifacts like their users:
 * - runs the commands of the Dockerfile on the context of the image, and starts all processes in a
 *   read-only root file system as a user without privileges (Linux only)
 * - renders the Helm chart from its archive
 * Other commands use the other artifacts: `npm run test:python`, `npm run test:dbt`, and
 * `npm run test:clients` (Terraform). Publishes nothing. Requires the programs that
 * `npm run release:build` requires.
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { extract } from 'tar';
import { startEmbeddedPostgres } from '../packages/runtime/src/embedded-postgres.ts';
import { findSite } from './docs-site.mjs';
import { HELM, installGoProgram, runOrExit } from './programs.mjs';
import { listFiles } from './release/archive.mjs';
import { createImageRoot, removeImageRoot, runInImage, startInImage } from './release/image-root.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
/** The artifacts whose builds take at most a few seconds. */
const FAST = ['python', 'helm', 'deploy', 'dbt', 'sbom', 'notes'];
/** The command of the Dockerfile that builds the documentation site. */
const SITE_COMMAND = 'node scripts/docs-site.mjs /freshet/help';
const PROCESSES = ['api', 'extract-worker', 'load-worker', 'scheduler'];
const START_TIMEOUT_MS = 60_000;
/** Fails if a file, for example of the compile cache, cannot be read. */
const READ_ALL_FILES = `
const { readdirSync, accessSync, constants } = require('node:fs');
for (const path of readdirSync('/freshet', { recursive: true })) accessSync('/freshet/' + path, constants.R_OK);`;

const folder = mkdtempSync(join(tmpdir(), 'freshet-release-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
const problems = [];
const silent = { stdio: ['ignore', 'ignore', 'inherit'] };

const first = join(folder, 'first');
runOrExit(process.execPath, [join(ROOT, 'scripts/release.mjs'), first], { cwd: ROOT });
const { version } = JSON.parse(readFileSync(join(ROOT, 'apps/freshet/package.json'), 'utf8'));
checkSecondBuild();
checkVersions();
const built = await buildImage();
if (process.platform === 'linux') await useImage(built);
useChart();
if (problems.length > 0) {
  console.error(problems.join('\n'));
  process.exit(1);
}
console.log('The release can be built, and its artifacts work.');

/** The second build runs with another time zone and another umask. */
function checkSecondBuild() {
  const second = join(folder, 'second');
  const args = [join(ROOT, 'scripts/release.mjs'), second, '--only', FAST.join(',')];
  runOrExit('sh', ['-c', 'umask 077; exec "$0" "$@"', process.execPath, ...args], {
    ...silent,
    env: { ...process.env, TZ: 'Asia/Kolkata' },
  });
  const sums = readFileSync(join(first, 'SHA256SUMS'), 'utf8').split('\n');
  for (const line of readFileSync(join(second, 'SHA256SUMS'), 'utf8').split('\n'))
    if (!sums.includes(line)) problems.push(`A second build differs: ${line.split('  ')[1]}.`);
}

/**
 * Sets the versions of the first release and of the next release in a copy of the repository, and
 * checks that the changesets are in the changelog and that all files have the versions.
 */
function checkVersions() {
  const copy = join(folder, 'copy');
  runOrExit('git', ['clone', '--quiet', ROOT, copy]);
  // The links to other packages are relative, so they refer to the copy.
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
  for (const modules of globSync('{apps,packages}/*/node_modules', { cwd: ROOT }))
    runOrExit('cp', ['-RP', join(ROOT, modules), join(copy, modules)]);
  const release = (changeset, type) => {
    writeFileSync(join(copy, '.changeset/test.md'), `---\n"@freshet/freshet": ${type}\n---\n\n${changeset}\n`);
    runOrExit(process.execPath, ['scripts/release-version.mjs', '--date', '2030-01-31'], { cwd: copy, ...silent });
    const text = readFileSync(join(copy, 'CHANGELOG.md'), 'utf8');
    const found = JSON.parse(readFileSync(join(copy, 'packages/contracts/package.json'), 'utf8')).version;
    const heading = `## ${found} (2030-01-31)`;
    if (!text.includes(heading) || !text.includes(`- ${changeset.split('\n')[0]}`))
      problems.push(`CHANGELOG.md lacks ${heading}.`);
    for (const file of ['deploy/helm/freshet/Chart.yaml', 'integrations/dbt/dbt_project.yml', 'docs/openapi.json'])
      if (!readFileSync(join(copy, file), 'utf8').includes(found)) problems.push(`${file} lacks the version ${found}.`);
    if (existsSync(join(copy, '.changeset/test.md'))) problems.push('The changeset was not deleted.');
    return found;
  };
  const versions = [release('A late change.', 'minor'), release('The next\nchange.', 'minor')];
  const [major, minor] = version.split('.').map(Number);
  const isFirst = readFileSync(join(ROOT, 'CHANGELOG.md'), 'utf8').includes(`## ${version} (unreleased)`);
  const expected = isFirst
    ? [version, `${major}.${minor + 1}.0`]
    : [`${major}.${minor + 1}.0`, `${major}.${minor + 2}.0`];
  if (versions.join() !== expected.join())
    problems.push(`The versions are ${versions.join()}, not ${expected.join()}.`);
}

/**
 * Runs the commands of the Dockerfile on the context of the image. The documentation site is copied
 * from the bundle. The keys of the sites are equal if the context contains all inputs of the site.
 * @returns the folder `/freshet` of the image, which must equal the archive with the bundle.
 */
async function buildImage() {
  const context = await unpack(`freshet-image-${version}.tar.gz`);
  const dockerfile = readFileSync(join(context, 'Dockerfile'), 'utf8');
  const install = /^RUN (npx .+)$/m.exec(dockerfile)[1];
  runOrExit('sh', ['-c', install], { cwd: context, ...silent });
  const built = join(folder, 'built');
  const bundle = await unpack(`freshet-bundle-${version}.tar.gz`);
  if (basename(findSite(context)) !== basename(findSite(ROOT)))
    problems.push('The context of the image lacks files from which the documentation site is built.');
  for (const command of /^RUN (node .+)$/m.exec(dockerfile)[1].split(' && '))
    if (command === SITE_COMMAND) cpSync(join(bundle, 'help'), join(built, 'help'), { recursive: true });
    else runOrExit('sh', ['-c', command.replaceAll('/freshet', built)], { cwd: context, ...silent });
  const inImage = new Set(listFiles(built));
  const inBundle = new Set(listFiles(bundle));
  for (const file of inImage.difference(inBundle)) problems.push(`Only the image, not the bundle, contains ${file}.`);
  for (const file of inBundle.difference(inImage)) problems.push(`Only the bundle, not the image, contains ${file}.`);
  for (const file of inImage.intersection(inBundle))
    if (!readFileSync(join(built, file)).equals(readFileSync(join(bundle, file))))
      problems.push(`The image and the bundle contain different versions of ${file}.`);
  return built;
}

/** Starts all processes in a read-only root file system. Prints the size and the start times. */
async function useImage(bundle) {
  runOrExit('cp', [join(ROOT, 'deploy/healthcheck.mjs'), bundle]);
  const root = join(folder, 'root');
  mkdirSync(root);
  const server = await startEmbeddedPostgres({
    dataDir: join(folder, 'postgres'),
    isTemporary: true,
    resolveFrom: import.meta.url,
    databases: ['freshet'],
    settings: { fsync: 'off' },
  });
  try {
    createImageRoot(root, { node: process.execPath, bundle });
    const size = listFiles(root).reduce((sum, file) => sum + statSync(join(root, file)).size, 0);
    console.log(`Image: ${(size / 2 ** 20).toFixed(0)} MiB with Node and its libraries`);
    const env = {
      DATABASE_URL: server.url.replace(/\/postgres$/, '/freshet'),
      FRESHET_SECRET_KEYS: `k1:${Buffer.alloc(32, 1).toString('base64')}`,
    };
    if (runInImage(root, ['--eval', READ_ALL_FILES]) !== 0) problems.push('image: the user cannot read all files.');
    if (runInImage(root, ['/freshet/apps/freshet/src/main.js', 'migrate'], { env }) !== 0)
      problems.push('image: migrate failed.');
    for (const name of PROCESSES) await useProcess(root, name, env);
  } finally {
    await server.stop();
    removeImageRoot(root);
  }
}

/** Starts a process, waits until its health check succeeds, and stops the process. */
async function useProcess(root, name, env) {
  const ports = { PORT: String(await findFreePort()), FRESHET_MONITOR_PORT: String(await findFreePort()) };
  const started = performance.now();
  const child = startInImage(root, name, { ...env, ...ports });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  const exit = once(child, 'exit');
  const isHealthy = () => runInImage(root, ['/freshet/healthcheck.mjs'], { env: ports }) === 0;
  while (child.exitCode === null && performance.now() - started < START_TIMEOUT_MS && !(await isReady(ports)))
    await sleep(20);
  const milliseconds = Math.round(performance.now() - started);
  console.log(`${name}: ready after ${milliseconds} ms (${readCpuSeconds(child.pid)} s of CPU time)`);
  if (!isHealthy()) problems.push(`image: ${name} did not become healthy: ${output}`);
  if (name === 'api') await useApi(`http://127.0.0.1:${ports.PORT}`);
  child.kill('SIGTERM');
  const [status] = await exit;
  if (status !== 0) problems.push(`image: ${name} exited with status ${status} after SIGTERM: ${output}`);
  if (/EROFS|EACCES/.test(output)) problems.push(`image: ${name} tried to write a file: ${output}`);
  if (isHealthy()) problems.push(`image: the health check of ${name} succeeds after the process has stopped.`);
}

/** @returns the CPU time of a process, which depends less on the load of the machine. */
function readCpuSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  const TICKS_PER_SECOND = 100;
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

async function isReady({ FRESHET_MONITOR_PORT: port }) {
  const response = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null);
  await response?.body?.cancel();
  return response?.ok === true;
}

/** Requests the parts of the API that are files of the image. */
async function useApi(url) {
  for (const path of ['/help/', '/console', '/docs', '/v1/openapi.json']) {
    const { ok, status } = await fetch(url + path);
    if (!ok) problems.push(`image: GET ${path} returned ${status}.`);
  }
}

async function findFreePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return port;
}

/** Renders the chart as `helm install` does. */
function useChart() {
  const helm = installGoProgram(ROOT, HELM);
  const archive = join(first, `freshet-helm-${version}.tgz`);
  const rendered = execFileSync(helm, ['template', 'freshet', archive, '--kube-version', '1.37'], { encoding: 'utf8' });
  if (!rendered.includes(`/freshet:${version}\n`)) problems.push(`helm: the image does not have the tag ${version}.`);
}

async function unpack(name) {
  const target = join(folder, name.replace(/\.tar\.gz$/, ''));
  mkdirSync(target);
  await extract({ file: join(first, name), cwd: target, strip: 1 });
  return target;
}
