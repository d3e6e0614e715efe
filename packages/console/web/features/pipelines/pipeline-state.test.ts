import { expect, test } from 'vitest';
import type { Schemas } from '../../api/client.ts';
import {
  describeResult,
  describeSchedule,
  getFreshAsOf,
  getPipelineState,
  getRunState,
  summarizeRun,
} from './pipeline-state.ts';

const ACTIVE = { status: 'active', paused_by: null } as const;

function createRun(fields: Partial<Schemas['Run']>): Schemas['Run'] {
  return {
    id: crypto.randomUUID(),
    pipeline_id: 'p',
    kind: 'sync',
    status: 'succeeded',
    trigger: 'schedule',
    created_at: '2026-01-01T00:00:00Z',
    started_at: '2026-01-01T00:00:00Z',
    finished_at: '2026-01-01T00:01:00Z',
    progress: 1,
    estimated_finished_at: null,
    trace_id: null,
    trace_url: null,
    objects: [],
    ...fields,
  };
}
const object = (fields: Partial<Schemas['ObjectRun']>) => fields as Schemas['ObjectRun'];
const OPEN = { status: 'running', finished_at: null, progress: 0.619 } as const;

test('the first sync shows its progress, which is never rounded up', () => {
  expect(getPipelineState(ACTIVE, getRunState([createRun(OPEN)]))).toMatchObject({
    label: 'First sync 61 %',
    tone: 'running',
  });
  const later = createRun({ ...OPEN, created_at: '2026-01-02T00:00:00Z' });
  expect(getPipelineState(ACTIVE, getRunState([later, createRun({})])).label).toBe('Syncing 61 %');
});

test.each([
  ['failed', 'Failed', true],
  ['partial', 'Partial', true],
  ['succeeded', 'Healthy', false],
] as const)('a pipeline whose last run is %s is %s', (status, label, needsAttention) => {
  expect(getPipelineState(ACTIVE, getRunState([createRun({ status })]))).toMatchObject({ label, needsAttention });
});

test('a cancelled run does not change the state of the run before it', () => {
  expect(getPipelineState(ACTIVE, getRunState([createRun({ status: 'cancelled' }), createRun({})])).label).toBe(
    'Healthy',
  );
});

test('a pause by Freshet needs attention, and a pause by a user does not', () => {
  expect(getPipelineState({ status: 'paused', paused_by: 'user' }, getRunState([]))).toMatchObject({
    needsAttention: false,
  });
  expect(getPipelineState({ status: 'paused', paused_by: 'record_spike' }, getRunState([]))).toMatchObject({
    tone: 'attention',
  });
});

test('a pipeline is as fresh as its least fresh table in the last finished sync', () => {
  const objects = [
    object({ complete_as_of: '2026-01-01T00:05:00Z' }),
    object({ complete_as_of: '2026-01-01T00:03:00Z' }),
  ];
  const open = createRun({ ...OPEN, objects: [object({ complete_as_of: null })] });
  expect(getFreshAsOf([open, createRun({ objects })])).toBe('2026-01-01T00:03:00Z');
  expect(getFreshAsOf([open])).toBe(null);
});

test('the result of a run names the number of failed objects', () => {
  const objects = [object({ status: 'failed' }), object({ status: 'succeeded' })];
  expect(describeResult(summarizeRun(createRun({ status: 'failed', objects })))).toBe('1 of 2 objects failed');
});

test('a schedule is described in words', () => {
  expect(describeSchedule({ schedule: null, frequency_minutes: 60 })).toBe('every hour');
  expect(describeSchedule({ schedule: null, frequency_minutes: 360 })).toBe('every 6 hours');
  expect(describeSchedule({ schedule: null, frequency_minutes: 30 })).toBe('every 30 minutes');
});
