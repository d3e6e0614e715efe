import { defineConfig } from 'vitest/config';

const notOurs = ['**/node_modules/**', '**/dist/**'];

export default defineConfig({
  test: {
    // Most tests wait for other processes.
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
        // `npm run test:console`; needs Chromium.
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
        // `npm run test:docs`; needs bash, curl and jq.
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
        // `npm run test:upgrade`; needs a checkout of the last release.
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
          // The tests start processes, possibly on a busy machine.
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
