/**
 * Writes the Markdown files of the site: one file for each page, with links between pages. The
 * files of the repository are split and renamed here, so that they stay readable on GitHub.
 */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, extname, join, normalize } from 'node:path';
import { renderDiagrams } from './diagrams.mjs';
import { createSlugger, groupBlocks, listLines, parseBlocks } from './markdown.mjs';
import { listOperations } from './operations.mjs';

const REPOSITORY = 'https://github.com/freshet/freshet';
/** Files that the API serves. */
const SERVED = { 'docs/openapi.json': '/v1/openapi.json' };

/**
 * Writes the pages into a folder.
 * @param {string} root the root of the repository.
 * @param {import('./pages.mjs').Section[]} sections
 * @param {string} folder the source folder of VitePress.
 * @returns the sections, with one page for each object, and with the title of each page.
 */
export function writePages(root, sections, folder) {
  const complete = sections.map((section) => ({ ...section, pages: section.pages.flatMap((p) => readPage(root, p)) }));
  const pages = complete.flatMap((section) => section.pages);
  const targets = findTargets(pages);
  const files = new Map();
  for (const page of pages) {
    const text = rewriteLinks(root, page, targets, files);
    const file = join(folder, toFile(page.path));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `# ${page.title}\n\n${renderDiagrams(text, page.path)}\n`);
  }
  for (const [name, source] of files) {
    mkdirSync(join(folder, 'public/files'), { recursive: true });
    copyFileSync(source, join(folder, 'public/files', name));
  }
  return complete;
}

const toFile = (path) => `${path}${path === '' || path.endsWith('/') ? 'index' : ''}.md`;

/** Selects the blocks of a page. A split page becomes one page for each heading of level 2. */
function readPage(root, page) {
  const text = readFileSync(join(root, page.source), 'utf8');
  const groups = groupBlocks(parseBlocks(page.source.endsWith('.json') ? listOperations(text) : text));
  const firstHeading = groups[0].blocks.find(({ level }) => level === 1);
  const title = page.title ?? firstHeading?.heading ?? page.path;
  const isIncluded = ({ heading }) =>
    heading === null
      ? page.title === undefined || page.source.endsWith('.json')
      : (page.only?.includes(heading) ?? true) && !(page.without?.includes(heading) ?? false);
  const missing = [...(page.only ?? []), ...(page.without ?? [])].filter((h) => !groups.some((g) => g.heading === h));
  if (missing.length > 0) throw new Error(`${page.source} has no heading "${missing.join('", "')}".`);
  const own = {
    ...page,
    title,
    blocks: withoutTitle(
      groups.filter(isIncluded).flatMap(({ blocks }) => blocks),
      title,
    ),
  };
  if (!page.isSplit) return [own];
  const parts = groups
    .filter((group) => group.heading !== null && !isIncluded(group))
    .map(({ heading, blocks }) => ({
      path: page.path + findTable(page.source, blocks),
      source: page.source,
      title: heading,
      blocks: withoutTitle(blocks, heading),
    }));
  const list = parts.map((part) => `- [${part.title}](#${part.blocks[0].fragment})`);
  own.blocks.push({ level: 2, heading: 'Objects', fragment: null, lines: ['', ...list, ''] });
  return [own, ...parts];
}

/** The address of an object is the name of its table, which is also its name in the API. */
function findTable(source, blocks) {
  const table = /^\| Table \| `([^`]+)`/m.exec(blocks.flatMap(({ lines }) => lines).join('\n'))?.[1];
  if (table === undefined) throw new Error(`${source}: "${blocks[0].heading}" has no table.`);
  return table;
}

/** Removes the heading that becomes the title of the page, and raises the level of the others. */
function withoutTitle(blocks, title) {
  const index = blocks.findIndex(({ heading, level }) => level > 0 && heading === title);
  if (index === -1) return blocks;
  const raise = blocks[index].level - 1;
  return blocks.map((block, i) =>
    i === index ? { ...block, level: 0 } : { ...block, level: block.level === 0 ? 0 : block.level - raise },
  );
}

/** Finds the address of each file and of each fragment: `README.md#quickstart` → `/quickstart`. */
function findTargets(pages) {
  const targets = new Map();
  for (const { path, source, blocks } of pages) {
    if (!targets.has(source)) targets.set(source, `/${path}`);
    const slugger = createSlugger();
    for (const { level, heading, fragment, lines } of blocks) {
      const own = level === 0 ? '' : `#${slugger(heading)}`;
      if (fragment) targets.set(`${source}#${fragment}`, `/${path}${own}`);
      for (const [, id] of lines.join('\n').matchAll(/<a (?:id|name)="([^"]+)"/g))
        targets.set(`${source}#${id}`, `/${path}#${id}`);
    }
  }
  return targets;
}

/** Returns the text of a page with links to pages of the site, to the API or to the repository. */
function rewriteLinks(root, { source, blocks }, targets, files) {
  const toLink = (whole, label, target) => {
    if (/^[a-z]+:/.test(target)) return whole;
    const [path, fragment] = target.split('#');
    const file = path === '' ? source : normalize(join(dirname(source), path));
    const page = targets.get(fragment ? `${file}#${fragment}` : file) ?? targets.get(file);
    if (page !== undefined) return `[${label}](${page})`;
    if (SERVED[file] !== undefined) return `<a href="${SERVED[file]}" target="_self">${label}</a>`;
    if (/\.(?:png|svg|jpg)$/.test(file)) {
      const name = file.replaceAll('/', '-');
      files.set(name, join(root, file));
      return `[${label}](/files/${name})`;
    }
    // The build of the image has only some of the files. `check-links.mjs` checks that they exist.
    const kind = extname(file) === '' ? 'tree' : 'blob';
    return `[${label}](${REPOSITORY}/${kind}/main/${file.replace(/\/$/, '')}${fragment ? `#${fragment}` : ''})`;
  };
  // Links may wrap, so each run of lines outside code fences is rewritten as a whole.
  const rewrite = (text) =>
    text
      .replace(/\[((?:[^[\]]|`[^`]*`)*)\]\(([^)\s]+)\)/g, toLink)
      .replace(
        /`\/(docs(?:\/errors)?|console|v1\/openapi\.json)`/g,
        '<a href="/$1" target="_self"><code>/$1</code></a>',
      );
  return blocks
    .map(({ level, heading, lines }) => {
      const text = level === 0 ? lines : [`${'#'.repeat(level)} ${heading}`, ...lines];
      return splitRuns(listLines(text.join('\n')))
        .map(({ isCode, text: run }) => (isCode ? run : rewrite(run)))
        .join('\n');
    })
    .join('\n');
}

function splitRuns(lines) {
  const runs = [];
  for (const { line, isCode } of lines) {
    if (runs.at(-1)?.isCode === isCode) runs.at(-1).text += `\n${line}`;
    else runs.push({ isCode, text: line });
  }
  return runs;
}
