import { parseArgs } from 'node:util';
import { type SimulationOptions, simulate } from './simulation.ts';

/**
 * Runs the reading algorithms over many seeds: `node packages/freshdesk-simulator/src/simulate.ts --seeds 100000`.
 * `--way` is keyset, since, lookback or sweep. A seed that loses a record is printed, and replayed by `--from <seed> --seeds 1`. Exit status 1 if there was one.
 */
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100000' },
    from: { type: 'string', default: '1' },
    way: { type: 'string', default: 'keyset' },
    lag: { type: 'string', default: '4' },
  },
});
const way = values.way as SimulationOptions['way'];
const from = Number(values.from);
const seeds = Number(values.seeds);
let lossy = 0;
let overclaiming = 0;
let requests = 0;
for (let seed = from; seed < from + seeds; seed++) {
  const result = await simulate({ seed, way, lagSeconds: seed % 2 === 0 ? Number(values.lag) : 0 });
  requests += result.requests;
  overclaiming += result.overclaimed.length > 0 ? 1 : 0;
  const wrong = [...result.wrong, ...result.overclaimed];
  if (wrong.length > 0) {
    lossy += result.wrong.length > 0 ? 1 : 0;
    console.log(
      `seed ${seed}: ${wrong.length} wrong, such as ${wrong.slice(0, 3).join('; ')}; stopped: ${result.stopped.join() || 'never'}`,
    );
  }
  if ((seed - from + 1) % 5000 === 0) console.error(`${seed - from + 1} seeds, ${lossy} lossy`);
}
console.log(
  `${way}: ${lossy} of ${seeds} seeds lost or kept an old version of a record; in ${overclaiming} a run claimed more than it held; ${requests} requests`,
);
process.exit(lossy + overclaiming === 0 ? 0 : 1);
