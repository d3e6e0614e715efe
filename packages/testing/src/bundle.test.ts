import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { findBundle } from '../../../scripts/bundle.mjs';

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'freshet-bundle-'));
  for (const folder of ['apps', 'packages']) mkdirSync(join(root, folder));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Writes a file of the repository, and returns the bundle of the repository. */
function write(path: string, content: string): string {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  return findBundle(root);
}

test('the bundle changes with the sources, the dependencies and the script, and does not change with the tests', () => {
  write('packages/a/package.json', '{}');
  const first = write('apps/a/src/main.ts', '1');
  expect(first).toMatch(/dist.[0-9a-f]{16}$/);
  const changes = [
    write('apps/a/src/main.ts', '2'),
    write('apps/a/src/other.ts', ''),
    write('packages/a/web/page.html', ''),
    write('packages/a/migrations/0001.sql', ''),
    write('packages/a/reports/one.sql', ''),
    write('integrations/dbt/models/one.sql', ''),
    write('packages/a/package.json', '{ }'),
    write('pnpm-lock.yaml', '1'),
    write('scripts/bundle.mjs', ''),
  ];
  expect(new Set([first, ...changes]).size).toBe(changes.length + 1);
  const last = changes.at(-1);
  expect(write('apps/a/src/main.test.ts', '')).toBe(last);
  expect(write('apps/a/src/test-support/builders.ts', '')).toBe(last);
  expect(write('README.md', '')).toBe(last);
});
