import { readFileSync } from 'node:fs';

interface PackageManifest {
  readonly version: string;
  readonly engines: { readonly node: string };
}

/** Reads the manifest of the installed release. */
export function readPackageManifest(): PackageManifest {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as PackageManifest;
}

export function readVersion(): string {
  return readPackageManifest().version;
}
