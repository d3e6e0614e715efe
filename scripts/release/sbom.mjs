/**
 * The software bill of materials: all packages that the processes depend on, as a CycloneDX
 * document.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

/** The packages of the processes. */
const ROOTS = ['api', 'extract-worker', 'freshet', 'load-worker', 'scheduler', 'standalone'];

/**
 * Converts the document of pnpm: removes the packages that only tests use, and replaces values that
 * differ between two runs.
 * @param {string} root the folder of the repository.
 * @param {{ version: string, time: Date }} options
 */
export function createSbom(root, { version, time }) {
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const args = ['sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'application', '--prod', '--lockfile-only'];
  const output = execFileSync('npx', ['--yes', packageManager, ...args], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  const document = JSON.parse(output);
  const edges = new Map(document.dependencies.map(({ ref, dependsOn = [] }) => [ref, dependsOn]));
  // In the document of pnpm, the packages of the workspace lack some dependencies in some runs.
  for (const [ref, dependsOn] of listWorkspaceDependencies(root)) edges.set(ref, dependsOn);
  const application = document.metadata.component['bom-ref'];
  const roots = ROOTS.map((name) => toReference(`@freshet/${name}`, version));
  // The document of pnpm has no components for the apps, so the application has their dependencies.
  const direct = new Set(roots.flatMap((ref) => edges.get(ref)).filter((ref) => !roots.includes(ref)));
  edges.set(application, [...direct]);
  const used = findReachable(application, edges);
  document.components = document.components
    .filter((component) => used.has(component['bom-ref']))
    .sort((a, b) => compare(a['bom-ref'], b['bom-ref']));
  document.dependencies = [...used]
    .sort(compare)
    .map((ref) => ({ ref, dependsOn: edges.get(ref)?.toSorted(compare) ?? [] }));
  document.serialNumber = toUuid(createHash('sha256').update(JSON.stringify(document.components)).digest('hex'));
  document.metadata.timestamp = time.toISOString();
  document.metadata.component.version = version;
  return document;
}

/** @returns the reference and the dependencies of each package of the workspace. */
function listWorkspaceDependencies(root) {
  const { importers } = parse(readFileSync(join(root, 'pnpm-lock.yaml'), 'utf8'));
  const readManifest = (folder) => JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
  return Object.entries(importers).map(([folder, { dependencies = {}, optionalDependencies = {} }]) => {
    const { name, version } = readManifest(folder);
    const references = Object.entries({ ...dependencies, ...optionalDependencies }).map(
      ([dependency, { version: locked }]) =>
        locked.startsWith('link:')
          ? toReference(dependency, readManifest(join(folder, locked.slice('link:'.length))).version)
          : toReference(dependency, locked.split('(')[0]),
    );
    return [toReference(name, version), references];
  });
}

function findReachable(start, edges) {
  const found = new Set([start]);
  for (const ref of found) for (const next of edges.get(ref) ?? []) found.add(next);
  return found;
}

/** The package URL of an npm package. */
function toReference(name, version) {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`;
}

function compare(a, b) {
  return a < b ? -1 : Number(a > b);
}

/** Formats the start of a hash as a UUID of version 8 (RFC 9562). */
function toUuid(hash) {
  const hex = `${hash.slice(0, 12)}8${hash.slice(13, 16)}8${hash.slice(17, 32)}`;
  return `urn:uuid:${hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')}`;
}
