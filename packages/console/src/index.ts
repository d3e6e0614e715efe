/**
 * The web console for operators: a single page that uses the public API. The TypeScript files are
 * served with their types stripped, so the console needs no build step. The entry point is
 * `web/main.ts`.
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
  /** The files by path relative to `/console/`. The page itself has the path `''`. */
  readonly files: ReadonlyMap<string, ConsoleFile>;
  /** Allows the page to load files from its own origin only, and to connect to this origin only. */
  readonly contentSecurityPolicy: string;
}

const SCRIPT = 'text/javascript; charset=utf-8';
const WEB = fileURLToPath(new URL('../web', import.meta.url));

/** Reads all files of the console from disk. Call this function once per process. */
export function loadConsole(): Console {
  const files = new Map<string, ConsoleFile>();
  const addFile = (path: string, file: string, type: string) => {
    const text = readFileSync(file, 'utf8');
    files.set(path, { type, body: file.endsWith('.ts') ? stripTypeScriptTypes(text) : text });
  };
  for (const name of readdirSync(WEB)) if (name.endsWith('.ts')) addFile(`web/${name}`, join(WEB, name), SCRIPT);
  addFile('style.css', join(WEB, 'style.css'), 'text/css; charset=utf-8');
  const client = dirname(fileURLToPath(import.meta.resolve('@freshet/client')));
  for (const name of readdirSync(client)) {
    // `api.ts` contains only types, so no module imports it at run time.
    if (name.endsWith('.ts') && name !== 'api.ts') addFile(`client/${name}`, join(client, name), SCRIPT);
  }
  const imports: Record<string, string> = { '@freshet/client': './client/index.ts' };
  for (const name of ['preact', 'preact/hooks', 'htm', 'openapi-fetch']) {
    const path = `vendor/${name.replace('/', '-')}.js`;
    addFile(path, fileURLToPath(import.meta.resolve(name)), SCRIPT);
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
