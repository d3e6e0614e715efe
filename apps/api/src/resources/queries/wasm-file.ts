import { createRequire } from 'node:module';

/**
 * Returns the path of the WebAssembly file of PostgreSQL's parser. The bundle replaces this module,
 * because the bundle contains the file.
 */
export function findParserFile(): string {
  return createRequire(import.meta.url).resolve('libpg-query/wasm/libpg-query.wasm');
}
