import { describe, expect, test } from 'vitest';
import { type SimulationOptions, simulate } from './simulation.ts';

/** Replays a seed: `node packages/freshdesk-simulator/src/simulate.ts --from <seed> --seeds 1 --way <way>`. */
async function lossySeeds(seeds: number, options: Omit<SimulationOptions, 'seed'>) {
  const lossy: string[] = [];
  let stopped = 0;
  for (let seed = 1; seed <= seeds; seed++) {
    const result = await simulate({ ...options, seed });
    stopped += result.errorCodes.length;
    const wrong = [...result.differences, ...result.falseClaims];
    if (wrong.length > 0) lossy.push(`seed ${seed}: ${wrong.slice(0, 3).join('; ')}`);
  }
  return { lossy, stopped };
}

describe('I3: nothing is lost or left stale, whatever changes between two requests, wherever readers are killed', () => {
  test('keyset, over 1,000 seeds', async () => {
    expect(await lossySeeds(1000, { strategy: 'keyset' })).toEqual({ lossy: [], stopped: 0 });
  }, 60_000);

  test('keyset, with changes that show late, over 1,000 seeds', async () => {
    expect(await lossySeeds(1000, { strategy: 'keyset', lagSeconds: 4 })).toEqual({ lossy: [], stopped: 0 });
  }, 60_000);

  test('keyset, with seconds of which neither end of the list reaches the middle, over 40 seeds', async () => {
    expect(await lossySeeds(40, { strategy: 'keyset', pagesMax: 4 })).toEqual({ lossy: [], stopped: 0 });
  }, 60_000);

  test.each(['changed-since', 'lookback', 'full-list'] as const)(
    'a list by page number holds what each run claims, and all of the account at the end: %s, over 75 seeds (I3, I10)',
    async (way) => {
      expect(await lossySeeds(50, { strategy: way })).toEqual({ lossy: [], stopped: 0 });
      expect(await lossySeeds(25, { strategy: way, lagSeconds: 4 })).toEqual({ lossy: [], stopped: 0 });
    },
    120_000,
  );
});

describe('each assumption of the reading, broken: the checker notices, or the reading stops with a clear error', () => {
  test.each([
    ['A3: records of one second keep their order', { quirks: { unstableTies: true } }],
    ['A4: every change sets its own time', { backdatedEdits: true }],
    ['A5: a change shows within the lag that is allowed for', { lagSeconds: 60 }],
  ] as const)('%s', async (_name, broken) => {
    expect((await lossySeeds(40, { strategy: 'keyset', ...broken })).lossy.length).toBeGreaterThan(0);
  });

  test('A1: the filter is inclusive', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const result = await simulate({ seed, strategy: 'keyset', quirks: { exclusiveSince: true } });
      expect(result.errorCodes, `seed ${seed}`).toContain('source_contract');
    }
  });

  test('A2: the list is ordered as asked', async () => {
    const result = await simulate({ seed: 1, strategy: 'keyset', quirks: { ignoresOrder: true } });
    expect(new Set(result.errorCodes)).toEqual(new Set(['source_contract']));
  });
});
