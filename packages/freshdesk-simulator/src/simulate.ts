import { parseArgs } from 'node:util';
import { type SimulationOptions, simulate } from './simulation/simulation.ts';

/**
 * Runs the simulation over many seeds: `node packages/freshdesk-simulator/src/simulate.ts --seeds
 * 100000`.
 *
 * `--strategy` is `keyset` (default), `changed-since`, `lookback` or `full-list`. `--from <seed>
 * --seeds 1` reproduces a reported seed. The exit status is 1 if any seed failed.
 */
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100000' },
    from: { type: 'string', default: '1' },
    strategy: { type: 'string', default: 'keyset' },
    lag: { type: 'string', default: '4' },
  },
});
const strategy = values.strategy as SimulationOptions['strategy'];
const from = Number(values.from);
const seeds = Number(values.seeds);
let withDifferences = 0;
let withFalseClaims = 0;
let requests = 0;
for (let seed = from; seed < from + seeds; seed++) {
  const result = await simulate({ seed, strategy, lagSeconds: seed % 2 === 0 ? Number(values.lag) : 0 });
  requests += result.requests;
  if (result.differences.length > 0) withDifferences++;
  if (result.falseClaims.length > 0) withFalseClaims++;
  const problems = [...result.differences, ...result.falseClaims];
  if (problems.length > 0) {
    const errors = result.errorCodes.join(', ') || 'none';
    console.log(`seed ${seed}: ${problems.length} differences (${problems.slice(0, 3).join('; ')}); errors: ${errors}`);
  }
  if ((seed - from + 1) % 5000 === 0) console.error(`${seed - from + 1} seeds, ${withDifferences} with differences`);
}
console.log(
  `${strategy}: ${seeds} seeds and ${requests} requests; ${withDifferences} seeds with missing or stale records, ${withFalseClaims} seeds with false coverage`,
);
process.exit(withDifferences + withFalseClaims === 0 ? 0 : 1);
