import type { ServerResponse } from 'node:http';
import type { Run } from '@freshet/client';
import { parseJson } from '@freshet/contracts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Deployment } from '../test-support/deployment.ts';

/**
 * Tests an account whose responses contain names, integers and times that PostgreSQL does not
 * support directly.
 */
let deployment: Deployment;
let pipelineId: string;
let firstRun: Run;

const LONG = `cf_${'y'.repeat(80)}`;
/** The names and types of the custom fields of tickets. */
const CUSTOM_FIELDS: readonly (readonly [name: string, type: string])[] = [
  [`${LONG}1`, 'custom_text'],
  [`${LONG}2`, 'custom_number'],
  ['cf_Size', 'custom_text'],
  ['cf_size', 'custom_text'],
  ['cf_ctid', 'custom_text'],
  ['cf_Größe', 'custom_text'],
  ['cf_日本語', 'custom_text'],
  ['cf_"; drop table x; --', 'custom_text'],
  ['cf_seats', 'custom_number'],
];
const DUE_BY = [
  '2024-02-30T00:00:00Z',
  '0000-00-00 00:00:00',
  '',
  'infinity',
  '12024-01-01T00:00:00Z',
  1_700_000_000,
  '2024-01-01T10:00:00+05:30',
];
const INTEGERS = [
  '9007199254740992',
  '12345678901234568',
  '9007199254740993',
  '1855870000000000000',
  '9223372036854775807',
];

/** The type of `cf_seats` in the account's definition. */
let seatsType = 'custom_number';
const tickets: number[] = [];
/** The ticket whose conversations have large ids. */
let parentId = 0;

/** Returns the value of a custom field in a ticket. */
function getCustomValue(name: string, type: string, id: number): string | number {
  return type === 'custom_number' ? id * 10 + name.length : `${name} of ${id}`;
}

function respond(response: ServerResponse, body: string): true {
  response.writeHead(200, {
    'content-type': 'application/json',
    'x-freshdesk-api-version': 'latest=v2; requested=v2',
    date: new Date(deployment.simulator.account.nowSeconds() * 1000).toUTCString(),
  });
  response.end(body);
  return true;
}

const AT = '2024-03-01T10:00:00Z';
const contact = (id: string, more = '') =>
  `{"id":${id},"name":"Contact ${id}","email":null,"active":true,"mobile":${id},"org_contact_id":1855870000000000000,"company_id":${id},"custom_fields":{"number":${id},"x":${id},"cf_x":"other"},"created_at":"${AT}","updated_at":"${AT}"${more}}`;
const conversation = (id: string) =>
  `{"id":${id},"ticket_id":${parentId},"body":"${id}","user_id":${id},"source_additional_info":{"n":[${id}]},"attachments":[],"created_at":"${AT}","updated_at":"${AT}"}`;

beforeAll(async () => {
  deployment = await Deployment.start({
    counts: { tickets: 60, conversations: 1, contacts: 5 },
    intercept: ({ path, query }, response) => {
      if (path === '/api/v2/ticket_fields') {
        const customFields = CUSTOM_FIELDS.map(([name, type], i) => ({
          id: i + 1,
          name,
          label: name,
          position: i,
          type: name === 'cf_seats' ? seatsType : type,
          created_at: AT,
          updated_at: AT,
        }));
        const standardFields = [...deployment.simulator.account.listAllRecords('ticket_fields')].map(
          ({ text }) => text,
        );
        return respond(
          response,
          `[${[...standardFields, ...customFields.map((field) => JSON.stringify(field))].join(',')}]`,
        );
      }
      if (path === `/api/v2/tickets/${parentId}/conversations`)
        return respond(response, `[${INTEGERS.map(conversation).join(',')}]`);
      if (path === '/api/v2/contacts')
        return respond(
          response,
          query.has('state') || query.get('page') === '2' ? '[]' : `[${INTEGERS.map((id) => contact(id)).join(',')}]`,
        );
      const single = /^\/api\/v2\/contacts\/(\d+)$/.exec(path)?.[1];
      if (single !== undefined) return respond(response, contact(single, `,"tags":["${single}"],"other_emails":[]`));
      return false;
    },
  });
  const { account } = deployment.simulator;
  tickets.push(
    ...[...account.listAllRecords('tickets')]
      .filter(({ view }) => view.deleteKind === null)
      .map(({ text }) => (JSON.parse(text) as { id: number }).id),
  );
  parentId = tickets[20] as number;
  for (const [n, id] of tickets.slice(0, 14).entries()) {
    account.update('tickets', id, {
      due_by: DUE_BY[n % DUE_BY.length] as string,
      custom_fields: Object.fromEntries(CUSTOM_FIELDS.map(([name, type]) => [name, getCustomValue(name, type, id)])),
    });
  }
  pipelineId = await deployment.createPipeline('demo-admin-key', null);
  await deployment.updateObject(pipelineId, 'contacts', {
    detail: true,
    history: true,
    columns: { mobile: { hash: true } },
  });
  firstRun = await deployment.sync(pipelineId);
});
afterAll(() => deployment[Symbol.asyncDispose]());

const findObjectRun = (run: Run, object: string) => run.objects.find((o) => o.object === object);
const select = (columns: string, from: string) =>
  deployment.warehouse.sql.unsafe(`select ${columns} from ${deployment.schema}.${from}`);
const getColumnType = async (table: string, column: string) =>
  (await select(`pg_typeof(${column})::text as type`, `${table} limit 1`))[0]?.['type'];

describe('custom fields with long, mixed-case and non-ASCII names', () => {
  test('are each loaded into a separate column (I10)', async () => {
    expect(findObjectRun(firstRun, 'tickets')).toMatchObject({ status: 'succeeded', records_rejected: 0 });
    for (const id of tickets.slice(0, 14)) {
      const [row] = await select('to_jsonb(t) as row', `tickets t where id = ${id}`);
      const columns = Object.entries(row?.['row'] as object).filter(([name]) => name.startsWith('cf_'));
      for (const [name, type] of CUSTOM_FIELDS) {
        const value = getCustomValue(name, type, id);
        const matchingColumns = columns.filter(([, v]) => v === value).map(([column]) => column);
        expect(matchingColumns, name).toEqual([expect.stringMatching(/^cf_[a-z0-9_]{1,60}$/)]);
      }
    }
  });
});

describe('values that do not fit their column', () => {
  test('are stored in _freshet_extra with a note, and add a warning to the run (I10)', async () => {
    expect(await getColumnType('tickets', 'due_by')).toBe('timestamp with time zone');
    for (const [n, id] of tickets.slice(0, 14).entries()) {
      const [row] = await select(
        `due_by, updated_at is not null as intact, _freshet_extra -> 'due_by' as extra, _freshet_notes as notes`,
        `tickets where id = ${id}`,
      );
      const value = DUE_BY[n % DUE_BY.length];
      if (value === DUE_BY.at(-1))
        expect(row).toMatchObject({ due_by: new Date('2024-01-01T04:30:00Z'), intact: true, extra: null });
      else
        expect(row).toMatchObject({
          due_by: null,
          intact: true,
          extra: value,
          notes: { kept_in_extra: expect.arrayContaining(['due_by']) },
        });
    }
    expect(findObjectRun(firstRun, 'tickets')?.warnings).toContainEqual({
      code: 'values_misfit',
      count: 12,
      message: '12 values of tickets.due_by are not valid timestamps. They were kept in _freshet_extra.',
    });
    expect(findObjectRun(firstRun, 'groups')?.warnings).toEqual([]);
  });

  test('do not widen the column of a custom field until the account changes the definition of the field (I10)', async () => {
    const { account } = deployment.simulator;
    const [outlier, later] = tickets.slice(14) as [number, number];
    const selectSeats = async (id: number) =>
      (
        await select(`cf_seats::text, _freshet_extra ->> 'custom_fields.cf_seats' as extra`, `tickets where id = ${id}`)
      )[0];
    account.update('tickets', outlier, { custom_fields: { cf_seats: 'many' } });
    const run = await deployment.sync(pipelineId);
    expect(await getColumnType('tickets', 'cf_seats')).toBe('bigint');
    expect(await selectSeats(outlier)).toEqual({ cf_seats: null, extra: 'many' });
    expect(findObjectRun(run, 'tickets')?.warnings).toContainEqual({
      code: 'values_misfit',
      count: 1,
      message: '1 value of tickets.cf_seats is not a valid integer. It was kept in _freshet_extra.',
    });
    seatsType = 'custom_text';
    account.update('tickets', later, { custom_fields: { cf_seats: 'a few' } });
    await deployment.sync(pipelineId);
    expect(await getColumnType('tickets', 'cf_seats')).toBe('text');
    expect([await selectSeats(outlier), await selectSeats(later)]).toEqual([
      { cf_seats: 'many', extra: null },
      { cf_seats: 'a few', extra: null },
    ]);
  });
});

describe('integers beyond 2^53', () => {
  const sortedColumn = (rows: readonly Record<string, unknown>[], name: string) =>
    rows.map((row) => row[name] as string).sort();
  const expectedIds = INTEGERS.toSorted();

  test('keep every digit as keys, references and nested values of conversations (I10)', async () => {
    expect(findObjectRun(firstRun, 'conversations')).toMatchObject({
      status: 'succeeded',
      records_rejected: 0,
      warnings: [],
    });
    const rows = await select(
      'id::text, user_id::text, body, source_additional_info::text as nested',
      `conversations where ticket_id = ${parentId}`,
    );
    expect(sortedColumn(rows, 'id')).toEqual(expectedIds);
    for (const row of rows)
      expect(row).toEqual({ id: row['id'], user_id: row['id'], body: row['id'], nested: `{"n": [${row['id']}]}` });
    expect(await getColumnType('conversations', 'user_id')).toBe('bigint');
  });

  test('keep every digit in details, masked fields and histories of contacts, so that an audit finds no differences (I10)', async () => {
    expect(findObjectRun(firstRun, 'contacts')).toMatchObject({
      status: 'succeeded',
      records_rejected: 0,
      warnings: [],
    });
    for (const table of ['contacts', 'contacts_history']) {
      const rows = await select(
        `id::text, company_id::text, org_contact_id::text, cf_number::text, tags::text, custom_fields::text, mobile, to_jsonb(t) as row`,
        `${table} t`,
      );
      expect(sortedColumn(rows, 'id'), table).toEqual(expectedIds);
      expect(new Set(sortedColumn(rows, 'mobile')).size).toBe(expectedIds.length);
      for (const row of rows) {
        const id = row['id'] as string;
        expect(row).toMatchObject({
          company_id: id,
          org_contact_id: '1855870000000000000',
          cf_number: id,
          tags: `["${id}"]`,
          custom_fields: `{"x": ${id}, "cf_x": "other", "number": ${id}}`,
          mobile: expect.stringMatching(/^[0-9a-f]{64}$/),
        });
        expect((row['row'] as Record<string, unknown>)['cf_x']).toBe('other');
      }
    }
    for (const name of ['org_contact_id', 'company_id', 'cf_number'])
      expect(await getColumnType('contacts', name)).toBe('bigint');
    const audit = await deployment.audit(pipelineId);
    expect(findObjectRun(audit, 'contacts')?.findings).toMatchObject({ missing: 0, stale: 0, explained: {} });
  });

  test('keep every digit when a rejected record is shown and replayed (I10)', async () => {
    const { api, simulator } = deployment;
    const id = tickets[30] as number;
    await deployment.updatePipeline(pipelineId, { schema_policy: 'freeze' });
    simulator.account.update('tickets', id, {
      due_by: 'never',
      custom_fields: { cf_big: parseJson('9007199254740992'), cf_bigger: parseJson('18446744073709551616') },
    });
    const run = await deployment.sync(pipelineId);
    expect(findObjectRun(run, 'tickets')).toMatchObject({ records_rejected: 1, warnings: [] });
    const params = { path: { id: pipelineId } };
    const { data } = await api.get('/v1/pipelines/{id}/rejected-records', { params });
    expect(data).toMatchObject([{ reason: 'value_not_timestamptz: due_by' }]);
    const { record } = await api.get('/v1/pipelines/{id}/rejected-records/{record_id}', {
      params: { path: { id: pipelineId, record_id: data[0]?.id as string } },
    });
    expect(record).toContain('"cf_big":9007199254740992,"cf_bigger":18446744073709551616');
    await deployment.updatePipeline(pipelineId, { schema_policy: 'evolve' });
    const { run_id } = await api.post('/v1/pipelines/{id}/rejected-records/replay', { params, body: {} });
    const replay = await deployment.waitForRun(run_id);
    expect(findObjectRun(replay, 'tickets')).toMatchObject({
      status: 'succeeded',
      warnings: [
        {
          code: 'values_misfit',
          count: 1,
          message: '1 value of tickets.due_by is not a valid timestamp. It was kept in _freshet_extra.',
        },
      ],
    });
    expect(await select('cf_big::text, cf_bigger::text, due_by', `tickets where id = ${id}`)).toEqual([
      { cf_big: '9007199254740992', cf_bigger: '18446744073709551616', due_by: null },
    ]);
  });
});
