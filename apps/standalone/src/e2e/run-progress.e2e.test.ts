import type { Run } from '@freshet/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Deployment } from '../test-support/deployment.ts';

/** The account returns its lists slowly, so that the test observes several states of the run. */
const LATENCY_MS = 400;
let deployment: Deployment;
let states: readonly Run[] = [];

beforeAll(async () => {
  deployment = await Deployment.start({
    counts: { tickets: 1500, contacts: 900, companies: 250 },
    plan: 'demo',
    spanDays: 300,
    intercept: async ({ path }) => {
      if (['/api/v2/tickets', '/api/v2/contacts'].includes(path))
        await new Promise((resolve) => setTimeout(resolve, LATENCY_MS));
      return false;
    },
  });
  const { id } = await deployment.startRun(await deployment.createPipeline('demo-admin-key', null));
  const received: Run[] = [];
  const response = await fetch(`${deployment.url}/v1/runs/${id}/events`, {
    headers: { authorization: `Bearer ${deployment.token}` },
  });
  let text = '';
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    text += Buffer.from(chunk).toString();
    const events = text.split('\n\n');
    text = events.pop() ?? '';
    for (const event of events) {
      const data = /^data: (.*)$/m.exec(event)?.[1];
      if (data) received.push(JSON.parse(data) as Run);
    }
  }
  states = received;
});
afterAll(() => deployment[Symbol.asyncDispose]());

const isNonDecreasing = (values: readonly (number | null)[]) => {
  const known = values.filter((value) => value !== null);
  return known.every((value, i) => i === 0 || value >= (known[i - 1] as number));
};

test('the progress of a run is known before the end of the run, never decreases, and is 1 only at the end', () => {
  const last = states.at(-1) as Run;
  expect(last).toMatchObject({ status: 'succeeded', progress: 1, estimated_finished_at: null });
  const before = states.slice(0, -1);
  expect(before.some(({ progress }) => progress !== null && progress > 0.05 && progress < 0.95)).toBe(true);
  expect(before.every(({ progress }) => progress === null || progress < 1)).toBe(true);
  expect(isNonDecreasing(states.map(({ progress }) => progress))).toBe(true);
});

test.each([
  ['tickets', 2],
  ['conversations', 2],
  ['contacts', 2],
])('the progress of %s is known while the object is being read, and never decreases', (name, valuesMin) => {
  const objectRuns = states.map(({ objects }) => objects.find(({ object }) => object === name));
  const running = objectRuns.filter((o) => o?.status === 'running');
  expect(
    new Set(running.flatMap((o) => (o?.progress == null ? [] : [o.progress]))).size,
    JSON.stringify(running.map((o) => o?.progress)),
  ).toBeGreaterThanOrEqual(valuesMin);
  expect(running.every((o) => o?.progress == null || o.progress < 1)).toBe(true);
  expect(isNonDecreasing(objectRuns.map((o) => o?.progress ?? null))).toBe(true);
  expect(objectRuns.at(-1)?.progress).toBe(1);
});

test('the estimated end of a run in progress lies after the start of the run', () => {
  const estimates = states.filter(({ estimated_finished_at }) => estimated_finished_at !== null);
  expect(estimates.length).toBeGreaterThan(1);
  for (const { created_at, estimated_finished_at } of estimates)
    expect(Date.parse(estimated_finished_at as string)).toBeGreaterThan(Date.parse(created_at));
});
