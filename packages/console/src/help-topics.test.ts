import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseBlocks } from '../../../scripts/docs/markdown.mjs';
import { listSections } from '../../../scripts/docs/pages.mjs';
import { writePages } from '../../../scripts/docs/staging.mjs';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
// The sources of the console are a different TypeScript project, which has no types of Node.
const { HELP_TOPICS } = (await import(`${ROOT}packages/console/web/components/help-topics.ts`)) as {
  readonly HELP_TOPICS: Readonly<Record<string, string>>;
};
let folder: string;
let paths: readonly string[];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'freshet-help-topics-'));
  paths = writePages(ROOT, listSections(ROOT), folder).flatMap(({ pages }) => pages.map(({ path }) => path));
});
afterAll(() => rmSync(folder, { recursive: true }));

/**
 * Lists the fragments of the headings of a page. The site generates them with the same function.
 */
function listFragments(path: string): string[] {
  const file = path.endsWith('/') ? `${path}index.md` : `${path}.md`;
  return parseBlocks(readFileSync(join(folder, file), 'utf8')).map(({ fragment }) => fragment);
}

test.each(Object.entries(HELP_TOPICS))('the topic %s leads to a page and a heading of the site', (_topic, target) => {
  const [path = '', fragment] = target.split('#');
  expect(paths).toContain(path);
  if (fragment !== undefined) expect(listFragments(path)).toContain(fragment);
});
