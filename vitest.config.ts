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
          exclude: [...elsewhere, '**/*.db.test.ts', '**/*.e2e.test.ts'],
          testTimeout: 30_000,
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
