import { randomInt } from 'node:crypto';
import { type FieldRules, getColumnNameByPath, RawObject, type Table } from '@freshet/contracts';
import { getObject, listCustomColumns, toTable } from '@freshet/freshdesk-extractor';
import { createDatabase, type TestDatabase } from '@freshet/testing';
import type { Warehouse } from '@freshet/warehouse-loader';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { loadLines, openWarehouse } from './test-support/warehouse.ts';

let database: TestDatabase;
let warehouse: Warehouse;

beforeAll(async () => {
  database = await createDatabase();
  warehouse = openWarehouse(database.warehouseUrl);
});
afterAll(async () => {
  await warehouse.close();
  await database[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await database.sql.unsafe('drop schema if exists acme cascade');
});

const TICKETS = getObject('tickets');
type Path = readonly [string] | readonly ['custom_fields', string];

/** Builds the columns of an account that defines ticket fields with these names. */
async function declareFields(names: readonly string[], type = 'custom_text') {
  const records = names.map((name) => ({
    raw: RawObject.parse(Buffer.from(JSON.stringify({ name, type, label: `It's “${name}”` }))),
  }));
  const list = async () => ({ records, hasNext: false, serverTime: new Date() });
  return listCustomColumns({ list, get: list as never }, TICKETS);
}

/**
 * Loads tickets.
 * @param second the time of extraction, in seconds since 1970.
 * @returns the number of values in each column that did not fit the column.
 */
async function loadTickets(table: Table, tickets: readonly string[], second: number, hasHistory = true) {
  const lines = tickets.map((ticket) => `{"record":${ticket}}`);
  const extractedAt = new Date(second * 1000);
  const { rejectedRecords, misfits } = await loadLines(warehouse, {
    schema: 'acme',
    table,
    lines,
    extractedAt,
    hasHistory,
  });
  expect(rejectedRecords).toEqual([]);
  return misfits;
}

/**
 * Builds the JSON of a ticket whose fields have the given texts. The function concatenates strings,
 * because some of the names, such as `__proto__`, have a special meaning in a JavaScript object.
 */
function buildTicket(id: number, fields: readonly (readonly [Path, string])[]): string {
  const toMembers = (members: readonly (readonly [Path, string])[]) =>
    members.map(([path, text]) => `,${JSON.stringify(path.at(-1))}:${JSON.stringify(text)}`).join('');
  const custom = toMembers(fields.filter(([path]) => path.length === 2)).slice(1);
  return `{"id":${id},"updated_at":"2026-01-01T00:00:0${id % 10}Z"${toMembers(fields.filter(([path]) => path.length === 1))},"custom_fields":{${custom}}}`;
}

/** Finds the columns of a row that contain the texts of `buildTicket`. @returns text → columns. */
async function findColumnsByText(table: string, id: number): Promise<Map<string, string[]>> {
  const rows = await database.sql.unsafe<{ key: string; value: string }[]>(
    `select e.key, e.value from acme.${table} t, jsonb_each_text(to_jsonb(t)) e where t.id = ${id} and e.value like 'text %'`,
  );
  const found = new Map<string, string[]>();
  for (const { key, value } of rows) found.set(value, [...(found.get(value) ?? []), key]);
  return found;
}

const LONG = `cf_${'y'.repeat(80)}`;
const HOSTILE_NAMES = [
  `${LONG}1`,
  `${LONG}2`,
  LONG,
  LONG.slice(0, 63),
  'cf_Size',
  'cf_size',
  'CF_SIZE',
  'size',
  'cf_ctid',
  'ctid',
  'xmin',
  'tableoid',
  'cf_Größe',
  'cf_größe',
  'cf_日本語',
  '日本語',
  'cf_"; drop table x; --',
  "cf_it's",
  'cf_\\',
  'cf_tab\tand\nline',
  'x',
  'cf_x',
  'cf_cf_x',
  '',
  ' ',
  'cf_',
  'constructor',
  '__proto__',
  'toString',
  'hasOwnProperty',
  'valid_from',
  'valid_to',
  'moment',
  '_freshet_hash',
  '_freshet_extra',
  '_freshet_begins',
  'freshet_begins',
  'cf_subject',
  'cf_id',
  'a.b',
  'cf_a.b',
  'custom_fields.cf_x',
  '{"path":["subject"]}',
  'cf_😀',
  'cf_😁',
  'select',
  '1st',
];

const SEED = Number(process.env['FRESHET_SEED'] ?? randomInt(2 ** 31));
const ROUNDS = Number(process.env['FRESHET_NAMES_ROUNDS'] ?? 12);

/**
 * Creates a pseudo-random number generator (mulberry32).
 * @returns a function that returns numbers from 0 (inclusive) to 1 (exclusive).
 */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe('column names', () => {
  test('every field has its own column, whether or not the field is declared or renamed, for any names in any order (I10)', async () => {
    const random = createRandom(SEED);
    const sample = <T>(items: readonly T[], share: number) => items.filter(() => random() < share);
    const shuffle = <T>(items: readonly T[]) =>
      items
        .map((value) => [random(), value] as const)
        .sort(([a], [b]) => a - b)
        .map(([, value]) => value);
    for (let round = 0; round < ROUNDS; round++) {
      await database.sql.unsafe('drop schema if exists acme cascade');
      const context = `seed ${SEED}, round ${round}`;
      // Use the column names of fields as the names of further fields.
      const pool = [
        ...new Set(
          sample(HOSTILE_NAMES, 0.6).flatMap((name) => [
            name,
            getColumnNameByPath([name]),
            getColumnNameByPath(['custom_fields', name]),
          ]),
        ),
      ];
      const documented = new Set(TICKETS.columns.map((c) => c.name));
      const paths: Path[] = shuffle([
        ...sample(pool, 0.7).map((name): Path => ['custom_fields', name]),
        ...sample(pool, 0.4).flatMap((name): Path[] => (documented.has(name) ? [] : [[name]])),
      ]).slice(0, 120);
      const custom = paths.flatMap((path) => (path.length === 2 ? [path[1]] : []));
      const rules: FieldRules = Object.fromEntries(
        sample(paths, 0.1).map((path) => [
          path.join('.'),
          { rename: shuffle([...pool, 'subject', 'status', `${'r'.repeat(70)}`])[0] as string },
        ]),
      );
      const assignedColumns = new Map<string, string>();
      // In each load, different fields are declared, and different fields have values.
      for (let id = 1; id <= 4; id++) {
        const table = toTable(TICKETS, await declareFields(shuffle(sample(custom, id === 3 ? 0 : 0.6))), rules);
        const fields = shuffle(sample(paths, id === 4 ? 1 : 0.7)).map(
          (path) => [path, `text ${JSON.stringify(path)}`] as const,
        );
        const misfits = await loadTickets(table, [buildTicket(id, fields)], id).catch((cause: unknown) => {
          throw new Error(`The load failed: ${context}, ticket ${id}`, { cause });
        });
        expect(misfits, context).toEqual([]);
        for (const name of ['tickets', 'tickets_history']) {
          const columns = await findColumnsByText(name, id);
          for (const [path, text] of fields) {
            const found = columns.get(text) ?? [];
            expect(found, `${context}: ${text} in ${name}`).toHaveLength(1);
            expect(Buffer.byteLength(found[0] as string)).toBeLessThanOrEqual(63);
            if (name !== 'tickets') continue;
            const previous = assignedColumns.get(text) ?? found[0];
            expect(found[0], `${context}: ${text} has changed its column`).toBe(previous);
            assignedColumns.set(text, found[0] as string);
            expect(found[0], `${context}: ${JSON.stringify(path)}`).toMatch(/^[a-z_][a-z0-9_]*$/);
          }
          expect(columns.size, context).toBe(fields.length);
        }
        const asOf = await database.sql.unsafe(`select count(*)::int as n from acme.tickets_as_of('2030-01-01')`);
        expect(asOf[0], context).toEqual({ n: id });
      }
      expect(new Set(assignedColumns.values()).size, context).toBe(assignedColumns.size);
    }
  });

  test('the names follow the documented naming rule', async () => {
    const names = ['cf_size', 'cf_Size', 'cf_Größe', 'cf_ctid', `${LONG}1`, `${LONG}2`, 'x', 'cf_x'];
    const table = toTable(TICKETS, await declareFields(names), { type: { rename: 'kind' } });
    await loadTickets(
      table,
      [
        buildTicket(1, [
          ...names.map((name) => [['custom_fields', name], `text ${name}`] as const),
          [['ctid'], 'text ctid'],
          [['kind'], 'text kind'],
        ]),
      ],
      1,
    );
    const columns = await findColumnsByText('tickets', 1);
    const hashed = (name: string) => expect.stringMatching(new RegExp(`^${name}_[0-9a-f]{8}$`));
    expect(Object.fromEntries([...columns].map(([text, found]) => [text.slice(5), found]))).toEqual({
      cf_size: ['cf_size'],
      cf_Size: [hashed('cf_size')],
      cf_Größe: [hashed('cf_gr_e')],
      cf_ctid: ['cf_ctid'],
      [`${LONG}1`]: [hashed(LONG.slice(0, 54))],
      [`${LONG}2`]: [hashed(LONG.slice(0, 54))],
      x: [hashed('cf_x')],
      cf_x: ['cf_x'],
      ctid: [hashed('ctid')],
      // A field rule renames a documented field to this name.
      kind: [hashed('kind')],
    });
  });

  test('a load succeeds if a field is defined twice, has no name, or has a name that PostgreSQL cannot store', async () => {
    const columns = await declareFields(['cf_a', 'cf_a', '', 'cf_\u0000', 'cf_\ud800']);
    await loadTickets(
      toTable(TICKETS, columns),
      [`{"id":1,"updated_at":"2026-01-01T00:00:00Z","custom_fields":{"cf_a":"text a","cf_\\u0000":"text nul"}}`],
      1,
    );
    const found = await findColumnsByText('tickets', 1);
    expect(found.get('text a')).toEqual(['cf_a']);
    expect(found.get('text nul')).toHaveLength(1);
  });
});

describe('Warehouse.erase', () => {
  test('finds rows and versions by a field whose column has a different name than the field', async () => {
    const custom: Path = ['custom_fields', 'cf_owner'];
    await loadTickets(
      toTable(TICKETS, await declareFields(['cf_owner'])),
      [buildTicket(1, [[custom, 'text owner']])],
      1,
    );
    const table = toTable(TICKETS, await declareFields(['cf_owner']), { requester_id: { rename: 'cf_owner' } });
    const record = (id: number) => buildTicket(id, [[custom, 'text owner']]).replace('{', '{"requester_id":77,');
    await loadTickets(table, [record(2), record(3).replace(':77', ':78')], 2);
    const filter = {
      schema: 'acme',
      tablePrefix: '',
      table: 'tickets',
      keyColumn: 'id',
      anyOf: ['requester_id', 'cf_owner'].map((column) => ({ column, values: ['77'] })),
    };
    expect(await warehouse.count(filter)).toEqual({ rows: 1, versions: 1 });
    expect(await warehouse.erase(filter, 1)).toEqual({ rows: 1, versions: 1, keys: ['2'] });
    expect(await warehouse.count(filter)).toEqual({ rows: 0, versions: 0 });
  });
});

describe('a load into a table of an earlier release', () => {
  const field = (name: string): Path => ['custom_fields', name];

  test('fills the columns that the earlier release named differently, and adds no second column for a field', async () => {
    await loadTickets(toTable(TICKETS), [buildTicket(1, [])], 1, false);
    // Earlier releases stored the paths of undeclared fields, but not the paths of declared fields.
    await database.sql.unsafe(`
      alter table acme.tickets add column "cf_Größe" text, add column "cf_Size" text, add column cf_plain text,
        add column cf_gr_e_00000000 text;
      comment on column acme.tickets."cf_Größe" is 'Custom field “Größe”.';
      comment on column acme.tickets.cf_gr_e_00000000 is '{"path":["custom_fields","cf_grün"]}'`);
    const names = ['cf_Größe', 'cf_Size', 'cf_plain', 'cf_grün'];
    const before =
      await database.sql`select count(*)::int as n from information_schema.columns where table_schema = 'acme' and table_name = 'tickets'`;
    const fields = names.map((name) => [field(name), `text ${name}`] as const);
    await loadTickets(toTable(TICKETS, await declareFields(names)), [buildTicket(2, fields)], 2);
    // The API key can no longer read the field definitions.
    await loadTickets(toTable(TICKETS), [buildTicket(3, fields)], 3);
    for (const id of [2, 3]) {
      expect(Object.fromEntries(await findColumnsByText('tickets', id))).toEqual({
        'text cf_Größe': ['cf_Größe'],
        'text cf_Size': ['cf_Size'],
        'text cf_plain': ['cf_plain'],
        'text cf_grün': ['cf_gr_e_00000000'],
      });
    }
    expect(
      await database.sql`select count(*)::int as n from information_schema.columns where table_schema = 'acme' and table_name = 'tickets'`,
    ).toEqual(before);
    const [comment] = await database.sql.unsafe(
      `select col_description('acme.tickets'::regclass, attnum) as c from pg_attribute where attname = 'cf_Größe' and attrelid = 'acme.tickets'::regclass`,
    );
    expect(comment?.['c']).toBe('Custom field “Größe”. {"path":["custom_fields","cf_Größe"]}');
    // Afterwards, a different field with the same column name cannot claim the column.
    await loadTickets(
      toTable(TICKETS, await declareFields(['plain', 'cf_plain'])),
      [
        buildTicket(4, [
          [field('plain'), 'text plain'],
          [field('cf_plain'), 'text cf_plain'],
        ]),
      ],
      4,
    );
    const found = await findColumnsByText('tickets', 4);
    expect(found.get('text cf_plain')).toEqual(['cf_plain']);
    expect(found.get('text plain')).toEqual([expect.stringMatching(/^cf_plain_[0-9a-f]{8}$/)]);
  });

  test('never writes a user’s column that has the name of an unknown field', async () => {
    await loadTickets(toTable(TICKETS), [buildTicket(1, [])], 1, false);
    await database.sql.unsafe(`
      alter table acme.tickets add column note text default 'mine';
      update acme.tickets set note = 'mine';
      comment on column acme.tickets.note is 'Ours.'`);
    await loadTickets(toTable(TICKETS), [buildTicket(1, [[['note'], 'text theirs']])], 2, false);
    expect(await database.sql`select note from acme.tickets`).toEqual([{ note: 'mine' }]);
    expect((await findColumnsByText('tickets', 1)).get('text theirs')).toEqual([
      expect.stringMatching(/^note_[0-9a-f]{8}$/),
    ]);
    const [comment] = await database.sql.unsafe(
      `select col_description('acme.tickets'::regclass, attnum) as c from pg_attribute where attname = 'note' and attrelid = 'acme.tickets'::regclass`,
    );
    expect(comment?.['c']).toBe('Ours.');
  });
});
