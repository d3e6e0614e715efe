#!/usr/bin/env node
/**
 * `npm run release:build`: builds all artefacts of a release from this checkout, with their
 * checksums. Two builds of a commit produce the same bytes. Requires Node, Python 3 with venv, Go,
 * and access to the npm registry, PyPI and the Go module proxy. Publishes nothing.
 *
 * Usage: node scripts/release.mjs [folder] [--only helm,sbom,…] [--all-platforms]
 * (default: dist/release, all artefacts, the programs for this platform)
 */
import { execFileSync, spawnSync } from 'node:child_process';
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
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createPythonEnvironment, runOrExit } from './programs.mjs';
import { listFiles, writeArchive } from './release/archive.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
/** Files in deploy/ that another artefact contains, or that only the checks use. */
const NOT_DEPLOYED = ['helm', 'Dockerfile', 'healthcheck.mjs', 'requirements.txt'].map((name) => `:!deploy/${name}`);

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { 'all-platforms': { type: 'boolean', default: false }, only: { type: 'string' } },
});
const target = resolve(positionals[0] ?? join(ROOT, 'dist/release'));
const { version } = JSON.parse(read('apps/freshet/package.json'));
const git = (...args) => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
/** The time of the commit, in seconds. All files in the artefacts have this time. */
const epoch = Number(git('log', '-1', '--format=%ct'));
const time = new Date(epoch * 1000);
const work = mkdtempSync(join(tmpdir(), 'freshet-release-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));
const environment = { ...process.env, SOURCE_DATE_EPOCH: String(epoch), TZ: 'UTC' };

rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
if (git('status', '--porcelain') !== '') console.error('Warning: the checkout has uncommitted changes.');
const builders = {
  npm: buildNpmPackages,
  python: buildPythonPackages,
  bundle: buildBundle,
  image: buildImageContext,
  helm: () => archiveTracked('helm', ['deploy/helm/freshet'], { prefix: 'freshet', extension: 'tgz' }),
  deploy: () => archiveTracked('deploy', ['deploy', ...NOT_DEPLOYED]),
  dbt: () => archiveTracked('dbt', ['integrations/dbt', ':!**/requirements.txt']),
  terraform: buildTerraformProvider,
  openapi: () => cpSync(join(ROOT, 'docs/openapi.json'), join(target, `freshet-openapi-${version}.json`)),
  sbom: buildSbom,
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

/** The packages for npm. The script writes the tarballs into the given folder. */
function buildNpmPackages() {
  const script = join(ROOT, 'scripts/package.mjs');
  if (existsSync(script)) run(process.execPath, [script, target]);
}

/** A wheel and a source archive for each Python project. */
function buildPythonPackages() {
  const projects = globSync('integrations/python/{.,*}/pyproject.toml', { cwd: ROOT }).map((file) => dirname(file));
  if (projects.length === 0) return;
  const bin = createPythonEnvironment(ROOT, 'release', join(ROOT, 'scripts/release/requirements.txt'));
  for (const project of projects) {
    const copy = join(work, project);
    copyTracked([project], copy, project);
    run(join(bin, 'python'), ['-m', 'build', '--no-isolation', '--outdir', target, copy], { cwd: copy });
  }
}

/** The code of all processes with the documentation site, for machines that have only Node. */
async function buildBundle() {
  const bundle = join(work, 'bundle');
  run(process.execPath, [join(ROOT, 'scripts/bundle.mjs'), bundle]);
  run(process.execPath, [join(ROOT, 'scripts/docs-site.mjs'), join(bundle, 'help')]);
  await writeArchive(join(bundle, 'help'), join(target, `freshet-help-${version}.tar.gz`), { prefix: 'help', time });
  cpSync(join(ROOT, 'LICENSE'), join(bundle, 'LICENSE'));
  await writeArchive(bundle, join(target, `freshet-bundle-${version}.tar.gz`), { prefix: 'freshet', time });
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
 * Copies tracked files, so that an artefact contains no files that only this machine has.
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

/** The provider for Terraform and OpenTofu: one program for each platform. */
function buildTerraformProvider() {}

/** The dependencies of the processes, as a CycloneDX document. */
function buildSbom() {
  const { packageManager } = JSON.parse(read('package.json'));
  const args = ['sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'application', '--prod', '--lockfile-only'];
  const document = JSON.parse(
    execFileSync('npx', ['--yes', packageManager, ...args], { cwd: ROOT, encoding: 'utf8', maxBuffer: 2 ** 26 }),
  );
  document.serialNumber = toUuid(createHash('sha256').update(JSON.stringify(document.components)).digest('hex'));
  document.metadata.timestamp = time.toISOString();
  document.metadata.component.version = version;
  writeFileSync(join(target, `freshet-sbom-${version}.cdx.json`), `${JSON.stringify(document, null, 2)}\n`);
}

/** Formats the start of a hash as a UUID of version 8 (RFC 9562). */
function toUuid(hash) {
  const hex = `${hash.slice(0, 12)}8${hash.slice(13, 16)}8${hash.slice(17, 32)}`;
  return `urn:uuid:${hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')}`;
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

/** Writes the checksums, and prints the size of each artefact. */
function writeChecksums() {
  const files = listFiles(target);
  const lines = files.map((file) => {
    const content = readFileSync(join(target, file));
    console.log(`${String(Math.ceil(statSync(join(target, file)).size / 1024)).padStart(7)} KiB  ${file}`);
    return `${createHash('sha256').update(content).digest('hex')}  ${file}\n`;
  });
  writeFileSync(join(target, 'SHA256SUMS'), lines.join(''));
}

function run(program, args, options = {}) {
  runOrExit(program, args, { stdio: ['ignore', 'ignore', 'inherit'], cwd: ROOT, env: environment, ...options });
}
