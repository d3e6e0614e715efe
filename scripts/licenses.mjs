/** Collects the licenses of the packages that a bundle contains. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const LICENSE_FILE = /^(?:licen[cs]e|copying|notice)(?:[.-].*)?$/i;

/**
 * @param {readonly string[]} modules the paths of bundled modules.
 * @returns {string[]} the folders of the packages that contain the modules.
 */
export function findPackages(modules) {
  const folders = modules.flatMap((module) => {
    const match = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(module.replace(/^\0/, ''));
    return match === null ? [] : [match[1]];
  });
  return [...new Set(folders)];
}

/**
 * Returns the folders of a package and of all of its dependencies that are installed.
 * @param {string} folder the folder of the dependent package.
 * @param {string} name the name of the package.
 */
export function findDependencies(folder, name, found = new Set()) {
  const root = resolvePackage(folder, name);
  if (root === null || found.has(root)) return [...found];
  found.add(root);
  const { dependencies = {} } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  for (const dependency of Object.keys(dependencies)) findDependencies(root, dependency, found);
  return [...found];
}

function resolvePackage(folder, name) {
  const paths = createRequire(join(folder, 'package.json')).resolve.paths(name) ?? [];
  const root = paths.map((path) => join(path, name)).find((path) => existsSync(join(path, 'package.json')));
  return root ?? null;
}

/**
 * Returns the name, the version, the license and the license texts of packages.
 * @param {readonly string[]} folders the folders of the packages.
 */
export function formatLicenses(folders) {
  const entries = new Map(
    folders.map((folder) => {
      const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      const texts = readdirSync(folder)
        .filter((file) => LICENSE_FILE.test(file))
        .sort()
        .map((file) => readFileSync(join(folder, file), 'utf8').trim());
      return [`${name} ${version}`, `${name} ${version} (${license})\n\n${texts.join('\n\n')}`.trim()];
    }),
  );
  const sorted = [...entries].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, text]) => text);
  return `${sorted.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`;
}
