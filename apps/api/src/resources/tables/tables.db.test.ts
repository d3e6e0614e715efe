import { beforeEach, describe, expect, test } from 'vitest';
import { createPipelineInput, useTestApi } from '../../test-support/api.ts';
import { buildModels } from '../../test-support/models.ts';

const api = useTestApi({ allowedAddresses: '127.0.0.0/8' });
const { call } = api;

let pipeline: { readonly id: string };
let destination: { readonly id: string };
beforeEach(async () => {
  const created = await createPipelineInput(api);
  destination = created.destination;
  pipeline = await api.create('/v1/pipelines', created.input);
  await api.sql.unsafe(`
    drop schema if exists freshdesk_acme_analytics cascade;
    drop schema if exists freshdesk_acme cascade;
    create schema freshdesk_acme;
    create table freshdesk_acme._freshet_objects (table_name text primary key, row_count bigint not null);
    create table freshdesk_acme.tickets (id bigint primary key, subject text, _freshet_loaded_at timestamptz);
    comment on table freshdesk_acme.tickets is 'Tickets.';
    comment on column freshdesk_acme.tickets.subject is 'The subject.';
    create table freshdesk_acme.tickets_history (id bigint, subject text, valid_from timestamptz, valid_to timestamptz);
    create table freshdesk_acme.salaries (amount numeric);
    insert into freshdesk_acme.tickets select n, 'Subject ' || n, '2026-01-31 12:00:00Z' from generate_series(1, 70) n;
    insert into freshdesk_acme._freshet_objects values ('tickets', 70);
    analyze freshdesk_acme.tickets_history`);
});

const list = (token?: string) => call('get', `/v1/pipelines/${pipeline.id}/tables`, token);
const preview = (table: string, query = '', token?: string) =>
  call('get', `/v1/pipelines/${pipeline.id}/tables/${table}/rows${query}`, token);
const createToken = async (role: 'observer' | 'pipeline_admin', scopes: string[] | null = null) =>
  (await api.store.tokens.create({ name: 't', role, scopes, expires_at: null })).value;

describe('GET /v1/pipelines/{id}/tables', () => {
  test('lists the tables that Freshet created, with exact or estimated row counts', async () => {
    const { body } = await list().expect(200);
    expect(body.data.map(({ name, kind }: { name: string; kind: string }) => [name, kind])).toEqual([
      ['tickets', 'object'],
      ['tickets_history', 'history'],
      ['_freshet_objects', 'ledger'],
    ]);
    expect(body.data[0]).toEqual({
      schema: 'freshdesk_acme',
      name: 'tickets',
      kind: 'object',
      view: false,
      object: 'tickets',
      internal: false,
      description: 'Tickets.',
      row_count: 70,
      row_count_exact: true,
      size_bytes: expect.any(Number),
      key: ['id'],
      columns: [
        { name: 'id', type: 'bigint', nullable: false, description: null },
        { name: 'subject', type: 'text', nullable: true, description: 'The subject.' },
        {
          name: '_freshet_loaded_at',
          type: 'timestamp with time zone',
          nullable: true,
          description: 'When the row was last written.',
        },
      ],
    });
    const [, history, ledger] = body.data;
    expect([history.row_count, history.row_count_exact, ledger.row_count]).toEqual([0, false, null]);
    expect(history.columns.map(({ description }: { description: string }) => description)).toEqual([
      null,
      'The subject.',
      'When the version became current.',
      'When the next version became current. Null: the version is still current.',
    ]);
  });

  test('lists the analytics models with their descriptions, and the settings of the user', async () => {
    await buildModels({ pipeline }, api);
    const { body } = await list().expect(200);
    const find = (name: string) => body.data.find((table: { name: string }) => table.name === name);
    expect(find('daily_summary')).toMatchObject({
      schema: 'freshdesk_acme_analytics',
      kind: 'model',
      object: null,
      internal: false,
      description: expect.stringMatching(/./),
      columns: expect.arrayContaining([
        expect.objectContaining({ name: 'day', description: expect.stringMatching(/./) }),
      ]),
    });
    expect([find('ticket_base').internal, find('business_holidays').kind]).toEqual([true, 'settings']);
  });

  test('lists no tables while the schema does not exist', async () => {
    await api.sql`drop schema freshdesk_acme cascade`;
    expect((await list().expect(200)).body).toEqual({ data: [] });
  });

  test('returns 502 while the warehouse is unreachable, and 422 if its address is not allowed', async () => {
    const move = (host: string, port: number) =>
      call('patch', `/v1/destinations/${destination.id}`).send({ host, port }).expect(200);
    await move('127.0.0.1', 1);
    expect((await list().expect(502)).body.code).toBe('warehouse_unavailable');
    expect((await preview('tickets').expect(502)).body.code).toBe('warehouse_unavailable');
    await move('169.254.169.254', 5432);
    expect((await list().expect(422)).body.code).toBe('address_refused');
  });
});

describe('GET /v1/pipelines/{id}/tables/{table}/rows', () => {
  test('returns the newest rows with their columns, by the name or the qualified name of the table', async () => {
    const { body } = await preview('tickets').expect(200);
    expect(body).toMatchObject({
      schema: 'freshdesk_acme',
      name: 'tickets',
      order_by: ['id'],
      columns: [
        { name: 'id', type: 'bigint' },
        { name: 'subject', type: 'text' },
        { name: '_freshet_loaded_at', type: 'timestamp with time zone' },
      ],
      cut_values: [],
      has_more: true,
    });
    expect(body.rows).toHaveLength(50);
    expect(body.rows[0]).toEqual({ id: 70, subject: 'Subject 70', _freshet_loaded_at: '2026-01-31T12:00:00Z' });
    expect((await preview('freshdesk_acme.tickets', '?limit=70').expect(200)).body).toMatchObject({ has_more: false });
  });

  test('truncates long values, and states which values are incomplete', async () => {
    await api.sql`update freshdesk_acme.tickets set subject = repeat('x', 5000) where id = 70`;
    const { body } = await preview('tickets', '?limit=1').expect(200);
    expect(body.rows[0].subject).toHaveLength(1024);
    expect(body.cut_values).toEqual([{ row: 0, column: 'subject', bytes: 5000 }]);
  });

  test('reads no table that Freshet did not create, and no other schema', async () => {
    for (const name of [
      'salaries',
      'freshdesk_acme.salaries',
      'pg_authid',
      'pg_catalog.pg_authid',
      'freshet.api_tokens',
    ])
      expect((await preview(name).expect(404)).body.code).toBe('not_found');
    expect((await preview(encodeURIComponent('tickets"; drop table x; --')).expect(404)).body.code).toBe('not_found');
  });

  test('returns 409 with the remedy for a table that does not exist yet', async () => {
    expect((await preview('agents').expect(409)).body).toMatchObject({
      code: 'table_not_ready',
      detail: expect.stringContaining('Include the object'),
    });
    expect((await preview('daily_summary').expect(409)).body).toMatchObject({
      code: 'table_not_ready',
      detail: expect.stringContaining('Set analytics of the pipeline to true'),
    });
  });

  test.each(['?limit=0', '?limit=201', '?limit=x', '?offset=1'])('rejects %s', async (query) => {
    expect((await preview('tickets', query).expect(400)).body.code).toBe('invalid_input');
  });

  test('requires `read_warehouse`, which observers and tokens for reports lack', async () => {
    for (const token of [
      await createToken('observer'),
      await createToken('pipeline_admin', ['read', 'read_reports']),
    ]) {
      await list(token).expect(200);
      expect((await preview('tickets', '', token).expect(403)).body).toMatchObject({
        code: 'permission_denied',
        detail: expect.stringContaining('read_warehouse'),
      });
    }
    await preview('tickets', '', await createToken('pipeline_admin')).expect(200);
  });

  test('adds an entry without rows to the audit log for each successful preview', async () => {
    await preview('tickets', '?limit=3').expect(200);
    await preview('salaries').expect(404);
    await list().expect(200);
    const { body } = await call('get', `/v1/audit-log?action=previewTable&resource=pipelines/${pipeline.id}`).expect(
      200,
    );
    expect(body.data).toHaveLength(1);
    expect(body.data[0]).toMatchObject({
      action: 'previewTable',
      resource: `pipelines/${pipeline.id}/tables/tickets`,
      before: null,
      after: { table: 'freshdesk_acme.tickets', rows: 3 },
    });
  });
});
