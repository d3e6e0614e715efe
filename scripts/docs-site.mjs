#!/usr/bin/env node
/**
 * Builds the documentation site into `dist/help/<key>`, and prints the path of this folder. The key
 * is a hash of all inputs of the site. If the folder exists already, nothing is built. The API
 * serves the folder at `/help/`.
 *
 * Usage: node scripts/docs-site.mjs [folder]   (default: dist/help/<key>)
 */
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkSite } from './docs/check-site.mjs';
import { listSections } from './docs/pages.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const SITES = join(ROOT, 'dist/help');
/** The number of sites that are retained. A running process may still serve an older site. */
const SITES_MAX = 3;
/** The folder with the code that builds the site. */
const TOOLS = 'scripts/docs';

/**
 * Returns the folder of the site that belongs to the current files. The folder may not exist.
 * @param {string} root the folder of the repository.
 */
export function findSite(root = ROOT) {
  const pages = listSections(root).flatMap((section) => section.pages);
  const tools = readdirSync(join(root, TOOLS), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath ?? entry.path, entry.name)));
  const images = readdirSync(join(root, 'docs'), { recursive: true })
    .filter((name) => name.endsWith('.png'))
    .map((name) => join('docs', name));
  const sources = [
    ...images,
    ...pages.map(({ source }) => source),
    ...tools,
    'scripts/docs-site.mjs',
    'docs/openapi.json',
  ];
  const hash = createHash('sha256').update(JSON.stringify(readDependencies(root)));
  for (const file of [...new Set(sources)].sort()) {
    const content = readFileSync(join(root, file));
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return join(root, 'dist/help', hash.digest('hex').slice(0, 16));
}

/** The versions of the packages that render the site. */
function readDependencies(root) {
  const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return [devDependencies.vitepress, devDependencies['beautiful-mermaid']];
}

async function buildSite(target) {
  const { writePages } = await import('./docs/staging.mjs');
  const { build } = await import('vitepress');
  mkdirSync(SITES, { recursive: true });
  const source = join(SITES, `.source-${process.pid}`);
  const site = `${target}.new.${process.pid}`;
  try {
    cpSync(join(ROOT, TOOLS, 'vitepress'), join(source, '.vitepress'), { recursive: true });
    cpSync(join(ROOT, TOOLS, 'markdown.mjs'), join(source, 'markdown.mjs'));
    const sections = writePages(ROOT, listSections(ROOT), source);
    const { version } = JSON.parse(readFileSync(join(ROOT, 'docs/openapi.json'), 'utf8')).info;
    writeFileSync(join(source, '.vitepress/site.json'), JSON.stringify({ version, sections: sections.map(toMenu) }));
    writeFileSync(join(source, 'index.md'), toStartPage(sections, version));
    await withoutStdout(() => build(source, { outDir: site, logLevel: 'warn' }));
    const { scriptHashes } = checkSite(site);
    writeFileSync(join(site, 'site.json'), `${JSON.stringify({ version, scriptHashes })}\n`);
    // Rename the folder last, so that an interrupted build never leaves an incomplete site.
    renameSync(site, target);
  } catch (error) {
    // Another process may have built the same site in the meantime.
    if (!existsSync(target)) throw error;
  } finally {
    for (const folder of [source, site]) rmSync(folder, { recursive: true, force: true });
  }
}

/** Redirects the output of a function to stderr. Stdout must contain only the path of the site. */
async function withoutStdout(run) {
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = process.stderr.write.bind(process.stderr);
  try {
    await run();
  } finally {
    process.stdout.write = write;
  }
}

const toMenu = ({ text, collapsed, pages }) => ({
  text,
  collapsed,
  pages: pages.map(({ path, title, label, isHidden }) => ({ path, title, label, isHidden })),
});

/** The start page has a card for each section. */
function toStartPage(sections, version) {
  return [
    '# Freshet help',
    'Freshet replicates a Freshdesk account into a PostgreSQL warehouse, and keeps the warehouse complete and up to date.',
    `These pages describe version ${version}.`,
    '<div class="cards">',
    sections.map(({ text, summary, pages }) => `- [${text}](/${pages[0].path}) ${summary}`).join('\n'),
    '</div>',
    '',
  ].join('\n\n');
}

/** Deletes the sites that were used least recently. */
function deleteOldSites(current) {
  const sites = readdirSync(SITES)
    .map((name) => join(SITES, name))
    .filter((folder) => folder !== current && existsSync(join(folder, 'site.json')))
    .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  for (const folder of sites.slice(SITES_MAX - 1)) rmSync(folder, { recursive: true, force: true });
}

if (fileURLToPath(import.meta.url) === resolve(process.argv[1] ?? '')) {
  const [requested] = process.argv.slice(2);
  const target = requested === undefined ? findSite() : resolve(requested);
  if (requested !== undefined) rmSync(target, { recursive: true, force: true });
  if (!existsSync(target)) await buildSite(target);
  utimesSync(target, new Date(), new Date());
  if (requested === undefined) deleteOldSites(target);
  process.stdout.write(`${target}\n`);
}
