/** Databases for tests: a real PostgreSQL, started once for a run of the suite, and a fresh database for each file. */
export { comparable } from './comparable.ts';
export { createDatabase, type TestDatabase } from './databases.ts';
export { eventually } from './eventually.ts';
export { fixture } from './fixtures.ts';
export { OwnServer } from './server.ts';
