#!/usr/bin/env node
/**
 * Bundles the processes of Freshet into `dist/<key>`, and prints the path of this folder. The key
 * is a hash of all files that the bundle is made from, so a bundle is never older than the sources.
 * If the folder exists already, nothing is bundled.
 *
 * The folder has the layout of the sources: the bundle of `apps/api/src/main.ts` is
 * `apps/api/src/main.js`, and the files that the processes read are at the same relative paths. The
 * folder is complete, so it can be copied to a machine that has only Node.
 *
 * Usage: node scripts/bundle.mjs [folder]   (default: dist/<key>)
 */
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findPackages, formatLicenses } from './licenses.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const DIST = join(ROOT, 'dist');
/** The number of bundles that are retained. A running process may still need an older bundle. */
const BUNDLES_MAX = 10;

/** The modules that Node starts, without the extension. */
const ENTRIES = [
  'apps/api/src/main',
  'apps/api/src/resources/queries/checker-worker',
  'apps/api/src/rotate-keys',
  'apps/extract-worker/src/main',
  'apps/freshet/src/main',
  'apps/load-worker/src/main',
  'apps/scheduler/src/main',
  'apps/standalone/src/main',
  'packages/freshdesk-simulator/src/main',
  'packages/runtime/src/postgres-supervisor',
];
/** The name of the files that contain the dependencies. */
const VENDOR = 'vendor';
/** The folders and files that the processes read at run time. */
const ASSETS = [
  'apps/freshet/package.json',
  'packages/control-store/migrations',
  'packages/analytics/reports',
  'integrations/dbt/models',
];
/** The file with the licenses of the bundled dependencies, except those of the console. */
const LICENSES = 'licenses.txt';

/**
 * Returns the folder of the bundle that belongs to the present files. The folder may not exist.
 * @param {string} root the folder of the repository.
 */
export function findBundle(root = ROOT) {
  const hash = createHash('sha256');
  for (const file of listInputs(root)) {
    const content = readFileSync(file);
    hash.update(`${relative(root, file)}\0${content.length}\0`).update(content);
  }
  return join(root, 'dist', hash.digest('hex').slice(0, 16));
}

function listInputs(root) {
  const workspaces = ['apps', 'packages'].flatMap((parent) =>
    readdirSync(join(root, parent), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => join(root, parent, name))
      .sort(),
  );
  const folders = workspaces.flatMap((folder) =>
    ['src', 'web', 'migrations', 'reports'].map((name) => join(folder, name)),
  );
  return [
    join(root, 'scripts/bundle.mjs'),
    join(root, 'scripts/licenses.mjs'),
    join(root, 'pnpm-lock.yaml'),
    ...workspaces.map((folder) => join(folder, 'package.json')),
    ...folders.flatMap((folder) => listFiles(folder)),
    ...listFiles(join(root, 'integrations/dbt/models')),
  ].filter((file) => existsSync(file));
}

function listFiles(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/\.test\.tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .filter((file) => !file.includes(`${sep}test-support${sep}`))
    .sort();
}

/** The folder of the module that finds PostgreSQL's parser, which is a WebAssembly file. */
const PARSER_FOLDER = 'apps/api/src/resources/queries';
const PARSER_FILE = 'libpg-query.wasm';

/** Bundles all entries into a new folder. */
async function bundle(target) {
  const { rolldown } = await import('rolldown');
  const folder = `${target}.new.${process.pid}`;
  const build = await rolldown({
    input: Object.fromEntries(ENTRIES.map((entry) => [entry.replaceAll('/', '-'), join(ROOT, `${entry}.ts`)])),
    platform: 'node',
    tsconfig: false,
    // `pg` loads this module only on request.
    external: ['pg-native'],
    plugins: [sourceUrls(), consoleFolder(), parserFile(), httpModule(), loggerCaller()],
  });
  const { output } = await build.write({
    dir: folder,
    format: 'esm',
    sourcemap: true,
    entryFileNames: '[name].js',
    chunkFileNames: '[name]-[hash].js',
    codeSplitting: { groups: [{ name: VENDOR, test: /node_modules/, entriesAware: true }] },
  });
  await build.close();
  const modules = output.flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []));
  writeFileSync(join(folder, LICENSES), formatLicenses(findPackages(modules)));
  trimSourceMaps(folder);
  for (const entry of ENTRIES) writeEntry(folder, entry);
  const { buildConsole } = await import(join(ROOT, 'packages/console/src/build.ts'));
  cpSync(await buildConsole(), join(folder, 'packages/console/web'), { recursive: true });
  const { resolve: resolveFromApi } = createRequire(join(ROOT, 'apps/api/package.json'));
  cpSync(resolveFromApi(`libpg-query/wasm/${PARSER_FILE}`), join(folder, PARSER_FOLDER, PARSER_FILE));
  for (const asset of ASSETS) cpSync(join(ROOT, asset), join(folder, asset), { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n');
  // Rename the folder last, so that an interrupted run never leaves an incomplete bundle.
  try {
    renameSync(folder, target);
  } catch (error) {
    rmSync(folder, { recursive: true });
    // Another process made the same bundle in the meantime.
    if (!existsSync(target)) throw error;
  }
}

/**
 * Makes the source maps small, because Node reads the maps of all modules when a process starts.
 * Stack traces need only the positions of this repository's own code.
 */
function trimSourceMaps(folder) {
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.map'))) {
    const file = join(folder, name);
    if (name.startsWith(VENDOR)) {
      const code = file.slice(0, -'.map'.length);
      writeFileSync(code, readFileSync(code, 'utf8').replace(/\/\/# sourceMappingURL=.*\n?$/, ''));
      rmSync(file);
    } else {
      const { sourcesContent: _, ...map } = JSON.parse(readFileSync(file, 'utf8'));
      // The paths are correct in `dist/<key>`. They do not depend on the folder of the bundle, so
      // that two builds produce the same files.
      const sources = map.sources.map((source) => relative(DIST, resolve(folder, source)).replaceAll(sep, '/'));
      writeFileSync(file, JSON.stringify({ ...map, sources: sources.map((source) => `../${source}`) }));
    }
  }
}

/**
 * Writes a module that runs the bundle of an entry with Node's compile cache, so that a later start
 * does not compile the code again.
 */
function writeEntry(folder, entry) {
  const file = join(folder, `${entry}.js`);
  const up = '../'.repeat(entry.split('/').length - 1);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(
    file,
    `import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
enableCompileCache(fileURLToPath(new URL('${up}.compile-cache', import.meta.url)));
await import('${up}${entry.replaceAll('/', '-')}.js');
`,
  );
}

/**
 * Gets `node:http` without an import statement. An import statement evaluates all exports of a
 * module, and one of them loads Node's internal HTTP client, which takes longer than an empty
 * process.
 */
function httpModule() {
  const id = '\0http';
  const lazyNames = new Set(['WebSocket', 'CloseEvent', 'MessageEvent']);
  const names = Object.keys(process.getBuiltinModule('node:http')).filter(
    (name) => name !== 'default' && !lazyNames.has(name),
  );
  return {
    name: 'http-module',
    resolveId: (source, _importer, { kind }) =>
      kind === 'import-statement' && (source === 'node:http' || source === 'http') ? id : null,
    load: (source) =>
      source === id
        ? `const http = process.getBuiltinModule('node:http');
export default http;
export const { ${names.join(', ')} } = http;`
        : null,
  };
}

/**
 * Replaces the module that Pino uses to find the files that call it. Node would parse source maps
 * at each start to find these files, and Pino needs them only for transports, which Freshet does
 * not use.
 */
function loggerCaller() {
  return {
    name: 'logger-caller',
    load: (id) => (/[\\/]pino[\\/]lib[\\/]caller\.js$/.test(id) ? 'module.exports = () => [];' : null),
  };
}

/**
 * Replaces `import.meta.url` in the modules of this repository by the URL of the module's place in
 * the layout of the bundle, because the code of all modules is in the top folder.
 */
function sourceUrls() {
  return {
    name: 'source-urls',
    transform(code, id) {
      if (id.includes('node_modules') || !id.startsWith(ROOT) || !code.includes('import.meta.url')) return null;
      const path = relative(ROOT, id).replaceAll(sep, '/').replace(/\.ts$/, '.js');
      return { code: code.replaceAll('import.meta.url', `new URL('${path}', import.meta.url).href`), map: null };
    },
  };
}

/** Replaces the module that builds the console, because the bundle contains the built files. */
function consoleFolder() {
  const module = join(ROOT, 'packages/console/src/folder.ts');
  return {
    name: 'console-folder',
    load(id) {
      if (id !== module) return null;
      return `import { fileURLToPath } from 'node:url';
export const findConsole = async () => fileURLToPath(new URL('../web', import.meta.url));`;
    },
  };
}

/** Replaces the module that finds PostgreSQL's parser, because the bundle contains the file. */
function parserFile() {
  const module = join(ROOT, PARSER_FOLDER, 'wasm-file.ts');
  return {
    name: 'parser-file',
    load(id) {
      if (id !== module) return null;
      return `import { fileURLToPath } from 'node:url';
export const findParserFile = () => fileURLToPath(new URL('./${PARSER_FILE}', import.meta.url));`;
    },
    transform(code, id) {
      // The module reads the folder of its file, but does not use the folder to find its program.
      return id.endsWith('libpg-query/wasm/libpg-query.js') ? { code: `var __dirname = '';${code}`, map: null } : null;
    },
  };
}

/** Deletes the bundles that were used least recently. */
function deleteOldBundles(current) {
  const bundles = readdirSync(DIST)
    .map((name) => join(DIST, name))
    .filter((folder) => folder !== current && existsSync(join(folder, 'package.json')))
    .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  for (const folder of bundles.slice(BUNDLES_MAX - 1)) rmSync(folder, { recursive: true, force: true });
}

if (fileURLToPath(import.meta.url) === resolve(process.argv[1] ?? '')) {
  const [requested] = process.argv.slice(2);
  const target = requested === undefined ? findBundle() : resolve(requested);
  if (requested !== undefined || !existsSync(target)) await bundle(target);
  utimesSync(target, new Date(), new Date());
  if (requested === undefined) deleteOldBundles(target);
  process.stdout.write(`${target}\n`);
}
