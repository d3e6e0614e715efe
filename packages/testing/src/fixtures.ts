import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * Returns the content of the fixture file `<name>.json`. Most fixtures are response bodies. They
 * have the structure of real responses, and invented values.
 */
export function readFixture(name: string): string {
  return readFileSync(fileURLToPath(new URL(`../fixtures/freshdesk/${name}.json`, import.meta.url)), 'utf8');
}
