import type { Run, Schemas } from '@freshet/client';
import { expect, test } from 'vitest';
import { toJsonLine, toSummary } from './run-summary.ts';

const createObjectRun = (
  object: string,
  status: Schemas['ObjectRun']['status'],
  fields: Partial<Schemas['ObjectRun']> = {},
): Schemas['ObjectRun'] => ({
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
  started_at: null,
  finished_at: null,
  not_before: null,
  complete_as_of: null,
  complete_back_to: null,
  warnings: [],
  error: null,
  ...fields,
});
const unavailable: Schemas['ObjectRun']['warnings'] = [
  { code: 'object_unavailable', message: 'agents was not read.', count: 1 },
];
const createSummary = (status: Run['status'], objects: Schemas['ObjectRun'][]) => ({
  run: {
    id: 'r',
    pipeline_id: 'p',
    kind: 'sync',
    trigger: 'manual',
    status,
    created_at: '2026-01-01T00:00:00.000Z',
    started_at: '',
    finished_at: '2026-01-01T00:01:01.500Z',
    progress: 1,
    estimated_finished_at: null,
    trace_id: null,
    trace_url: null,
    objects,
  } satisfies Run,
  warehouseUrl: 'postgres://u:p@h/w',
  schema: 's',
  modelsSchema: 's_analytics',
});

const link = { url: 'http://h/console?code=c', command: 'npx freshet sign-in' };

test('toSummary starts with the console, the warehouse and the totals, and lists the objects that need attention', () => {
  const error = { code: 'source_unavailable', message: 'Freshdesk responded with status 503.' } as const;
  const objects = [
    createObjectRun('tickets', 'succeeded', { records_rejected: 1200, records_loaded: 8000 }),
    createObjectRun('agents', 'forbidden', { warnings: unavailable }),
    createObjectRun('surveys', 'failed', { error }),
    createObjectRun('roles', 'forbidden'),
  ];
  expect(toSummary(createSummary('partial', objects), link).split('\n')).toEqual([
    '',
    '  Console        http://h/console?code=c',
    '                 The link signs you in once, within 10 minutes. To get a new link, run: npx freshet sign-in',
    "  Warehouse      psql 'postgres://u:p@h/w'",
    '  Schema         s',
    '  Analytics      select * from s_analytics.daily_summary;',
    '  Loaded         8,003 records in 61.5 s with 4 credits',
    '  Run            partial: 1 of 4 objects succeeded',
    '                 surveys failed: Freshdesk responded with status 503.',
    '                 roles forbidden',
    '                 The API key cannot access: agents.',
    '                 Rejected records: 1,200.',
    '',
    '  Object   Status     Extracted  Loaded  Unchanged  Deleted  Credits',
    '  tickets  succeeded          1   8,000          0        0        1',
    '  agents   forbidden          1       1          0        0        1',
    '  surveys  failed             1       1          0        0        1',
    '  roles    forbidden          1       1          0        0        1',
    '  Total    partial            4   8,003          0        0        4',
  ]);
});

test('toSummary omits the console of a deployment that has stopped, and models that do not exist', () => {
  const result = createSummary('succeeded', [createObjectRun('tickets', 'succeeded')]);
  const summary = toSummary({ ...result, modelsSchema: null }, null);
  expect(summary).not.toContain('Analytics');
  expect(summary).not.toContain('Console');
  expect(summary).not.toContain('{');
});

test('toJsonLine returns one line with a JSON object', () => {
  const line = toJsonLine(createSummary('succeeded', [createObjectRun('tickets', 'succeeded')]));
  expect(line).not.toContain('\n');
  expect(JSON.parse(line)).toMatchObject({
    run: { status: 'succeeded' },
    warehouse_url: 'postgres://u:p@h/w',
    schema: 's',
  });
});
