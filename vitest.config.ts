import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { EXHAUSTIVE_TESTS } from './scripts/exhaustive-tests.mjs';
import LongFilesFirst from './scripts/long-files-first.ts';

const notOurs = ['**/node_modules/**', '**/dist/**'];
const leftOut = process.env['FRESHET_TEST_FAST'] === '1' ? EXHAUSTIVE_TESTS.map((file) => `**/${file}`) : [];

/** Tests that use a real PostgreSQL, and partly real processes. */
const withServer = {
  exclude: notOurs,
  globalSetup: './packages/testing/src/global-setup.ts',
  // The tests start processes, and the machine may be busy.
  testTimeout: 120_000,
  hookTimeout: 120_000,
};

export default defineConfig({
  test: {
    // More workers than cores, because many tests wait for other processes. Vitest limits a
    // percentage to the number of cores.
    maxWorkers: availableParallelism() + 2,
    // The files share imported modules. Most files import hundreds of modules, which takes longer
    // than the tests of the file.
    isolate: false,
    sequence: { sequencer: LongFilesFirst },
    reporters: ['default', './scripts/closing-line.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['{apps,packages}/*/src/**/*.test.ts', 'packages/console/web/**/*.test.ts'],
          exclude: [...notOurs, ...leftOut, '**/*.{db,e2e,browser,dbt,docs,release}.test.ts'],
          testTimeout: 30_000,
        },
      },
      {
        extends: true,
        test: {
          ...withServer,
          name: 'db',
          include: ['{apps,packages}/*/src/**/*.db.test.ts'],
          exclude: [...notOurs, ...leftOut],
        },
      },
      {
        extends: true,
        test: { ...withServer, name: 'e2e', include: ['{apps,packages}/*/src/**/*.e2e.test.ts'] },
      },
      {
        // `npm run test:console`. Requires Chromium.
        extends: true,
        test: { ...withServer, name: 'browser', include: ['{apps,packages}/*/src/**/*.browser.test.ts'] },
      },
      {
        // `npm run test:docs`. Requires bash, curl and jq.
        extends: true,
        test: { ...withServer, name: 'docs', include: ['apps/standalone/src/**/*.docs.test.ts'] },
      },
      {
        // `npm run test:dbt`. Requires Python 3.
        extends: true,
        test: {
          ...withServer,
          name: 'dbt',
          include: ['apps/standalone/src/**/*.dbt.test.ts'],
          testTimeout: 300_000,
        },
      },
      {
        // `npm run test:upgrade`. Requires a checkout of the last release.
        extends: true,
        test: {
          ...withServer,
          name: 'release',
          include: ['apps/standalone/src/**/*.release.test.ts'],
          testTimeout: 240_000,
        },
      },
    ],
  },
});
