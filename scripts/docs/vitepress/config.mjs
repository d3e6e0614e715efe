/**
 * The configuration of the documentation site. `scripts/docs-site.mjs` copies this folder
 * beside the pages that it generates, and writes `site.json` with the navigation and the version.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toSlug } from '../markdown.mjs';
import { adaptTableCells, correctTemplates, createStyleClasses, escapeInlineCode } from './rendering.mjs';

const { version, sections } = JSON.parse(readFileSync(new URL('site.json', import.meta.url), 'utf8'));
const BASE = '/help/';
const CODE_STYLE = 'code.css';
const styleClasses = createStyleClasses();

const toLink = ({ path }) => `/${path}`;
const toItem = (page) => ({ text: page.label ?? page.title, link: toLink(page) });

export default {
  base: BASE,
  lang: 'en',
  title: 'Freshet',
  titleTemplate: ':title · Freshet help',
  description: 'Documentation of Freshet, which replicates a Freshdesk account into a PostgreSQL warehouse.',
  cleanUrls: true,
  // The transition would need an inline style.
  appearance: { disableTransition: false },
  // The metadata of all pages is in one file instead of an inline script in each page.
  metaChunk: true,
  // With a higher number, the order of the pages in the search index, and thus the name of its
  // file, depends on the load of the machine.
  buildConcurrency: 1,
  head: [
    ['link', { rel: 'icon', href: 'data:,' }],
    ['link', { rel: 'stylesheet', href: `${BASE}${CODE_STYLE}` }],
  ],
  markdown: {
    anchor: { slugify: toSlug },
    // Both colors must have a contrast of at least 4.5 on the background of code.
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    codeTransformers: [styleClasses.transformer],
    config: (md) => {
      escapeInlineCode(md);
      adaptTableCells(md);
    },
  },
  // VitePress renders two inline styles that the theme also sets, one of them when the page starts.
  transformHtml: (html) => html.replaceAll(/ style="(?:(?:--vp-vh:0px|position:relative);)?"/g, ''),
  vite: { build: { chunkSizeWarningLimit: 2_000 }, plugins: [correctTemplates()] },
  themeConfig: {
    search: { provider: 'local', options: { detailedView: true } },
    outline: { level: [2, 3], label: 'On this page' },
    nav: [
      { text: 'Quickstart', link: '/quickstart' },
      {
        text: 'Guides',
        link: toLink(sections.find(({ text }) => text === 'Guides').pages[0]),
        activeMatch: '/guides/',
      },
      { text: 'Objects', link: '/objects/', activeMatch: '/objects/' },
      { text: 'API', link: '/api/', activeMatch: '/api/' },
      { text: `Version ${version}`, link: '/changelog' },
    ],
    sidebar: sections.map(({ text, pages, collapsed }) =>
      pages.length === 1 && text !== 'Objects'
        ? { text, link: toLink(pages[0]) }
        : { text, collapsed: collapsed ?? false, items: pages.filter(({ isHidden }) => !isHidden).map(toItem) },
    ),
    docFooter: { prev: 'Previous page', next: 'Next page' },
    footer: { message: `Documentation of Freshet ${version}, licensed under Apache-2.0.` },
  },
  buildEnd: ({ outDir }) => writeFileSync(join(outDir, CODE_STYLE), styleClasses.toCss()),
};
