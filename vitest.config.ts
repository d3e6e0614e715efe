import { defineConfig } from 'vitest/config';

const notOurs = ['**/node_modules/**', '**/dist/**'];

export default defineConfig({
  test: {
    // Use all cores, because most tests wait for other processes.
    maxWorkers: '100%',
    reporters: ['default', './scripts/closing-line.ts'],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{apps,packages}/*/src/**/*.test.ts'],
          exclude: [...notOurs, '**/*.{db,e2e,browser,docs,release}.test.ts'],
          testTimeout: 30_000,
        },
      },
      {
        // `npm run test:console`. Requires Chromium.
        test: {
          name: 'browser',
          include: ['{apps,packages}/*/src/**/*.browser.test.ts'],
          exclude: notOurs,
          globalSetup: './packages/testing/src/global-setup.ts',
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        // `npm run test:docs`. Requires bash, curl and jq.
        test: {
          name: 'docs',
          include: ['apps/standalone/src/**/*.docs.test.ts'],
          exclude: notOurs,
          globalSetup: './packages/testing/src/global-setup.ts',
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        // `npm run test:upgrade`. Requires a checkout of the last release.
        test: {
          name: 'release',
          include: ['apps/standalone/src/**/*.release.test.ts'],
          exclude: notOurs,
          globalSetup: './packages/testing/src/global-setup.ts',
          testTimeout: 240_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'db',
          include: ['{apps,packages}/*/src/**/*.{db,e2e}.test.ts'],
          exclude: notOurs,
          globalSetup: './packages/testing/src/global-setup.ts',
          // The tests start processes, and the machine may be busy.
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
