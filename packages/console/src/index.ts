/**
 * The web console for operators and analysts: a single page that uses the public API. The sources
 * are in `web/`. This module reads the built files and serves them.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import { gzipSync } from 'node:zlib';
import { findConsole } from './folder.ts';

export interface ConsoleFile {
  readonly type: string;
  readonly body: Buffer;
  readonly gzip: Buffer;
}

export interface Console {
  /** The files by path relative to `/console/`. The names contain hashes of the contents. */
  readonly files: ReadonlyMap<string, ConsoleFile>;
  /**
   * Returns the page for one response.
   * @param nonce a random value. Only style elements with this nonce are applied.
   */
  readonly getPage: (nonce: string) => { readonly body: string; readonly contentSecurityPolicy: string };
}

const NONCE_PLACEHOLDER = '__CSP_NONCE__';
const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Reads all files of the console from disk. Builds the console first if it is necessary. */
export async function loadConsole(): Promise<Console> {
  const folder = await findConsole();
  const page = readFileSync(join(folder, 'index.html'), 'utf8');
  const files = new Map<string, ConsoleFile>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const type = TYPES[extname(entry.name)];
    if (!entry.isFile() || type === undefined) continue;
    const path = join(entry.parentPath, entry.name);
    const body = readFileSync(path);
    files.set(relative(folder, path).replaceAll(sep, '/'), { type, body, gzip: gzipSync(body) });
  }
  return {
    files,
    getPage: (nonce) => ({
      body: page.replaceAll(NONCE_PLACEHOLDER, nonce),
      contentSecurityPolicy: buildContentSecurityPolicy(nonce),
    }),
  };
}

/**
 * Allows the page to load files from its own origin only, and to connect to this origin only.
 * Scripts must be files. Style elements require the nonce: the component library creates them for
 * its theme and for sizes that depend on the width of the window.
 */
function buildContentSecurityPolicy(nonce: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "connect-src 'self'",
    "img-src 'self' data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}
