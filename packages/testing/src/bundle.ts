import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inject } from 'vitest';

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder of the bundled processes. */
    readonly bundle: string;
  }
}

const SCRIPT = fileURLToPath(new URL('../../../scripts/bundle.mjs', import.meta.url));

/**
 * Bundles the processes, unless a bundle of the current sources exists.
 * @returns the folder of the bundle.
 */
export function bundleProcesses(): string {
  const args = ['--disable-warning=ExperimentalWarning', SCRIPT];
  return execFileSync(process.execPath, args, { encoding: 'utf8' }).trim();
}

/**
 * Returns the file of a process, in the bundle of the current sources or in a different release.
 * @param path the path of the module in the repository, without its extension: `apps/api/src/main`.
 * @param folder the folder of the sources of a different release. Absent: the bundle.
 */
export function findProcessModule(path: string, folder?: string): string {
  const file = join(folder ?? inject('bundle'), path);
  return existsSync(`${file}.js`) ? `${file}.js` : `${file}.ts`;
}
