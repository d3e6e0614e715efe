import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { objectNamed } from '@freshet/freshdesk-extractor';
import { FreshdeskSimulator } from '@freshet/freshdesk-simulator';
import { Lab } from './lab.ts';

/**
 * How well credits are spent.
 *
 * 1. A backlog that lasts: of the credits that the pipeline's share allows in so many minutes, how many were used, with one
 *    and with four extract workers; and whether the account refused a call.
 * 2. An account of many tickets, of which 100 have changed: what the next run costs beside one call for the conversations of
 *    each.
 */
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    tickets: { type: 'string', default: '100000' },
    workers: { type: 'string', default: '1,4' },
  },
});
const SHARE = 80;
const PLAN_CREDITS = 700;

for (const workers of values.workers.split(',').map(Number))
  console.log(await backlog(workers, Number(values.minutes)));
console.log(await increment(Number(values.tickets)));

async function backlog(workers: number, minutes: number): Promise<string> {
  const simulator = new FreshdeskSimulator({ seed: 1, counts: { tickets: 20_000 }, spanDays: 300, plan: 'enterprise' });
  const origin = await simulator.listen();
  const cleanups = [() => simulator.close()];
  await using lab = await Lab.open(origin, cleanups);
  const pipeline = await lab.pipeline({ objects: ['tickets', 'conversations'], sharePercent: SHARE });
  for (let n = 0; n < workers; n++) lab.worker('extract-worker');
  lab.worker('load-worker');
  const runId = await lab.startRun(pipeline);
  const used = () => simulator.limits.creditsUsed;
  while (used() === 0) await sleep(10);
  // The last moment of the last window, which began with the first call.
  await sleep(minutes * 60_000 - 500);
  const credits = used();
  if ((await lab.store.runs.get(runId)).finished_at !== null) throw new Error('The backlog did not last.');
  const allowed = minutes * Math.floor((PLAN_CREDITS * SHARE) / 100);
  return (
    `${workers} extract ${workers === 1 ? 'worker ' : 'workers'}: ${credits} of ${allowed} credits that the share allows in ${minutes} minutes were used ` +
    `(${((credits / allowed) * 100).toFixed(1)} %), ${simulator.limits.refused} calls refused`
  );
}

async function increment(tickets: number): Promise<string> {
  const simulator = new FreshdeskSimulator({
    seed: 1,
    counts: { tickets, conversations: 1 },
    spanDays: 300,
    asOf: new Date(Date.now() - 3_600_000),
  });
  const origin = await simulator.listen();
  const cleanups = [() => simulator.close()];
  await using lab = await Lab.open(origin, cleanups);
  const pipeline = await lab.pipeline({ objects: ['tickets', 'conversations'] });
  lab.worker('extract-worker');
  lab.worker('load-worker');
  const creditsOf = async () => {
    const run = await lab.finished(await lab.startRun(pipeline));
    return Object.fromEntries(run.objects.map((o) => [o.object, o.credits_used]));
  };
  const first = await creditsOf();
  const rest = await creditsOf();
  const list = simulator.account.listOf(objectNamed('tickets'));
  let changed = 0;
  for (let n = 0; changed < 100; n += 97) {
    if (list.viewOf(n) !== 0) continue;
    simulator.account.update('tickets', list.keyOf(n), { subject: `changed ${n}` });
    changed++;
  }
  const next = await creditsOf();
  const sum = (of: Record<string, number>) => Object.values(of).reduce((a, b) => a + b, 0);
  return (
    `${tickets.toLocaleString('en-US')} tickets: the first run cost ${sum(first).toLocaleString('en-US')} credits; one at rest ${sum(rest)}; ` +
    `one after ${changed} changed tickets ${sum(next)} (${next['conversations']} for their conversations, ${sum(next) - changed} beside them)`
  );
}
