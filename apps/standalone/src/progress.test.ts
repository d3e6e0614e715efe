import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { ObjectRunAnswer, RunAnswer } from './api-client.ts';
import { bar, Progress, timeLeft } from './progress.ts';

const objectRun = (object: string, parts: Partial<ObjectRunAnswer> = {}): ObjectRunAnswer => ({
  object,
  status: 'running',
  mode: 'full',
  records_extracted: 100,
  records_loaded: 100,
  records_unchanged: 0,
  records_deleted: 0,
  records_rejected: 0,
  failed_units: 0,
  findings: null,
  warnings: [],
  credits_used: 5,
  bytes_staged: 0,
  progress: null,
  not_before: null,
  error: null,
  ...parts,
});

const run = (objects: readonly ObjectRunAnswer[], parts: Partial<RunAnswer> = {}): RunAnswer => ({
  id: 'run',
  kind: 'sync',
  status: 'running',
  created_at: '2026-01-01T00:00:00Z',
  finished_at: null,
  progress: null,
  estimated_finished_at: null,
  objects,
  ...parts,
});

/** A stream that collects what is written to it. */
function output(isTTY: boolean) {
  const written: string[] = [];
  const stream = { isTTY, columns: 120, rows: 40, write: (text: string) => written.push(text) };
  return { stream: stream as unknown as NodeJS.WriteStream, text: () => stripVTControlCharacters(written.join('')) };
}

describe('Progress on a terminal', () => {
  test('shows a bar for each object that is under way and one for the run', () => {
    const { stream, text } = output(true);
    const objects = [
      objectRun('tickets', { progress: 0.5 }),
      objectRun('conversations', { status: 'queued' }),
      objectRun('groups', { status: 'succeeded', progress: 1 }),
    ];
    new Progress(stream, new Map()).show(
      run(objects, { progress: 0.25, estimated_finished_at: new Date(Date.now() + 119_000).toISOString() }),
    );
    expect(text()).toMatch(/^tickets {8}█{12}░{12} {2}50 % {8}100 read {2}reading$/m);
    expect(text()).toMatch(/^run {12}█{6}░{18} {2}25 % .* about 2 min left$/m);
    expect(text()).toContain('1 of 3 objects done');
    expect(text()).not.toMatch(/^(conversations|groups)/m);
  });

  test('names an object that ended without success, with its reason', () => {
    const { stream, text } = output(true);
    const partial = objectRun('conversations', {
      status: 'partial',
      error: { code: 'source_unavailable', message: '1 unit could not be read.' },
    });
    new Progress(stream, new Map()).show(run([partial]));
    expect(text()).toContain('conversations  partial: 1 unit could not be read.');
  });
});

describe('Progress without a terminal', () => {
  test('prints plain lines: each change of an object once, and the run at each ten percent', () => {
    const { stream, text } = output(false);
    const progress = new Progress(stream, new Map([['conversations', 'tickets']]));
    const objects = [objectRun('tickets'), objectRun('conversations', { records_extracted: 0, records_loaded: 0 })];
    for (const share of [0.05, 0.12, 0.15, 0.38]) progress.show(run(objects, { progress: share }));
    expect(text().split('\n')).toEqual([
      '  tickets                  reading',
      '  conversations            waiting for tickets',
      '  run                      10 %, time left unknown',
      '  run                      30 %, time left unknown',
      '',
    ]);
  });
});

test('bar is empty when the share is not known', () => {
  expect(bar(null)).toBe(`${'░'.repeat(24)}      `);
});

test.each([
  [null, 'time left unknown'],
  [500, 'about 1 s left'],
  [59_000, 'about 59 s left'],
  [61_000, 'about 2 min left'],
  [3_700_000, 'about 1 h 2 min left'],
  [-5000, 'about 1 s left'],
])('timeLeft of %s ms is "%s"', (ms, words) => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  expect(timeLeft({ estimated_finished_at: ms === null ? null : new Date(now + ms).toISOString() }, now)).toBe(words);
});
