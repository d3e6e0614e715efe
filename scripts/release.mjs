#!/usr/bin/env node
/**
 * `npm run release:build`: builds all artifacts of a release from this checkout, with their
 * checksums. Two builds of a commit produce the same bytes. Requires Node, Python 3 with venv, Go,
 * and access to the npm registry, PyPI and the Go module proxy. Publishes nothing.
 *
 * Usage: node scripts/release.mjs [folder] [--only helm,sbom,…] [--all-platforms]
 * (default: dist/release, all artifacts, the programs for this platform)
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { zipSync } from 'fflate';
import { buildTerraformProvider, createPythonEnvironment, runOrExit } from './programs.mjs';
import { listFiles, writeArchive } from './release/archive.mjs';
import { createSbom } from './release/sbom.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
/** Files in deploy/ that another artifact contains, or that only the checks use. */
const NOT_DEPLOYED = ['helm', 'Dockerfile', 'healthcheck.mjs', 'requirements.txt'].map((name) => `:!deploy/${name}`);
const PROVIDER_PLATFORMS = ['linux_amd64', 'linux_arm64', 'darwin_amd64', 'darwin_arm64'];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { 'all-platforms': { type: 'boolean', default: false }, only: { type: 'string' } },
});
const target = resolve(positionals[0] ?? join(ROOT, 'dist/release'));
const { version } = JSON.parse(read('apps/freshet/package.json'));
const git = (...args) => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
/** The time of the commit, in seconds. All files in the artifacts have this time. */
const epoch = Number(git('log', '-1', '--format=%ct'));
const time = new Date(epoch * 1000);
const work = mkdtempSync(join(tmpdir(), 'freshet-release-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));
const environment = { ...process.env, SOURCE_DATE_EPOCH: String(epoch), TZ: 'UTC' };

rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
if (git('status', '--porcelain') !== '') console.error('Warning: the checkout has uncommitted changes.');
const builders = {
  bundle: buildBundle,
  npm: buildNpmPackage,
  python: buildPythonPackages,
  image: buildImageContext,
  helm: () => archiveTracked('helm', ['deploy/helm/freshet'], { prefix: 'freshet', extension: 'tgz' }),
  deploy: () => archiveTracked('deploy', ['deploy', ...NOT_DEPLOYED]),
  dbt: () => archiveTracked('dbt', ['integrations/dbt', ':!**/requirements.txt']),
  terraform: buildProvider,
  openapi: () => cpSync(join(ROOT, 'docs/openapi.json'), join(target, `freshet-openapi-${version}.json`)),
  sbom: writeSbom,
  notes: writeReleaseNotes,
};
const only = values.only?.split(',') ?? Object.keys(builders);
for (const [name, build] of Object.entries(builders).filter(([name]) => only.includes(name))) {
  const started = performance.now();
  await build();
  console.error(`${name}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
}
writeChecksums();

function read(file) {
  return readFileSync(join(ROOT, file), 'utf8');
}

/** The npm package. It contains the documentation site, so the bundle is built first. */
function buildNpmPackage() {
  const script = join(ROOT, 'scripts/package.mjs');
  if (!existsSync(script)) return;
  const folder = join(work, 'npm');
  run(process.execPath, [script, folder, '--help-site', join(work, 'bundle/help')]);
  run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', target], { cwd: folder });
}

/** A wheel and a source archive for each Python package. */
function buildPythonPackages() {
  const projects = globSync('integrations/python/*/pyproject.toml', { cwd: ROOT }).map((file) => dirname(file));
  if (projects.length === 0) return;
  const tools = createPythonEnvironment(ROOT, 'tools', join(ROOT, 'integrations/python/requirements/tools.txt'));
  const env = { ...environment, PATH: `${tools}:${process.env.PATH}`, UV_NO_CONFIG: '1', UV_SYSTEM_CERTS: '1' };
  for (const project of projects) {
    const copy = join(work, project);
    copyTracked([project], copy, project);
    const python = ['--python', join(tools, 'python')];
    run(join(tools, 'uv'), ['build', '--quiet', '--no-build-isolation', ...python, '--out-dir', target, copy], { env });
  }
  // uv writes this file next to the packages.
  rmSync(join(target, '.gitignore'), { force: true });
}

/** The code of all processes with the documentation site, for machines that have only Node. */
async function buildBundle() {
  const bundle = join(work, 'bundle');
  copyBuilt('scripts/bundle.mjs', bundle);
  copyBuilt('scripts/docs-site.mjs', join(bundle, 'help'));
  await writeArchive(join(bundle, 'help'), join(target, `freshet-help-${version}.tar.gz`), { prefix: 'help', time });
  cpSync(join(ROOT, 'LICENSE'), join(bundle, 'LICENSE'));
  await writeArchive(bundle, join(target, `freshet-bundle-${version}.tar.gz`), { prefix: 'freshet', time });
}

/**
 * Copies the folder that a script builds and whose path it prints. The script builds nothing if the
 * folder exists for the current sources.
 */
function copyBuilt(script, folder) {
  const options = { cwd: ROOT, env: environment, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] };
  const built = execFileSync(process.execPath, [join(ROOT, script)], options).trim();
  cpSync(built, folder, { recursive: true, filter: (path) => basename(path) !== '.compile-cache' });
}

/** The files from which the Dockerfile builds the image. */
async function buildImageContext() {
  const context = join(work, 'context');
  copyTracked([...listCopiedPaths(), ':!**/*.test.ts', ':!**/test-support/**'], context);
  cpSync(join(ROOT, 'deploy/Dockerfile'), join(context, 'Dockerfile'));
  await writeArchive(context, join(target, `freshet-image-${version}.tar.gz`), { prefix: 'image', time });
}

/** @returns the paths that the Dockerfile copies from its context. */
function listCopiedPaths() {
  return [...read('deploy/Dockerfile').matchAll(/^COPY (?!--)(.+) \S+$/gm)].flatMap(([, paths]) => paths.split(' '));
}

/**
 * An archive with the tracked files of a folder.
 * @param {string[]} paths the folder, and pathspecs that exclude files.
 */
async function archiveTracked(name, paths, { prefix = `freshet-${name}`, extension = 'tar.gz' } = {}) {
  const folder = join(work, name);
  copyTracked(paths, folder, paths[0]);
  await writeArchive(folder, join(target, `freshet-${name}-${version}.${extension}`), { prefix, time });
}

/**
 * Copies tracked files, so that an artifact contains no files that only this machine has.
 * @param {string[]} paths pathspecs of git.
 * @param {string} strip the folder that is removed from the start of the paths.
 */
function copyTracked(paths, folder, strip = '') {
  const files = git('ls-files', '-z', '--', ...paths)
    .split('\0')
    .filter(Boolean);
  for (const file of files) {
    const copy = join(folder, file.slice(strip.length));
    mkdirSync(dirname(copy), { recursive: true });
    cpSync(join(ROOT, file), copy);
  }
}

/**
 * The provider for Terraform and OpenTofu: an archive for each platform, and the files that the
 * registries require.
 */
function buildProvider() {
  const name = `terraform-provider-freshet_${version}`;
  const architecture = { x64: 'amd64' }[process.arch] ?? process.arch;
  const platforms = values['all-platforms'] ? PROVIDER_PLATFORMS : [`${process.platform}_${architecture}`];
  for (const platform of platforms) {
    const [os, arch] = platform.split('_');
    const program = join(work, `provider-${platform}`);
    buildTerraformProvider(ROOT, program, { version, os, arch });
    // The attributes mark the file as an executable file of Unix.
    const file = [readFileSync(program), { mtime: time, os: 3, attrs: 0o100755 << 16 }];
    const content = zipSync({ [`terraform-provider-freshet_v${version}`]: file }, { level: 9 });
    writeFileSync(join(target, `${name}_${platform}.zip`), content);
  }
  writeFileSync(
    join(target, `${name}_manifest.json`),
    `${JSON.stringify({ version: 1, metadata: { protocol_versions: ['6.0'] } })}\n`,
  );
  const files = listFiles(target).filter((file) => file.startsWith(name));
  writeFileSync(join(target, `${name}_SHA256SUMS`), toChecksums(files));
}

function writeSbom() {
  const document = createSbom(ROOT, { version, time });
  writeFileSync(join(target, `freshet-sbom-${version}.cdx.json`), `${JSON.stringify(document, null, 2)}\n`);
}

/** The section of the changelog for this version. */
function writeReleaseNotes() {
  const changelog = read('CHANGELOG.md');
  const section = changelog.split(/^## /m).find((text) => text.startsWith(`${version} `));
  if (section === undefined) {
    console.error(`CHANGELOG.md has no section for ${version}.`);
    process.exit(1);
  }
  writeFileSync(join(target, 'RELEASE-NOTES.md'), `${section.slice(section.indexOf('\n')).trim()}\n`);
}

/** Writes the checksums, and prints the size of each artifact. */
function writeChecksums() {
  const files = listFiles(target);
  for (const file of files)
    console.log(`${String(Math.ceil(statSync(join(target, file)).size / 1024)).padStart(7)} KiB  ${file}`);
  writeFileSync(join(target, 'SHA256SUMS'), toChecksums(files));
}

/** @returns a line for each artifact, in the format of `sha256sum`. */
function toChecksums(files) {
  const hash = (file) =>
    createHash('sha256')
      .update(readFileSync(join(target, file)))
      .digest('hex');
  return files.map((file) => `${hash(file)}  ${file}\n`).join('');
}

function run(program, args, options = {}) {
  runOrExit(program, args, { stdio: ['ignore', 'ignore', 'inherit'], cwd: ROOT, env: environment, ...options });
}
