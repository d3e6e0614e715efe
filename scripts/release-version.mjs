#!/usr/bin/env node
/**
 * `npm run release:version`: sets the version of the next release in all files that contain the
 * version, and moves the changesets in `.changeset/` to a section of CHANGELOG.md.
 *
 * While the newest section of CHANGELOG.md is marked as unreleased, its version is the version of
 * the release, and the texts of the changesets are added to this section. Otherwise, Changesets
 * derives the version from the types of the changes.
 *
 * Usage: node scripts/release-version.mjs [--date YYYY-MM-DD]   (default: today, UTC)
 */
import { existsSync, globSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { parse } from 'yaml';
import { runOrExit } from './programs.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const HEADINGS = { major: 'Breaking changes', minor: 'Added and changed', patch: 'Fixed' };
/** The package whose version is the version of the release. */
const MAIN_PACKAGE = 'apps/freshet/package.json';
/**
 * The other files that contain the version: a pattern of paths, and expressions whose first group
 * precedes the version.
 */
const VERSION_FILES = [
  ['deploy/helm/freshet/Chart.yaml', [/^(version: ).+$/m, /^(appVersion: ).+$/m]],
  ['integrations/dbt/dbt_project.yml', [/^(version: ).+$/m]],
  ['integrations/dbt/README.md', [/^( +revision: v).+$/m]],
  ['docs/guides/containers.md', [/(freshet\/freshet:)\d+\.\d+\.\d+/g]],
  ['docs/guides/kubernetes.md', [/(--version )\d+\.\d+\.\d+/g]],
  ['docs/guides/systemd.md', [/^( *version=).+$/gm]],
  ['docs/guides/terraform.md', [/^( *version=)\S+/gm]],
  ['docs/guides/verify-a-release.md', [/(bundle-)\d+\.\d+\.\d+/g, /(--branch v)\d+\.\d+\.\d+/g]],
  ['integrations/terraform/use-terraform.mjs', [/^(const VERSION = ').+(?=';)/m]],
  ['integrations/python/*/pyproject.toml', [/^(version = ").+(?=")/m]],
  ['apps/api/src/http/openapi.ts', [/^(const VERSION = ').+(?=';)/m]],
  ['packages/mcp/src/server.ts', [/^(const VERSION = ').+(?=';)/m]],
];

const { date = new Date().toISOString().slice(0, 10) } = parseArgs({ options: { date: { type: 'string' } } }).values;
const changesets = readChangesets();
const changelog = read('CHANGELOG.md');
const isFirst = changelog.includes(`## ${readVersion()} (unreleased)`);
if (changesets.length === 0 && !isFirst) {
  console.error('No changesets: nothing to release. Create a changeset with: npm run changeset');
  process.exit(1);
}
if (!isFirst) runOrExit(join(ROOT, 'node_modules/.bin/changeset'), ['version'], { cwd: ROOT });
for (const { file } of changesets) rmSync(file, { force: true });
const version = readVersion();
write('CHANGELOG.md', isFirst ? closeSection(changelog) : addSection(changelog));
setVersions();
runOrExit(process.execPath, [join(ROOT, 'apps/api/src/write-openapi.ts')], { cwd: ROOT });
console.log(`The version is ${version}. Commit the changes, and tag the commit with: git tag v${version}`);

function read(file) {
  return readFileSync(join(ROOT, file), 'utf8');
}

function write(file, content) {
  writeFileSync(join(ROOT, file), content);
}

function readVersion() {
  return JSON.parse(read(MAIN_PACKAGE)).version;
}

/** @returns the type and the text of each changeset, sorted by file name. */
function readChangesets() {
  const folder = join(ROOT, '.changeset');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.md') && name !== 'README.md')
    .sort()
    .map((name) => {
      const file = join(folder, name);
      const [, header, text] = /^---\n(.*?)\n---\n(.*)$/s.exec(readFileSync(file, 'utf8')) ?? [];
      const type = Object.values(parse(header ?? '') ?? {})[0];
      if (HEADINGS[type] === undefined || text.trim() === '') {
        console.error(`.changeset/${name}: a type (${Object.keys(HEADINGS).join(', ')}) and a text are required.`);
        process.exit(1);
      }
      return { file, type, text: text.trim() };
    });
}

/** @returns the texts of the changesets as lists below the heading of their type. */
function toLists() {
  const sections = Object.entries(HEADINGS).map(([type, heading]) => {
    const items = changesets.filter((changeset) => changeset.type === type).map(({ text }) => toItem(text));
    return items.length === 0 ? '' : `### ${heading}\n\n${items.join('\n')}\n`;
  });
  return sections.filter((section) => section !== '').join('\n');
}

/** The lines after the first line belong to the list item, so they are indented. */
function toItem(text) {
  return `- ${text.replaceAll('\n', '\n  ').replace(/ +$/gm, '')}`;
}

function closeSection(content) {
  const released = content.replace(`## ${version} (unreleased)`, `## ${version} (${date})`);
  if (changesets.length === 0) return released;
  const start = released.indexOf(`## ${version} (`);
  const next = released.indexOf('\n## ', start + 1);
  const end = next === -1 ? released.length : next;
  return `${released.slice(0, end).trimEnd()}\n\n${toLists()}${released.slice(end)}`;
}

function addSection(content) {
  const start = content.indexOf('\n## ') + 1;
  return `${content.slice(0, start)}## ${version} (${date})\n\n${toLists()}\n${content.slice(start)}`;
}

function setVersions() {
  for (const [pattern, expressions] of VERSION_FILES) {
    for (const file of globSync(pattern, { cwd: ROOT })) {
      let content = read(file);
      for (const expression of expressions) {
        if (content.search(expression) === -1) throw new Error(`${file} does not contain ${expression}.`);
        content = content.replace(expression, `$1${version}`);
      }
      write(file, content);
    }
  }
}
