import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Returns the file of a module that runs as a separate process. The sources and the bundle of
 * `scripts/bundle.mjs` have the same layout, and differ only in the extension of their files.
 * @param path the path of the module relative to the calling module, without its extension.
 * @param callerUrl the `import.meta.url` of the calling module.
 */
export function resolveEntryModule(path: string, callerUrl: string): string {
  return fileURLToPath(new URL(`${path}${extname(callerUrl)}`, callerUrl));
}
