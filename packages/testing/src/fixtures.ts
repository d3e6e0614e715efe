import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** An answer of Freshdesk, by the name of its file: real shapes, invented values. */
export function fixture(name: string): string {
  return readFileSync(fileURLToPath(new URL(`../fixtures/freshdesk/${name}.json`, import.meta.url)), 'utf8');
}
