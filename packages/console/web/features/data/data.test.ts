import { describe, expect, test } from 'vitest';
import { buildPsqlCommand, buildSelect, buildSelectAsOf, quoteIdentifier } from './sql.ts';
import { describeRowCount, formatRowCount, getHelpPath, groupTables, searchTables, type Table } from './tables.ts';

const buildTable = (name: string, fields: Partial<Table> = {}): Table => ({
  schema: 'freshdesk_acme',
  name,
  kind: 'object',
  view: false,
  object: name,
  internal: false,
  description: null,
  row_count: 0,
  row_count_exact: true,
  size_bytes: 0,
  key: ['id'],
  columns: [
    { name: 'id', type: 'bigint', nullable: false, description: 'The id.' },
    { name: 'group', type: 'text', nullable: true, description: null },
    { name: '_freshet_deleted_at', type: 'timestamp with time zone', nullable: true, description: null },
  ],
  ...fields,
});
const model = (name: string, internal = false) =>
  buildTable(name, { schema: 'freshdesk_acme_analytics', kind: 'model', object: null, internal, columns: [], key: [] });

describe('groupTables', () => {
  test('groups objects as the objects page does, and the models in a separate group', () => {
    const groups = groupTables([
      buildTable('agents'),
      buildTable('canned_responses'),
      buildTable('tickets'),
      buildTable('tickets_history', { kind: 'history', object: 'tickets' }),
      model('daily_summary'),
      model('ticket_base', true),
      buildTable('_freshet_objects', { kind: 'ledger', object: null }),
      buildTable('business_holidays', { kind: 'settings', object: null }),
    ]);
    expect(groups.map(({ title, tables, isFolded }) => [title, tables.map(({ name }) => name), isFolded])).toEqual([
      ['Tickets & conversations', ['tickets', 'tickets_history'], false],
      ['People', ['agents'], false],
      ['Analytics models', ['daily_summary'], false],
      ['Configuration', ['canned_responses'], true],
      ['Settings of the models', ['business_holidays'], true],
      ['Internal models', ['ticket_base'], true],
      ['Coverage and ledger', ['_freshet_objects'], true],
    ]);
  });

  test('contains each table exactly once', () => {
    const tables = ['tickets', 'new_object', 'agents'].map((name) => buildTable(name));
    expect(groupTables(tables).flatMap((group) => group.tables)).toHaveLength(3);
  });
});

describe('searchTables', () => {
  const tables = [buildTable('tickets', { description: 'Requests of customers.' }), model('daily_summary')];
  const search = (text: string) => searchTables(tables, text).map(({ table, columns }) => [table.name, columns]);

  test('matches names, descriptions and columns, regardless of case', () => {
    expect(search('')).toEqual([
      ['tickets', []],
      ['daily_summary', []],
    ]);
    expect(search('TICK')).toEqual([['tickets', []]]);
    expect(search('customers')).toEqual([['tickets', []]]);
    expect(search('analytics.daily')).toEqual([['daily_summary', []]]);
    expect(search('grou')).toEqual([['tickets', ['group']]]);
    expect(search('the id')).toEqual([['tickets', ['id']]]);
  });

  test('requires all words, and lists only the columns that match words that the table lacks', () => {
    expect(search('tickets group')).toEqual([['tickets', ['group']]]);
    expect(search('tickets nothing')).toEqual([]);
  });
});

test('the number of rows states whether it is exact', () => {
  const texts = [
    buildTable('t', { row_count: 8741 }),
    buildTable('t', { row_count: 8741, row_count_exact: false }),
    buildTable('t', { row_count: null, row_count_exact: false }),
    buildTable('t', { row_count: null, row_count_exact: false, view: true }),
  ].map((table) => [formatRowCount(table).replaceAll(/[.,]/g, ' '), describeRowCount(table)]);
  expect(texts).toEqual([
    ['8 741', 'Counted by Freshet'],
    ['≈ 8 741', 'Estimated by PostgreSQL'],
    ['—', 'PostgreSQL has no statistics yet'],
    ['view', 'Views are computed when they are read'],
  ]);
});

test('objects and public models have a page of documentation', () => {
  const history = buildTable('x_tickets_history', { kind: 'history', object: 'tickets' });
  expect(
    [history, model('x_daily_summary'), model('x_ticket_base', true)].map((table) => getHelpPath(table, 'x_')),
  ).toEqual(['objects/tickets', 'analytics/models/daily_summary', null]);
});

describe('the statements to copy', () => {
  test('select the newest rows that are not deleted, without metadata', () => {
    expect(buildSelect(buildTable('tickets'))).toBe(
      'select\n  id, "group"\nfrom freshdesk_acme.tickets\nwhere _freshet_deleted_at is null\norder by id desc\nlimit 100;',
    );
    expect(buildSelect(model('daily_summary'))).toBe(
      'select *\nfrom freshdesk_acme_analytics.daily_summary\nlimit 100;',
    );
  });

  test('select an earlier state only from a history', () => {
    expect(buildSelectAsOf(buildTable('tickets'))).toBeNull();
    expect(buildSelectAsOf(buildTable('tickets_history', { kind: 'history' }))).toContain(
      'from freshdesk_acme.tickets_as_of(',
    );
  });

  test('quote identifiers only if necessary', () => {
    expect(['subject', 'order', 'Größe', 'a"b', '1st'].map(quoteIdentifier)).toEqual([
      'subject',
      '"order"',
      '"Größe"',
      '"a""b"',
      '"1st"',
    ]);
  });

  test('open psql with an address that the shell does not interpret', () => {
    const destination = {
      host: '::1',
      port: 5432,
      database: "o'neil",
      username: 'a b',
      ssl_mode: 'verify-full',
    } as const;
    expect(buildPsqlCommand(destination, ['freshdesk_acme', 'Other'])).toBe(
      `PGOPTIONS='-c search_path=freshdesk_acme,"Other"' \\\n  psql 'postgresql://a%20b@[::1]:5432/o'\\''neil?sslmode=verify-full'`,
    );
  });
});
