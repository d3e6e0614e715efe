/**
 * The operators' console: a web page that is a client of the API like any other. Its files are TypeScript that the browser gets without its types; there
 * is nothing to build. Start reading at `web/main.ts`.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface ConsoleFile {
  readonly type: string;
  readonly body: string;
}

export interface Console {
  /** By their paths below `/console/`; the page itself is `''`. */
  readonly files: ReadonlyMap<string, ConsoleFile>;
  /** What the page may load and call: itself, and nothing else. */
  readonly contentSecurityPolicy: string;
}

const SCRIPT = 'text/javascript; charset=utf-8';
const WEB = fileURLToPath(new URL('../web', import.meta.url));

/** Everything that the console's page consists of, read once. */
export function loadConsole(): Console {
  const files = new Map<string, ConsoleFile>();
  const add = (path: string, file: string, type: string) => {
    const text = readFileSync(file, 'utf8');
    files.set(path, { type, body: file.endsWith('.ts') ? stripTypeScriptTypes(text) : text });
  };
  for (const name of readdirSync(WEB)) if (name.endsWith('.ts')) add(`web/${name}`, join(WEB, name), SCRIPT);
  add('style.css', join(WEB, 'style.css'), 'text/css; charset=utf-8');
  const client = dirname(fileURLToPath(import.meta.resolve('@freshet/client')));
  for (const name of readdirSync(client)) {
    // Of `api.ts` there is nothing left without its types, and nobody asks for it.
    if (name.endsWith('.ts') && name !== 'api.ts') add(`client/${name}`, join(client, name), SCRIPT);
  }
  const imports: Record<string, string> = { '@freshet/client': './client/index.ts' };
  for (const name of ['preact', 'preact/hooks', 'htm', 'openapi-fetch']) {
    const path = `vendor/${name.replace('/', '-')}.js`;
    add(path, fileURLToPath(import.meta.resolve(name)), SCRIPT);
    imports[name] = `./${path}`;
  }
  const map = JSON.stringify({ imports });
  const page = readFileSync(join(WEB, 'index.html'), 'utf8').replace(
    '<!-- imports -->',
    `<script type="importmap">${map}</script>`,
  );
  files.set('', { type: 'text/html; charset=utf-8', body: page });
  const hash = createHash('sha256').update(map).digest('base64');
  return {
    files,
    contentSecurityPolicy: `default-src 'none'; script-src 'self' 'sha256-${hash}'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  };
}
