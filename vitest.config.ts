import { defineConfig } from 'vitest/config';

const elsewhere = ['**/node_modules/**', '**/dist/**'];

export default defineConfig({
  test: {
    // Most of what the tests wait for runs in other processes.
    maxWorkers: '100%',
    reporters: ['default', './scripts/closing-line.ts'],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{apps,packages}/*/src/**/*.test.ts'],
          exclude: [...elsewhere, '**/*.{db,e2e,browser,release}.test.ts'],
          testTimeout: 30_000,
        },
      },
      {
        // Needs a browser, which `npm test` does not: `npm run test:console`.
        test: {
          name: 'browser',
          include: ['{apps,packages}/*/src/**/*.browser.test.ts'],
          exclude: elsewhere,
          globalSetup: './packages/testing/src/global-setup.ts',
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        // Needs a checkout of the last release: `npm run test:upgrade`.
        test: {
          name: 'release',
          include: ['apps/standalone/src/**/*.release.test.ts'],
          exclude: elsewhere,
          globalSetup: './packages/testing/src/global-setup.ts',
          testTimeout: 240_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'db',
          include: ['{apps,packages}/*/src/**/*.{db,e2e}.test.ts'],
          exclude: elsewhere,
          globalSetup: './packages/testing/src/global-setup.ts',
          // Real processes on a machine that may be busy with other things.
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
