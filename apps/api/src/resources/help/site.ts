import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join, sep } from 'node:path';

interface HelpFile {
  readonly type: string;
  readonly body: Buffer;
  readonly etag: string;
  /** Whether the name contains a hash of the content. */
  readonly isImmutable: boolean;
}

export interface HelpSite {
  /** Finds the file of a path relative to `/help/`, such as `guides/console`. */
  readonly findFile: (path: string) => HelpFile | null;
  readonly contentSecurityPolicy: string;
}

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
};
/** The description of the site that the build writes. It is written last. */
const DESCRIPTION = 'site.json';

/**
 * Opens a documentation site that `scripts/docs-site.mjs` has built.
 * @param folder the folder of the site.
 * @returns null if the site has not been built.
 */
export function openSite(folder: string): HelpSite | null {
  const description = join(folder, DESCRIPTION);
  if (!existsSync(description)) return null;
  const { scriptHashes } = JSON.parse(readFileSync(description, 'utf8')) as { scriptHashes: readonly string[] };
  // Only the listed files are served, so a path cannot lead out of the folder.
  const names = new Set(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name !== DESCRIPTION)
      .map((entry) =>
        join(entry.parentPath, entry.name)
          .slice(folder.length + 1)
          .replaceAll(sep, '/'),
      ),
  );
  const files = new Map<string, HelpFile>();
  const findFile = (path: string): HelpFile | null => {
    const candidates = path === '' || path.endsWith('/') ? [`${path}index.html`] : [path, `${path}.html`];
    const name = candidates.find((candidate) => names.has(candidate));
    if (name === undefined) return null;
    const file = files.get(name) ?? readHelpFile(folder, name);
    files.set(name, file);
    return file;
  };
  return { findFile, contentSecurityPolicy: buildPolicy(scriptHashes) };
}

function readHelpFile(folder: string, name: string): HelpFile {
  const body = readFileSync(join(folder, name));
  return {
    body,
    type: TYPES[extname(name)] ?? 'application/octet-stream',
    etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`,
    isImmutable: name.startsWith('assets/'),
  };
}

/** Allows files of the same origin, and only the listed inline scripts. */
function buildPolicy(scriptHashes: readonly string[]): string {
  const scripts = scriptHashes.map((hash) => ` '${hash}'`).join('');
  return `default-src 'none'; script-src 'self'${scripts}; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
}
