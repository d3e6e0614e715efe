import { stripVTControlCharacters } from 'node:util';
import type { Run, Schemas } from '@freshet/client';
import { describe, expect, test } from 'vitest';
import { drawBar, formatTimeLeft, RunProgress } from './run-progress.ts';

const createObjectRun = (object: string, fields: Partial<Schemas['ObjectRun']> = {}): Schemas['ObjectRun'] => ({
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
  complete_as_of: null,
  complete_back_to: null,
  error: null,
  ...fields,
});

const createRun = (objects: Schemas['ObjectRun'][], fields: Partial<Run> = {}): Run => ({
  id: 'run',
  pipeline_id: 'pipeline',
  kind: 'sync',
  trigger: 'manual',
  status: 'running',
  created_at: '2026-01-01T00:00:00Z',
  started_at: '2026-01-01T00:00:00Z',
  finished_at: null,
  progress: null,
  estimated_finished_at: null,
  objects,
  ...fields,
});

/** Creates a stream that collects its output. */
function createOutput(isTTY: boolean) {
  const written: string[] = [];
  const stream = { isTTY, columns: 120, rows: 40, write: (text: string) => written.push(text) };
  return { stream: stream as unknown as NodeJS.WriteStream, text: () => stripVTControlCharacters(written.join('')) };
}

describe('RunProgress on a terminal', () => {
  test('shows one bar for each object in progress and one bar for the run', () => {
    const { stream, text } = createOutput(true);
    const objects = [
      createObjectRun('tickets', { progress: 0.5 }),
      createObjectRun('conversations', { status: 'queued' }),
      createObjectRun('groups', { status: 'succeeded', progress: 1 }),
    ];
    new RunProgress(stream, new Map()).show(
      createRun(objects, { progress: 0.25, estimated_finished_at: new Date(Date.now() + 119_000).toISOString() }),
    );
    expect(text()).toMatch(/^tickets {8}█{12}░{12} {2}50 % {8}100 extracted {2}extracting$/m);
    expect(text()).toMatch(/^run {12}█{6}░{18} {2}25 % .* about 2 min left$/m);
    expect(text()).toContain('1 of 3 objects done');
    expect(text()).not.toMatch(/^(conversations|groups)/m);
  });

  test('shows why an object did not succeed', () => {
    const { stream, text } = createOutput(true);
    const partial = createObjectRun('conversations', {
      status: 'partial',
      error: { code: 'source_unavailable', message: '1 unit could not be read.' },
    });
    new RunProgress(stream, new Map()).show(createRun([partial]));
    expect(text()).toContain('conversations  partial: 1 unit could not be read.');
  });
});

describe('RunProgress without a terminal', () => {
  test('prints each state change of an object once, and the progress of the run when it passes a multiple of ten percent', () => {
    const { stream, text } = createOutput(false);
    const progress = new RunProgress(stream, new Map([['conversations', 'tickets']]));
    const objects = [
      createObjectRun('tickets'),
      createObjectRun('conversations', { records_extracted: 0, records_loaded: 0 }),
    ];
    for (const share of [0.05, 0.12, 0.15, 0.38]) progress.show(createRun(objects, { progress: share }));
    expect(text().split('\n')).toEqual([
      '  tickets                  extracting',
      '  conversations            waiting for tickets',
      '  run                      10 %, time left unknown',
      '  run                      30 %, time left unknown',
      '',
    ]);
  });
});

test('drawBar returns an empty bar when the progress is unknown', () => {
  expect(drawBar(null)).toBe(`${'░'.repeat(24)}      `);
});

test.each([
  [null, 'time left unknown'],
  [500, 'about 1 s left'],
  [59_000, 'about 59 s left'],
  [61_000, 'about 2 min left'],
  [3_700_000, 'about 1 h 2 min left'],
  [-5000, 'about 1 s left'],
])('formatTimeLeft formats %s ms as "%s"', (ms, expected) => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  expect(formatTimeLeft({ estimated_finished_at: ms === null ? null : new Date(now + ms).toISOString() }, now)).toBe(
    expected,
  );
});
