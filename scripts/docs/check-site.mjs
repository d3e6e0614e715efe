/**
 * Checks a built site: each link within the deployment leads to a page and to an element of that
 * page, and no page loads anything from another host or has an inline style.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';

const BASE = '/help/';
/** Pages outside the site that the API serves. */
const SERVED = /^\/(?:docs(?:\/errors)?\/?|console\/?|v1\/openapi\.json)$/;

/**
 * @param {string} folder the built site.
 * @returns {{ scriptHashes: string[] }} the hashes of all inline scripts, for the content security
 *   policy.
 * @throws an error that lists all problems.
 */
export function checkSite(folder) {
  const pages = new Map();
  for (const name of readdirSync(folder, { recursive: true }).filter((file) => file.endsWith('.html')))
    pages.set(name.replaceAll(sep, '/'), readFileSync(join(folder, name), 'utf8'));
  const ids = new Map([...pages].map(([name, html]) => [name, listIds(html)]));
  const problems = [...pages].flatMap(([name, html]) => [
    ...findBrokenLinks(name, html, folder, ids),
    ...findForbidden(name, html).map((problem) => `${name}: ${problem}`),
  ]);
  if (problems.length > 0) throw new Error(`The documentation site has problems:\n${problems.join('\n')}`);
  const scripts = [...pages.values()].flatMap((html) =>
    [...html.matchAll(/<script(?![^>]*\bsrc=)[^>]*>([\s\S]*?)<\/script>/g)].map(([, script]) => script),
  );
  const hashes = scripts.map((script) => `sha256-${createHash('sha256').update(script).digest('base64')}`);
  return { scriptHashes: [...new Set(hashes)].sort() };
}

const listIds = (html) => new Set([...html.matchAll(/\s(?:id|name)="([^"]+)"/g)].map(([, id]) => id));

function findBrokenLinks(name, html, folder, ids) {
  const broken = [];
  const hrefs = new Set([...html.matchAll(/<a [^>]*href="([^"]*)"/g)].map(([, href]) => href.replaceAll('&amp;', '&')));
  for (const href of hrefs) {
    if (/^[a-z]+:/.test(href)) continue;
    const [path, fragment] = decodeURI(href).split('#');
    if (SERVED.test(path)) continue;
    const target = findFile(path, name, folder);
    if (target === null) broken.push(`${name}: ${href}: the page does not exist.`);
    else if (fragment && ids.has(target) && !ids.get(target).has(fragment))
      broken.push(`${name}: ${href}: the page has no such heading.`);
  }
  return broken;
}

/** Returns the file of a link, relative to the site, or null. */
function findFile(path, from, folder) {
  if (path === '') return from;
  const absolute = path.startsWith('/') ? path : posix.join(BASE, dirname(from), path);
  if (!absolute.startsWith(BASE)) return null;
  const file = absolute.slice(BASE.length);
  const candidates = file === '' || file.endsWith('/') ? [`${file}index.html`] : [`${file}.html`, file];
  const found = candidates.find((candidate) => existsSync(join(folder, candidate)));
  return found === undefined ? null : relative(folder, join(folder, found)).replaceAll(sep, '/');
}

/** Finds what the content security policy of the site would block. */
function findForbidden(name, html) {
  return [
    ...(name === '404.html' || /<h1[\s>]/.test(html)
      ? []
      : ['has no heading of level 1, because its content failed to render.']),
    ...[...html.matchAll(/<(?!a\s)[^>]*\s(?:src|href)="((?:https?:)?\/\/[^"]+)"/g)].map(([, url]) => `loads ${url}.`),
    ...[...html.matchAll(/<[^>]*\sstyle="([^"]*)"/g)].map(([tag]) => `has an inline style: ${tag.slice(0, 120)}`),
    ...(/<style[\s>]/.test(html) ? ['has a <style> element.'] : []),
  ];
}
