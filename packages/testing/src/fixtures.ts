import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * Reads a Freshdesk response from the fixture file `name`. Fixtures have the structure of real
 * responses, and invented values.
 */
export function readFixture(name: string): string {
  return readFileSync(fileURLToPath(new URL(`../fixtures/freshdesk/${name}.json`, import.meta.url)), 'utf8');
}
