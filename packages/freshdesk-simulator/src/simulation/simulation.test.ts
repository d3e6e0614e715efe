import { describe, expect, test } from 'vitest';
import { type SimulationOptions, simulate } from './simulation.ts';

/** The first seeds of the groups into which 1,000 seeds are divided, so that each test is short. */
const GROUPS = [1, 251, 501, 751];

/**
 * Runs the simulation with `seeds` consecutive seeds. To run a single seed, use `node
 * packages/freshdesk-simulator/src/simulate.ts --from <seed> --seeds 1 --strategy <strategy>`,
 * which simulates a lag of up to 4 seconds for an even seed, and no lag for an odd seed.
 */
async function simulateSeeds(seeds: number, options: Omit<SimulationOptions, 'seed'>, firstSeed = 1) {
  const failures: string[] = [];
  let errors = 0;
  for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
    const result = await simulate({ ...options, seed });
    errors += result.errorCodes.length;
    const problems = [...result.differences, ...result.falseClaims];
    if (problems.length > 0) failures.push(`seed ${seed}: ${problems.slice(0, 3).join('; ')}`);
  }
  return { failures, errors };
}

describe('extraction that is killed at random pages, while the account changes between requests', () => {
  test.each(GROUPS)(
    'the keyset strategy loses no record in the 250 seeds from %i (I3)',
    async (firstSeed) => {
      expect(await simulateSeeds(250, { strategy: 'keyset' }, firstSeed)).toEqual({ failures: [], errors: 0 });
    },
    60_000,
  );

  test.each(GROUPS)(
    'the keyset strategy loses no record in the 250 seeds from %i if changes become visible after a delay (I3)',
    async (firstSeed) => {
      const result = await simulateSeeds(250, { strategy: 'keyset', lagSeconds: 4 }, firstSeed);
      expect(result).toEqual({ failures: [], errors: 0 });
    },
    60_000,
  );

  test('the keyset strategy loses no record in 40 seeds if a list has too few pages to reach all records of one second (I3)', async () => {
    expect(await simulateSeeds(40, { strategy: 'keyset', pagesMax: 4 })).toEqual({ failures: [], errors: 0 });
  }, 60_000);

  test.each(['changed-since', 'lookback', 'full-list'] as const)(
    'with the %s strategy, the rows match the account within the coverage of each run, and completely at the end, in 75 seeds (I3, I10)',
    async (strategy) => {
      expect(await simulateSeeds(50, { strategy })).toEqual({ failures: [], errors: 0 });
      expect(await simulateSeeds(25, { strategy, lagSeconds: 4 })).toEqual({ failures: [], errors: 0 });
    },
    120_000,
  );
});

describe('an account that violates an assumption of the keyset strategy', () => {
  test.each([
    ['records with equal timestamps do not keep their order (A3)', { quirks: { unstableTies: true } }],
    ['a change sets an earlier timestamp (A4)', { backdatedEdits: true }],
    ['a change becomes visible after the allowed lag (A5)', { lagSeconds: 60 }],
  ] as const)('the simulation reports failures if %s', async (_name, violation) => {
    const { failures } = await simulateSeeds(40, { strategy: 'keyset', ...violation });
    expect(failures.length).toBeGreaterThan(0);
  });

  test('extraction fails with source_contract if the changed-since filter is not inclusive (A1)', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const result = await simulate({ seed, strategy: 'keyset', quirks: { exclusiveSince: true } });
      expect(result.errorCodes, `seed ${seed}`).toContain('source_contract');
    }
  });

  test('extraction fails with source_contract if the list ignores the requested order (A2)', async () => {
    const result = await simulate({ seed: 1, strategy: 'keyset', quirks: { ignoresOrder: true } });
    expect(new Set(result.errorCodes)).toEqual(new Set(['source_contract']));
  });
});
