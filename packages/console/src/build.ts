/**
 * Builds the console with Vite into `dist/build/<key>` of this package. The key is a hash of all
 * inputs, so a build is never older than its sources, and an existing build is reused.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const WEB = fileURLToPath(new URL('../web', import.meta.url));
const BUILDS = fileURLToPath(new URL('../dist/build', import.meta.url));
/** The number of builds that are retained. A running process may still need an older build. */
const BUILDS_MAX = 5;
/** The value of `nonce` attributes in the page. `index.ts` replaces it in each response. */
const NONCE_PLACEHOLDER = '__CSP_NONCE__';

/**
 * Builds the console, unless a build of the current sources exists.
 * @returns the folder of the build.
 */
export async function buildConsole(): Promise<string> {
  const target = join(BUILDS, computeKey());
  if (!existsSync(target)) await build(target);
  utimesSync(target, new Date(), new Date());
  deleteOldBuilds(target);
  return target;
}

function computeKey(): string {
  const hash = createHash('sha256');
  const files = [
    fileURLToPath(import.meta.url),
    join(ROOT, 'pnpm-lock.yaml'),
    ...[WEB, join(ROOT, 'packages/client/src')].flatMap(listFiles),
  ];
  for (const file of files) {
    const content = readFileSync(file);
    hash.update(`${relative(ROOT, file)}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex').slice(0, 16);
}

function listFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.test\.tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

async function build(target: string): Promise<void> {
  const vite = await import('vite');
  const folder = `${target}.new.${process.pid}`;
  await vite.build({
    configFile: false,
    root: WEB,
    base: '/console/',
    mode: 'production',
    // By default, NODE_ENV determines these options, and tests set NODE_ENV to `test`.
    define: { 'process.env.NODE_ENV': '"production"' },
    oxc: { jsx: { runtime: 'automatic', development: false } },
    resolve: { conditions: ['module', 'browser', 'production'] },
    logLevel: 'warn',
    html: { cspNonce: NONCE_PLACEHOLDER },
    build: {
      outDir: folder,
      emptyOutDir: false,
      target: 'es2022',
      // Inlined files would be `data:` URLs, which the content security policy forbids.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      manifest: 'manifest.json',
      license: { fileName: 'licenses.md' },
      chunkSizeWarningLimit: 1024,
      rolldownOptions: {
        // The component library marks modules for servers that render components, which do not
        // exist here.
        onLog: (level, log, handle) => {
          if (log.code !== 'MODULE_LEVEL_DIRECTIVE') handle(level, log);
        },
      },
    },
  });
  // Rename the folder last, so that an interrupted build never leaves an incomplete folder.
  try {
    renameSync(folder, target);
  } catch (error) {
    rmSync(folder, { recursive: true });
    // Another process may have created the same build in the meantime.
    if (!existsSync(target)) throw error;
  }
}

/** Deletes the builds that were used least recently. */
function deleteOldBuilds(current: string): void {
  const builds = readdirSync(BUILDS)
    .filter((name) => /^[0-9a-f]{16}$/.test(name))
    .map((name) => join(BUILDS, name))
    .filter((folder) => folder !== current)
    .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  for (const folder of builds.slice(BUILDS_MAX - 1)) rmSync(folder, { recursive: true, force: true });
}
