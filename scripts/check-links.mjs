#!/usr/bin/env node
/**
 * Checks the Markdown files. Each relative link must lead to a file, and each `#fragment` must lead
 * to a heading or an anchor of that file. Each path of the repository in code font (`apps/…`,
 * `packages/…`, …) must exist.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

const FOLDERS = /^(?:apps|packages|bench|clients|deploy|docs|scripts|patches|\.ci)\/[\w./-]+$/;
/** A document may refer to a source file by the last part of its path. */
const SOURCE = /^[\w./-]+\.(?:ts|mjs|sql)$/;
/**
 * Paths in the changelog are not checked, because its entries describe earlier versions of the
 * repository.
 */
const HISTORY = 'CHANGELOG.md';

const files = execFileSync('git', ['ls-files', '*.md'], { encoding: 'utf8' }).trim().split('\n').filter(existsSync);
const tracked = execFileSync('git', ['ls-files'], { encoding: 'utf8' }).trim().split('\n').filter(existsSync);
const anchors = new Map();
const broken = [];
for (const file of files) {
  const text = withoutFences(readFileSync(file, 'utf8'));
  for (const [, target] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^[a-z]+:/.test(target)) continue;
    const [path, fragment] = target.split('#');
    const linked = path === '' ? file : normalize(join(dirname(file), path));
    if (!existsSync(linked)) broken.push(`${file}: ${target}: the file does not exist.`);
    else if (fragment && linked.endsWith('.md') && !anchorsOf(linked).has(fragment)) {
      broken.push(`${file}: ${target}: the file has no such heading.`);
    }
  }
  if (file === HISTORY) continue;
  for (const [, path] of text.matchAll(/`([^`\s]+)`/g)) {
    const exists = FOLDERS.test(path)
      ? existsSync(path)
      : !SOURCE.test(path) || tracked.some((name) => name === path || name.endsWith(`/${path}`));
    if (!exists) broken.push(`${file}: \`${path}\`: the file does not exist.`);
  }
}
if (broken.length > 0) {
  console.error(`${broken.join('\n')}\n\nCorrect these ${broken.length} references.`);
  process.exit(1);
}
console.log(`The links and paths in ${files.length} Markdown files lead to files and headings.`);

function anchorsOf(file) {
  if (!anchors.has(file)) anchors.set(file, listAnchors(readFileSync(file, 'utf8')));
  return anchors.get(file);
}

/**
 * Lists the fragments that GitHub generates from headings, with a number for each repetition, and
 * the explicit `<a id="…">` anchors.
 */
function listAnchors(markdown) {
  const found = new Set([...markdown.matchAll(/<a (?:id|name)="([^"]+)"/g)].map(([, id]) => id));
  for (const [, heading] of withoutFences(markdown).matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)) {
    const slug = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-');
    let fragment = slug;
    for (let n = 1; found.has(fragment); n++) fragment = `${slug}-${n}`;
    found.add(fragment);
  }
  return found;
}

function withoutFences(markdown) {
  return markdown.replace(/^([ \t]*)```[\s\S]*?^\1```/gm, '');
}
