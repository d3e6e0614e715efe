import { expect, test } from 'vitest';
import type { Schemas } from '../../api/client.ts';
import { describeWork, getUsualDuration, isNotable, sortObjects } from './run-progress.ts';

type ObjectRun = Schemas['ObjectRun'];

const createObject = (name: string, fields: Partial<ObjectRun> = {}): ObjectRun => ({
  object: name,
  status: 'succeeded',
  mode: 'incremental',
  records_extracted: 0,
  records_loaded: 0,
  records_unchanged: 0,
  records_deleted: 0,
  records_rejected: 0,
  failed_units: 0,
  findings: null,
  credits_used: 0,
  bytes_staged: 0,
  progress: null,
  started_at: null,
  finished_at: null,
  not_before: null,
  complete_as_of: null,
  complete_back_to: null,
  warnings: [],
  error: null,
  ...fields,
});
const createRun = (objects: readonly ObjectRun[], fields: Partial<Schemas['Run']> = {}) =>
  ({ id: 'r', kind: 'sync', trigger: 'schedule', objects, ...fields }) as Schemas['Run'];

test('objects that failed or are under way come first', () => {
  const objects = [
    createObject('complete'),
    createObject('running', { status: 'running' }),
    createObject('failed', { status: 'failed' }),
    createObject('ignored', {
      status: 'forbidden',
      warnings: [{ code: 'object_unavailable', message: '', count: 1 }],
    }),
  ];
  expect(sortObjects(objects).map((o) => o.object)).toEqual(['failed', 'running', 'complete', 'ignored']);
});

test('an object run states what it waits for', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  const waiting = createObject('tickets', { status: 'waiting_for_credits', not_before: '2026-01-01T00:00:18Z' });
  const child = createObject('conversations', { status: 'queued' });
  const run = createRun([waiting, child]);
  const parents = new Map([['conversations', 'tickets']]);
  expect(describeWork(waiting, run, parents, now)).toBe('Waiting for credits, 18\u00a0s');
  const failing = createObject('tickets', {
    status: 'running',
    not_before: '2026-01-01T00:00:08Z',
    error: { code: 'warehouse_unavailable', message: '' },
  });
  expect(describeWork(failing, run, parents, now)).toBe('Waiting for the warehouse, 8\u00a0s');
  expect(describeWork(child, run, parents, now)).toBe('Waiting for tickets');
  expect(describeWork(child, createRun([createObject('tickets'), child]), parents, now)).toBe('Waiting for a worker');
});

test('an object that was read without a change is not notable', () => {
  expect(isNotable(createObject('roles', { records_extracted: 5, records_unchanged: 5 }))).toBe(false);
  expect(isNotable(createObject('roles', { records_deleted: 1 }))).toBe(true);
  expect(isNotable(createObject('roles', { status: 'forbidden' }))).toBe(true);
});

test('the usual duration is the median of other finished runs of the same kind', () => {
  const finished = (id: string, seconds: number, kind: 'sync' | 'audit' = 'sync') =>
    createRun([], {
      id,
      kind,
      started_at: '2026-01-01T00:00:00Z',
      finished_at: new Date(Date.parse('2026-01-01T00:00:00Z') + seconds * 1000).toISOString(),
    });
  const run = finished('this', 999);
  expect(
    getUsualDuration(run, [run, finished('a', 10), finished('b', 30), finished('c', 20), finished('d', 500, 'audit')]),
  ).toBe(20);
  expect(getUsualDuration(run, [run])).toBe(null);
});
