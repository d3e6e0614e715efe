import type { EmbeddedPostgresOptions } from '@freshet/runtime/embedded-postgres';

/** Which release of PostgreSQL the tests run on: the one that Freshet brings, or the one of `FRESHET_TEST_POSTGRES`, such as `14`. */
export function testedPostgres(): Pick<EmbeddedPostgresOptions, 'from' | 'wrapper'> {
  const major = process.env['FRESHET_TEST_POSTGRES'];
  if (major === undefined) return { from: import.meta.url };
  return { from: new URL('../servers/package.json', import.meta.url).href, wrapper: `postgres-${major}` };
}
