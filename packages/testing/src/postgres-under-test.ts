import type { EmbeddedPostgresOptions } from '@freshet/runtime/embedded-postgres';

/**
 * Returns the PostgreSQL release for the tests: the bundled one, or the major version in
 * `FRESHET_TEST_POSTGRES`.
 */
export function getPostgresUnderTest(): Pick<EmbeddedPostgresOptions, 'resolveFrom' | 'packageName'> {
  const major = process.env['FRESHET_TEST_POSTGRES'];
  if (major === undefined) return { resolveFrom: import.meta.url };
  return { resolveFrom: new URL('../servers/package.json', import.meta.url).href, packageName: `postgres-${major}` };
}
