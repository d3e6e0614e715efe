import { expect, test } from 'vitest';
import type { ObjectRunAnswer, RunAnswer } from './api-client.ts';
import { toJsonLine, toSummary } from './outcome.ts';

const objectRun = (object: string, status: string, more: Partial<ObjectRunAnswer> = {}): ObjectRunAnswer => ({
  object,
  status,
  mode: 'full',
  records_extracted: 1,
  records_loaded: 1,
  records_unchanged: 0,
  records_deleted: 0,
  records_rejected: 0,
  failed_units: 0,
  findings: null,
  credits_used: 1,
  bytes_staged: 1,
  progress: 1,
  not_before: null,
  warnings: [],
  error: null,
  ...more,
});
const unavailable = [{ code: 'object_unavailable', message: 'agents was not read.', count: 1 }];
const outcome = (status: string, objects: readonly ObjectRunAnswer[]) => ({
  run: {
    id: 'r',
    kind: 'sync',
    status,
    created_at: '',
    finished_at: '',
    progress: 1,
    estimated_finished_at: null,
    objects,
  } satisfies RunAnswer,
  warehouseUrl: 'postgres://u:p@h/w',
  schema: 's',
});

test('the summary of --once on a terminal names the objects that did not succeed, those that are unavailable, and the warehouse', () => {
  const objects = [
    objectRun('tickets', 'succeeded', { records_rejected: 1200 }),
    objectRun('agents', 'forbidden', { warnings: unavailable }),
    objectRun('surveys', 'failed'),
    objectRun('roles', 'forbidden'),
  ];
  expect(toSummary(outcome('partial', objects)).trim().split('\n')).toEqual([
    'The run is partial: 1 of 4 objects succeeded.',
    'Did not succeed: surveys (failed), roles (forbidden).',
    'Not available to the API key: agents.',
    'Rejected records: 1,200.',
    "Warehouse  psql 'postgres://u:p@h/w'",
    'Schema     s',
  ]);
  expect(toSummary(outcome('succeeded', [objectRun('tickets', 'succeeded')]))).not.toContain('{');
});

test('the last line of --once for programs is one JSON object', () => {
  const line = toJsonLine(outcome('succeeded', [objectRun('tickets', 'succeeded')]));
  expect(line).not.toContain('\n');
  expect(JSON.parse(line)).toMatchObject({
    run: { status: 'succeeded' },
    warehouse_url: 'postgres://u:p@h/w',
    schema: 's',
  });
});
