import { createDatabase, type TestDatabase } from '@freshet/testing';
import { afterAll, beforeEach } from 'vitest';
import { openTestLoader, type TestLoader } from './test-loader.ts';

/**
 * Creates a database with a loader for all tests of a file. Drops the schema before each test, and
 * the database after the last test.
 */
export async function useTestLoader(): Promise<{ readonly database: TestDatabase; readonly loader: TestLoader }> {
  const database = await createDatabase();
  const loader = openTestLoader(database);
  afterAll(async () => {
    await loader[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    await database.sql.unsafe('drop schema if exists acme cascade');
  });
  return { database, loader };
}
