import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { listModels } from '@freshet/analytics';
import { catalogue } from '@freshet/freshdesk-extractor';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkSite } from '../../../../../scripts/docs/check-site.mjs';
import { listSections, type Section } from '../../../../../scripts/docs/pages.mjs';
import { writePages } from '../../../../../scripts/docs/staging.mjs';

const ROOT = fileURLToPath(new URL('../../../../../', import.meta.url));
let folder: string;
let sections: readonly Section[];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'freshet-pages-'));
  sections = writePages(ROOT, listSections(ROOT), folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

const listPaths = () => sections.flatMap(({ pages }) => pages.map(({ path }) => path));
const readPage = (path: string) => readFileSync(join(folder, `${path}.md`), 'utf8');

describe('writePages', () => {
  test('the addresses to which the console and earlier releases link exist', () => {
    expect(listPaths()).toEqual(
      expect.arrayContaining([
        'quickstart',
        'guides/connect-freshdesk',
        'guides/connect-postgresql',
        'guides/console',
        'guides/python',
        'guides/airflow',
        'guides/dagster',
        'concepts/overview',
        'concepts/warehouse',
        'concepts/glossary',
        'objects/',
        'api/',
        'api/guide',
        'api/errors',
        'operations',
        'security/',
        'architecture/',
        'faq',
        'comparison',
        'changelog',
      ]),
    );
  });

  test('each object has a page whose address is the name of the object', () => {
    const names = listPaths().filter((path) => /^objects\/./.test(path));
    expect(names.toSorted()).toEqual(catalogue.map(({ name }) => `objects/${name}`).toSorted());
  });

  test('each analytics model that is not internal has a page', () => {
    const names = listModels().flatMap(({ name, internal }) => (internal ? [] : [`analytics/models/${name}`]));
    expect(listPaths()).toEqual(expect.arrayContaining(names));
  });

  test('links lead to the page that contains the heading', () => {
    expect(readPage('concepts/overview')).toContain('(/architecture/decisions/0001-keyset-pagination)');
    expect(readPage('objects/tickets')).toContain('[keyset](/objects/#keyset)');
    expect(readPage('faq')).toContain('(/concepts/warehouse#deletions)');
    expect(readPage('architecture/contributing')).toContain('(/concepts/glossary)');
  });

  test('links to other files lead to the API or to the repository', () => {
    expect(readPage('api/guide')).toContain('<a href="/v1/openapi.json" target="_self">');
    expect(readPage('api/guide')).toContain('(https://github.com/freshet/freshet/blob/main/packages/client/README.md)');
  });

  test('diagrams become SVG without styles and requests', () => {
    const page = readPage('architecture/index');
    expect(page).toContain('<svg ');
    expect(page).not.toMatch(/```mermaid|<style| style="|fonts\.googleapis/);
  });
});

describe('checkSite', () => {
  function writeSite(pages: Readonly<Record<string, string>>): string {
    const site = mkdtempSync(join(folder, 'site-'));
    for (const [name, html] of Object.entries(pages)) {
      mkdirSync(dirname(join(site, name)), { recursive: true });
      writeFileSync(join(site, name), `<h1>Title</h1>${html}`);
    }
    return site;
  }

  test('returns the hashes of the inline scripts', () => {
    const site = writeSite({
      'index.html': '<a href="/help/faq#top">x</a><script>1</script>',
      'faq.html': '<p id="top">',
    });
    expect(checkSite(site)).toEqual({ scriptHashes: ['sha256-a4ayc/80/OGda4BO/1o/V0etpOqiLx1JwB5S3beHW0s='] });
  });

  test.each([
    ['a link to a missing page', '<a href="/help/missing">x</a>', /missing: the page does not exist/],
    ['a link to a missing heading', '<a href="#missing">x</a>', /the page has no such heading/],
    ['a file of another host', '<img src="https://example.com/x.png">', /loads https:/],
    ['an inline style', '<p style="color:red">', /inline style/],
    ['a style element', '<style>p {}</style>', /<style> element/],
  ])('rejects %s', (_name, html, message) => {
    expect(() => checkSite(writeSite({ 'index.html': html }))).toThrow(message);
  });
});
