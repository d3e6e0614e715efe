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
  started_at: null,
  finished_at: null,
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
  trace_id: null,
  trace_url: null,
  objects,
  ...fields,
});

describe('RunProgress.draw', () => {
  test('draws one bar for the run and one bar for each object in progress', () => {
    const objects = [
      createObjectRun('tickets', { progress: 0.5 }),
      createObjectRun('conversations', { status: 'queued' }),
      createObjectRun('groups', { status: 'succeeded', progress: 1 }),
    ];
    const run = createRun(objects, {
      progress: 0.25,
      estimated_finished_at: new Date(Date.now() + 119_000).toISOString(),
    });
    const lines = new RunProgress(new Map()).draw(run, 120);
    expect(lines).toEqual([
      expect.stringMatching(/^ {2}All objects {14}█{6}░{18} {2}25 % {2}about 2 min left$/),
      expect.stringMatching(/^ {27}1 of 3 objects, 300 records, 15 credits$/),
      expect.stringMatching(/^ {2}tickets {18}█{12}░{12} {2}50 % {7}100 records {2}extracting$/),
    ]);
  });

  test('draws the objects that extract or load before those that wait, and counts the objects without room', () => {
    const waiting = Array.from({ length: 5 }, (_, n) =>
      createObjectRun(`waiting${n}`, { status: 'waiting_for_credits', not_before: null }),
    );
    const active = Array.from({ length: 3 }, (_, n) => createObjectRun(`active${n}`));
    const lines = new RunProgress(new Map()).draw(createRun([...waiting, ...active]), 120);
    const names = lines.slice(2).map((line) => line.trim().split(' ')[0]);
    expect(names).toEqual(['active0', 'active1', 'active2', 'waiting0', 'waiting1', 'waiting2', 'and']);
    expect(lines.at(-1)?.trim()).toBe('and 2 more in progress');
  });

  test('shows why an object did not succeed, and truncates lines to the width of the terminal', () => {
    const partial = createObjectRun('conversations', {
      status: 'partial',
      error: { code: 'source_unavailable', message: '1 unit could not be read.' },
    });
    const lines = new RunProgress(new Map()).draw(createRun([partial]), 60);
    expect(lines[2]).toBe('  conversations            partial: 1 unit could not be read.'.slice(0, 60));
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(60);
  });
});

test('RunProgress.listChanges lists each state change of an object once, and the progress of the run when it passes a multiple of ten percent', () => {
  const progress = new RunProgress(new Map([['conversations', 'tickets']]));
  const objects = [
    createObjectRun('tickets'),
    createObjectRun('conversations', { records_extracted: 0, records_loaded: 0 }),
  ];
  const lines = [0.05, 0.12, 0.15, 0.38].flatMap((share) =>
    progress.listChanges(createRun(objects, { progress: share })),
  );
  expect(lines).toEqual([
    '  tickets                  extracting',
    '  conversations            waiting for tickets',
    '  run                      10 %, time left unknown',
    '  run                      30 %, time left unknown',
  ]);
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
  const end = ms === null ? null : new Date(now + ms).toISOString();
  expect(formatTimeLeft({ estimated_finished_at: end, progress: 0.5 }, now)).toBe(expected);
});

test('formatTimeLeft returns no time at the start of a run, when the estimate is not reliable', () => {
  const run = { estimated_finished_at: new Date(Date.now() + 1000).toISOString(), progress: 0.01 };
  expect(formatTimeLeft(run)).toBe('time left unknown');
});
