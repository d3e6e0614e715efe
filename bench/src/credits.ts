import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { getObject } from '@freshet/freshdesk-extractor';
import { FreshdeskSimulator } from '@freshet/freshdesk-simulator';
import { BenchDeployment } from './deployment.ts';

/**
 * Measures how efficiently credits are used.
 *
 * 1. During a backlog: the share of the allowed credits that one and four extract workers use, and
 *    the number of throttled requests.
 * 2. After 100 of many tickets have changed: the credits of the next run. The baseline is one
 *    request for the conversations of each changed ticket.
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
  console.log(await measureBacklog(workers, Number(values.minutes)));
console.log(await measureIncrement(Number(values.tickets)));

async function measureBacklog(workers: number, minutes: number): Promise<string> {
  const simulator = new FreshdeskSimulator({ seed: 1, counts: { tickets: 20_000 }, spanDays: 300, plan: 'enterprise' });
  const origin = await simulator.listen();
  const cleanups = [() => simulator.close()];
  await using deployment = await BenchDeployment.start(origin, cleanups);
  const pipeline = await deployment.createPipeline({ objects: ['tickets', 'conversations'], sharePercent: SHARE });
  for (let n = 0; n < workers; n++) deployment.startWorker('extract-worker');
  deployment.startWorker('load-worker');
  const runId = await deployment.startRun(pipeline);
  const getCreditsUsed = () => simulator.limits.creditsUsed;
  while (getCreditsUsed() === 0) await sleep(10);
  // Stop just before the end of the last rate limit window. Each window is one minute long, and the
  // first window began with the first request.
  await sleep(minutes * 60_000 - 500);
  const credits = getCreditsUsed();
  if ((await deployment.store.runs.get(runId)).finished_at !== null)
    throw new Error('The backlog was processed before the measurement ended. Use fewer minutes or more tickets.');
  const allowed = minutes * Math.floor((PLAN_CREDITS * SHARE) / 100);
  return (
    `${workers} extract ${workers === 1 ? 'worker ' : 'workers'}: used ${credits} of the ${allowed} credits that the share allows in ${minutes} minutes ` +
    `(${((credits / allowed) * 100).toFixed(1)} %), ${simulator.limits.rejectedRequests} requests throttled`
  );
}

async function measureIncrement(tickets: number): Promise<string> {
  const simulator = new FreshdeskSimulator({
    seed: 1,
    counts: { tickets, conversations: 1 },
    spanDays: 300,
    asOf: new Date(Date.now() - 3_600_000),
  });
  const origin = await simulator.listen();
  const cleanups = [() => simulator.close()];
  await using deployment = await BenchDeployment.start(origin, cleanups);
  const pipeline = await deployment.createPipeline({ objects: ['tickets', 'conversations'] });
  deployment.startWorker('extract-worker');
  deployment.startWorker('load-worker');
  const runAndGetCredits = async () => {
    const run = await deployment.waitForRun(await deployment.startRun(pipeline));
    return Object.fromEntries(run.objects.map((o) => [o.object, o.credits_used]));
  };
  const first = await runAndGetCredits();
  const unchanged = await runAndGetCredits();
  const list = simulator.account.getList(getObject('tickets'));
  let changed = 0;
  for (let n = 0; changed < 100; n += 97) {
    if (list.getView(n) !== 0) continue;
    simulator.account.update('tickets', list.getKey(n), { subject: `changed ${n}` });
    changed++;
  }
  const next = await runAndGetCredits();
  const sum = (credits: Record<string, number>) => Object.values(credits).reduce((a, b) => a + b, 0);
  return (
    `${tickets.toLocaleString('en-US')} tickets: first run ${sum(first).toLocaleString('en-US')} credits; run without changes ${sum(unchanged)}; ` +
    `run after changes to ${changed} tickets ${sum(next)} (${next['conversations']} for their conversations, ${sum(next) - changed} other)`
  );
}
