import { randomInt, randomUUID } from 'node:crypto';
import { zstdCompressSync } from 'node:zlib';
import { columnNameOf, type FieldRules, RawObject, type Table } from '@freshet/contracts';
import { customColumnsOf, objectNamed, tableOf } from '@freshet/freshdesk-extractor';
import { createDatabase, type TestDatabase } from '@freshet/testing';
import { prepare, Warehouse } from '@freshet/warehouse-loader';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

let database: TestDatabase;
let warehouse: Warehouse;

beforeAll(async () => {
  database = await createDatabase();
  const { hostname, port, username, password, pathname } = new URL(database.warehouseUrl);
  warehouse = new Warehouse({
    host: hostname,
    port: Number(port),
    database: pathname.slice(1),
    username,
    password,
    sslMode: 'disable',
  });
});
afterAll(async () => {
  await warehouse.close();
  await database[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await database.sql.unsafe('drop schema if exists acme cascade');
});

const TICKETS = objectNamed('tickets');
type Path = readonly [string] | readonly ['custom_fields', string];

/** What the account defines as its ticket fields, as columns. */
async function declaredColumns(names: readonly string[], type = 'custom_text') {
  const records = names.map((name) => ({
    raw: RawObject.of(Buffer.from(JSON.stringify({ name, type, label: `It's “${name}”` }))),
  }));
  const list = async () => ({ records, hasNext: false, serverTime: new Date() });
  return customColumnsOf({ list, view: list as never }, TICKETS);
}

async function load(table: Table, records: readonly string[], at: number, history = true) {
  const body = zstdCompressSync(Buffer.from(records.map((record) => `{"record":${record}}`).join('\n')));
  const prepared = await prepare(
    [{ id: randomUUID(), extractedAt: new Date(at * 1000), body, rawBytes: 1, audit: false, rewrite: false }],
    table,
  );
  const { rejected, misfits } = await warehouse.load({
    schema: 'acme',
    tablePrefix: '',
    table,
    below: [],
    epoch: 1,
    policy: 'evolve',
    restartedAt: null,
    history,
    prepared,
    generation: async function* () {},
  });
  expect(rejected).toEqual([]);
  return misfits;
}

/** A ticket, as JSON, each of whose fields holds a different text. Built from strings, because an object literal cannot have every name. */
function ticket(id: number, fields: readonly (readonly [Path, string])[]): string {
  const pairs = (own: readonly (readonly [Path, string])[]) =>
    own.map(([path, text]) => `,${JSON.stringify(path.at(-1))}:${JSON.stringify(text)}`).join('');
  const custom = pairs(fields.filter(([path]) => path.length === 2)).slice(1);
  return `{"id":${id},"updated_at":"2026-01-01T00:00:0${id % 10}Z"${pairs(fields.filter(([path]) => path.length === 1))},"custom_fields":{${custom}}}`;
}

/** Text → the columns that hold it, in a row of a table. */
async function columnsByText(table: string, id: number): Promise<Map<string, string[]>> {
  const rows = await database.sql.unsafe<{ key: string; value: string }[]>(
    `select e.key, e.value from acme.${table} t, jsonb_each_text(to_jsonb(t)) e where t.id = ${id} and e.value like 'text %'`,
  );
  const found = new Map<string, string[]>();
  for (const { key, value } of rows) found.set(value, [...(found.get(value) ?? []), key]);
  return found;
}

const LONG = `cf_${'y'.repeat(80)}`;
const HOSTILE = [
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

/** A pseudo-random generator (mulberry32). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe('column names', () => {
  test('every field has a column to itself, whatever its name, declared or not, renamed or not, in any order (I10)', async () => {
    const random = generator(SEED);
    const some = <T>(of: readonly T[], share: number) => of.filter(() => random() < share);
    const shuffled = <T>(of: readonly T[]) =>
      of
        .map((value) => [random(), value] as const)
        .sort(([a], [b]) => a - b)
        .map(([, value]) => value);
    for (let round = 0; round < ROUNDS; round++) {
      await database.sql.unsafe('drop schema if exists acme cascade');
      const context = `seed ${SEED}, round ${round}`;
      // A name, the name that its column has, and the name that its column has when another field has that name.
      const pool = [
        ...new Set(
          some(HOSTILE, 0.6).flatMap((name) => [name, columnNameOf([name]), columnNameOf(['custom_fields', name])]),
        ),
      ];
      const documented = new Set(TICKETS.columns.map((c) => c.name));
      const paths: Path[] = shuffled([
        ...some(pool, 0.7).map((name): Path => ['custom_fields', name]),
        ...some(pool, 0.4).flatMap((name): Path[] => (documented.has(name) ? [] : [[name]])),
      ]).slice(0, 120);
      const custom = paths.flatMap((path) => (path.length === 2 ? [path[1]] : []));
      const rules: FieldRules = Object.fromEntries(
        some(paths, 0.1).map((path) => [
          path.join('.'),
          { rename: shuffled([...pool, 'subject', 'status', `${'r'.repeat(70)}`])[0] as string },
        ]),
      );
      const seen = new Map<string, string>();
      // Each time other fields are declared, and others hold a value.
      for (let id = 1; id <= 4; id++) {
        const table = tableOf(TICKETS, await declaredColumns(shuffled(some(custom, id === 3 ? 0 : 0.6))), rules);
        const fields = shuffled(some(paths, id === 4 ? 1 : 0.7)).map(
          (path) => [path, `text ${JSON.stringify(path)}`] as const,
        );
        const misfits = await load(table, [ticket(id, fields)], id).catch((cause: unknown) => {
          throw new Error(`The load failed: ${context}, ticket ${id}`, { cause });
        });
        expect(misfits, context).toEqual([]);
        for (const name of ['tickets', 'tickets_history']) {
          const columns = await columnsByText(name, id);
          for (const [path, text] of fields) {
            const found = columns.get(text) ?? [];
            expect(found, `${context}: ${text} in ${name}`).toHaveLength(1);
            expect(Buffer.byteLength(found[0] as string)).toBeLessThanOrEqual(63);
            if (name !== 'tickets') continue;
            const known = seen.get(text) ?? found[0];
            expect(found[0], `${context}: ${text} has moved`).toBe(known);
            seen.set(text, found[0] as string);
            expect(found[0], `${context}: ${JSON.stringify(path)}`).toMatch(/^[a-z_][a-z0-9_]*$/);
          }
          expect(columns.size, context).toBe(fields.length);
        }
        const asOf = await database.sql.unsafe(`select count(*)::int as n from acme.tickets_as_of('2030-01-01')`);
        expect(asOf[0], context).toEqual({ n: id });
      }
      expect(new Set(seen.values()).size, context).toBe(seen.size);
    }
  });

  test('each case of the rule has the name that the documentation promises', async () => {
    const names = ['cf_size', 'cf_Size', 'cf_Größe', 'cf_ctid', `${LONG}1`, `${LONG}2`, 'x', 'cf_x'];
    const table = tableOf(TICKETS, await declaredColumns(names), { type: { rename: 'kind' } });
    await load(
      table,
      [
        ticket(1, [
          ...names.map((name) => [['custom_fields', name], `text ${name}`] as const),
          [['ctid'], 'text ctid'],
          [['kind'], 'text kind'],
        ]),
      ],
      1,
    );
    const columns = await columnsByText('tickets', 1);
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
      // A documented field has been renamed to it.
      kind: [hashed('kind')],
    });
  });

  test('a field that is defined twice, has no name, or holds characters that PostgreSQL cannot store does not fail its object', async () => {
    const columns = await declaredColumns(['cf_a', 'cf_a', '', 'cf_\u0000', 'cf_\ud800']);
    await load(
      tableOf(TICKETS, columns),
      [`{"id":1,"updated_at":"2026-01-01T00:00:00Z","custom_fields":{"cf_a":"text a","cf_\\u0000":"text nul"}}`],
      1,
    );
    const found = await columnsByText('tickets', 1);
    expect(found.get('text a')).toEqual(['cf_a']);
    expect(found.get('text nul')).toHaveLength(1);
  });
});

describe('erasure', () => {
  test('rows are found by a field whose column has another name because its own was taken, also in the history', async () => {
    const custom: Path = ['custom_fields', 'cf_owner'];
    await load(tableOf(TICKETS, await declaredColumns(['cf_owner'])), [ticket(1, [[custom, 'text owner']])], 1);
    const table = tableOf(TICKETS, await declaredColumns(['cf_owner']), { requester_id: { rename: 'cf_owner' } });
    const record = (id: number) => ticket(id, [[custom, 'text owner']]).replace('{', '{"requester_id":77,');
    await load(table, [record(2), record(3).replace(':77', ':78')], 2);
    const rows = {
      schema: 'acme',
      tablePrefix: '',
      table: 'tickets',
      key: 'id',
      among: ['requester_id', 'cf_owner'].map((column) => ({ column, values: ['77'] })),
    };
    expect(await warehouse.count(rows)).toEqual({ rows: 1, versions: 1 });
    expect(await warehouse.erase(rows, 1)).toEqual({ rows: 1, versions: 1, keys: ['2'] });
    expect(await warehouse.count(rows)).toEqual({ rows: 0, versions: 0 });
  });
});

describe('tables of earlier releases', () => {
  const field = (name: string): Path => ['custom_fields', name];

  test('a column that an earlier release has named otherwise is filled further, declared or not, and there is no second one', async () => {
    await load(tableOf(TICKETS), [ticket(1, [])], 1, false);
    // As they created columns: without a path for fields that were declared, with it for others.
    await database.sql.unsafe(`
      alter table acme.tickets add column "cf_Größe" text, add column "cf_Size" text, add column cf_plain text, add column cf_gr_e_00000000 text;
      comment on column acme.tickets."cf_Größe" is 'Custom field “Größe”.';
      comment on column acme.tickets.cf_gr_e_00000000 is '{"path":["custom_fields","cf_grün"]}'`);
    const names = ['cf_Größe', 'cf_Size', 'cf_plain', 'cf_grün'];
    const before =
      await database.sql`select count(*)::int as n from information_schema.columns where table_schema = 'acme' and table_name = 'tickets'`;
    const fields = names.map((name) => [field(name), `text ${name}`] as const);
    await load(tableOf(TICKETS, await declaredColumns(names)), [ticket(2, fields)], 2);
    // The key may not see the definitions any more.
    await load(tableOf(TICKETS), [ticket(3, fields)], 3);
    for (const id of [2, 3]) {
      expect(Object.fromEntries(await columnsByText('tickets', id))).toEqual({
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
    // From then on another field that would have the name cannot take the column.
    await load(
      tableOf(TICKETS, await declaredColumns(['plain', 'cf_plain'])),
      [
        ticket(4, [
          [field('plain'), 'text plain'],
          [field('cf_plain'), 'text cf_plain'],
        ]),
      ],
      4,
    );
    const found = await columnsByText('tickets', 4);
    expect(found.get('text cf_plain')).toEqual(['cf_plain']);
    expect(found.get('text plain')).toEqual([expect.stringMatching(/^cf_plain_[0-9a-f]{8}$/)]);
  });

  test('a column of a user that has the name of an unknown field is never written', async () => {
    await load(tableOf(TICKETS), [ticket(1, [])], 1, false);
    await database.sql.unsafe(`
      alter table acme.tickets add column note text default 'mine';
      update acme.tickets set note = 'mine';
      comment on column acme.tickets.note is 'Ours.'`);
    await load(tableOf(TICKETS), [ticket(1, [[['note'], 'text theirs']])], 2, false);
    expect(await database.sql`select note from acme.tickets`).toEqual([{ note: 'mine' }]);
    expect((await columnsByText('tickets', 1)).get('text theirs')).toEqual([
      expect.stringMatching(/^note_[0-9a-f]{8}$/),
    ]);
    const [comment] = await database.sql.unsafe(
      `select col_description('acme.tickets'::regclass, attnum) as c from pg_attribute where attname = 'note' and attrelid = 'acme.tickets'::regclass`,
    );
    expect(comment?.['c']).toBe('Ours.');
  });
});
