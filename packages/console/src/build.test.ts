import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { buildConsole } from './build.ts';
import { loadConsole } from './index.ts';

interface Chunk {
  readonly file: string;
  readonly isEntry?: boolean;
  readonly imports?: readonly string[];
}

/** The limit of the scripts that the browser loads before it shows the first page. */
const INITIAL_SCRIPT_BYTES_MAX = 250_000;

test('the initial scripts are smaller than 250 kB when compressed', async () => {
  const folder = await buildConsole();
  const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as Record<string, Chunk>;
  const files = new Set<string>();
  const addWithImports = (key: string) => {
    const chunk = manifest[key] as Chunk;
    if (files.has(chunk.file)) return;
    files.add(chunk.file);
    for (const imported of chunk.imports ?? []) addWithImports(imported);
  };
  for (const [key, chunk] of Object.entries(manifest)) if (chunk.isEntry) addWithImports(key);
  const sizes = [...files].map((file) => gzipSync(readFileSync(join(folder, file))).length);
  expect(sizes.length).toBeGreaterThan(0);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(INITIAL_SCRIPT_BYTES_MAX);
});

test('a page has its own nonce, and contains no inline script', async () => {
  const { getPage } = await loadConsole();
  const { body, contentSecurityPolicy } = getPage('abc');
  expect(contentSecurityPolicy).toContain("style-src 'self' 'nonce-abc'");
  expect(contentSecurityPolicy).not.toContain('unsafe');
  expect(body).toContain('nonce="abc"');
  expect(body).not.toContain('__CSP_NONCE__');
  expect(body.match(/<script(?![^>]*\ssrc=)/g)).toBe(null);
  expect(body.match(/<style|\sstyle=|https?:/g)).toBe(null);
});
