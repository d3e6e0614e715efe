import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LightMyRequestResponse } from 'fastify';
import Fastify from 'fastify';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { App, Help } from '../../context.ts';
import { registerHelpRoutes } from './routes.ts';

let parent: string;
let folder: string;

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'freshet-help-'));
  folder = join(parent, 'site');
});
afterEach(() => rmSync(parent, { recursive: true }));

function buildSite(): void {
  const files = {
    'index.html': 'start',
    '404.html': 'not found',
    'faq.html': 'faq',
    'objects/index.html': 'objects',
    'assets/app.1a2b.js': 'script',
    'site.json': '{"scriptHashes":["sha256-abc"]}',
  };
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  writeFileSync(join(parent, 'secret.html'), 'outside the site');
}

function request(help: Help): (url: string, headers?: Record<string, string>) => Promise<LightMyRequestResponse> {
  const app = Fastify() as unknown as App;
  registerHelpRoutes(app, help);
  return (url, headers = {}) => app.inject({ url, headers });
}

test('pages are served without the extension, with a content security policy', async () => {
  buildSite();
  const get = request({ folder });
  const page = await get('/help/faq');
  expect([page.statusCode, page.body, page.headers['content-type']]).toEqual([200, 'faq', 'text/html; charset=utf-8']);
  expect(page.headers['content-security-policy']).toContain("script-src 'self' 'sha256-abc'; style-src 'self';");
  expect((await get('/help')).headers.location).toBe('/help/');
  expect((await get('/help/')).body).toBe('start');
  expect((await get('/help/objects')).headers.location).toBe('/help/objects/');
  expect((await get('/help/objects/')).body).toBe('objects');
});

test('files whose names contain a hash are cached, and pages are revalidated', async () => {
  buildSite();
  const get = request({ folder });
  expect((await get('/help/assets/app.1a2b.js')).headers['cache-control']).toContain('immutable');
  const { etag, ...headers } = (await get('/help/faq')).headers;
  expect(headers['cache-control']).toBe('no-cache');
  expect((await get('/help/faq', { 'if-none-match': etag as string })).statusCode).toBe(304);
});

test.each(['/help/../secret', '/help/..%2fsecret', '/help/%2e%2e/secret.html', '/help/site.json', '/help/missing'])(
  '%s returns the page for unknown addresses',
  async (url) => {
    buildSite();
    const response = await request({ folder })(url);
    expect(response.statusCode).toBe(404);
    expect(response.body).not.toContain('outside the site');
  },
);

test('a page explains how to build a missing site, and the site is served as soon as it is built', async () => {
  const get = request({ folder });
  const response = await get('/help/faq');
  expect(response.statusCode).toBe(503);
  expect(response.body).toContain('npm run docs:build');
  buildSite();
  expect((await get('/help/faq')).body).toBe('faq');
});

test('the first request starts the build of a missing site, and the page reloads until it finishes', async () => {
  let state: 'building' | 'failed' = 'building';
  const get = request({ folder, build: () => state });
  expect((await get('/help/')).body).toContain('<meta http-equiv="refresh"');
  state = 'failed';
  const response = await get('/help/');
  expect(response.body).toContain('failed');
  expect(response.body).not.toContain('http-equiv');
});
