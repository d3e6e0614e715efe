/**
 * The files of unit and database tests that take the longest, because they cover many seeds,
 * histories or operations. `npm run test:fast` excludes these files. `npm test` runs them first.
 */
export const EXHAUSTIVE_TESTS = [
  'simulation.test.ts',
  'keyset.test.ts',
  'daily-export.test.ts',
  'operations.db.test.ts',
  'truth.db.test.ts',
  'missing-sources.db.test.ts',
  'incremental.db.test.ts',
  'warehouses.db.test.ts',
  'queries.db.test.ts',
  'column-names.db.test.ts',
  'random.db.test.ts',
];
