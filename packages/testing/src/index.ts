/**
 * Test utilities: a real PostgreSQL server, started once per test run, and an empty database for
 * each test file.
 */
export { findProcessModule } from './bundle.ts';
export { collectGarbage } from './collect-garbage.ts';
export { toComparable } from './comparable.ts';
export { createDatabase, type DatabaseTemplate, type TestDatabase } from './databases.ts';
export { DedicatedServer } from './dedicated-server.ts';
export { readFixture } from './fixtures.ts';
export { waitFor } from './wait-for.ts';
