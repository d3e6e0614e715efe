import type { AppError, Column } from '@freshet/contracts';
import { createDatabase, OwnServer, type TestDatabase } from '@freshet/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { prepare, Warehouse, type WarehouseAddress } from './index.ts';
import { addressOf, batch, type Loader, loaderFor, moment, THINGS } from './test-support/loading.ts';

let database: TestDatabase;
let loader: Loader;

beforeAll(async () => {
  database = await createDatabase();
  loader = loaderFor(database);
});
afterAll(async () => {
  await loader[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});
beforeEach(async () => {
  await database.sql.unsafe('drop schema if exists acme cascade');
});

const thing = (id: number, version: number, more: object = {}) => ({ id, updated_at: moment(version), ...more });

describe('I2: applied once', () => {
  test('a batch that comes twice changes nothing, and answers with the same counts', async () => {
    const b = batch([thing(1, 0), thing(2, 0)]);
    const first = await loader.load([b]);
    const before = await loader.rows();
    expect(first.changes).toEqual([{ change: 'table_added', table: 'things', column: null, type: null }]);
    expect(await loader.load([b])).toEqual({ ...first, changes: [] });
    expect(await loader.rows()).toEqual(before);
    expect(first.batches[0]?.counts).toEqual({
      records: 2,
      inserted: 2,
      updated: 0,
      unchanged: 0,
      rejected: 0,
      deleted: 0,
      missing: 0,
      stale: 0,
    });
  });

  test('ledger and table agree: the sum of what was inserted is the number of rows', async () => {
    for (let i = 0; i < 5; i++) await loader.load([batch([thing(i, i), thing(i + 1, i), thing(i + 2, i)], { at: i })]);
    const [sum] =
      await database.sql`select sum(inserted)::int as inserted, sum(records - inserted - updated - unchanged - rejected)::int as lost from acme._freshet_batches`;
    expect(sum).toEqual({ inserted: (await loader.rows()).length, lost: 0 });
    expect(await database.sql`select row_count::int from acme._freshet_objects`).toEqual([{ row_count: 7 }]);
  });

  test('a worker that another has taken over from can change nothing', async () => {
    await loader.load([batch([thing(1, 0)])], { epoch: 5 });
    await expect(loader.load([batch([thing(1, 1)])], { epoch: 4 })).rejects.toMatchObject({ code: 'fenced' });
    expect(await loader.rows('id, updated_at')).toEqual([{ id: '1', updated_at: new Date(moment(0)) }]);
    expect(await database.sql`select count(*)::int from acme._freshet_batches`).toEqual([{ count: 1 }]);
  });

  test('two loaders of one table at once leave what one after the other would', async () => {
    const batches = Array.from({ length: 8 }, (_, i) =>
      batch(
        Array.from({ length: 50 }, (_, n) => thing(n, i, { name: `v${i}` })),
        { at: i },
      ),
    );
    await Promise.all(batches.map((b) => loader.load([b])));
    expect((await loader.rows('name')).every((row) => row['name'] === 'v7')).toBe(true);
  });
});

describe('I4: newest wins', () => {
  test('batches in any order leave the same table', async () => {
    const batches = [
      batch([thing(1, 0, { name: 'old' })], { at: 0 }),
      batch([thing(1, 5, { name: 'new' })], { at: 5 }),
      batch([thing(1, 3, { name: 'between' })], { at: 9 }),
    ];
    for (const order of [
      [0, 1, 2],
      [2, 1, 0],
      [1, 0, 2],
      [1, 2, 0],
    ]) {
      await database.sql.unsafe('drop schema if exists acme cascade');
      for (const i of order) await loader.load([batches[i] as (typeof batches)[number]]);
      expect(await loader.rows('name'), order.join()).toEqual([{ name: 'new' }]);
    }
  });

  test('of two answers with one version, the later reading counts', async () => {
    await loader.load([batch([thing(1, 0, { name: 'later' })], { at: 60 })]);
    await loader.load([batch([thing(1, 0, { name: 'earlier' })], { at: 30 })]);
    expect(await loader.rows('name')).toEqual([{ name: 'later' }]);
  });

  test('one key several times in one load: the newest of them, and none is lost from the counts', async () => {
    const { batches } = await loader.load([
      batch([thing(1, 2, { name: 'b' }), thing(1, 1, { name: 'a' }), thing(1, 2, { name: 'c' })]),
      batch([thing(1, 1, { name: 'z' })], { at: 1 }),
    ]);
    expect(await loader.rows('name')).toEqual([{ name: 'c' }]);
    expect(batches.map((b) => b.counts.inserted + b.counts.updated + b.counts.unchanged)).toEqual([3, 1]);
  });

  test('a record that did not change does not touch its row', async () => {
    await loader.load([batch([thing(1, 0, { name: 'x' })])]);
    const before = await loader.rows('*, xmin::text, ctid::text');
    const { batches } = await loader.load([batch([thing(1, 0, { name: 'x' })], { at: 100 })]);
    expect(await loader.rows('*, xmin::text, ctid::text')).toEqual(before);
    expect(batches[0]?.counts.unchanged).toBe(1);
  });

  test('signed addresses that differ from answer to answer are no change', async () => {
    const file = (signature: string) => ({
      tags: [{ url: `https://files.example/1?Expires=${signature.length}&Signature=${signature}&Key-Pair-Id=K` }],
    });
    await loader.load([batch([thing(1, 0, file('aaa'))])]);
    const { batches } = await loader.load([batch([thing(1, 0, file('bbbb'))], { at: 1 })]);
    expect(batches[0]?.counts).toMatchObject({ unchanged: 1, updated: 0 });
  });
});

describe('deletions', () => {
  test('T24: a record in the trash is marked, keeps since when, and comes back when it is restored', async () => {
    await loader.load([batch([thing(1, 0)])]);
    const { batches } = await loader.load([batch([thing(1, 1)], { at: 10, deleted: 'trash' })]);
    expect(batches[0]?.counts).toMatchObject({ updated: 1, deleted: 1 });
    await loader.load([batch([thing(1, 2)], { at: 20, deleted: 'trash' })]);
    expect(await loader.rows('_freshet_deleted_at, _freshet_delete_kind')).toEqual([
      { _freshet_deleted_at: new Date(moment(10)), _freshet_delete_kind: 'trash' },
    ]);
    await loader.load([batch([thing(1, 3)], { at: 30 })]);
    expect(await loader.rows('_freshet_deleted_at, _freshet_delete_kind')).toEqual([
      { _freshet_deleted_at: null, _freshet_delete_kind: null },
    ]);
  });

  test('a generation marks what it does not hold, but not what was read again meanwhile', async () => {
    await loader.load([batch([thing(1, 0), thing(2, 0), thing(3, 0)], { at: 0 })]);
    await loader.load([batch([thing(3, 1)], { at: 200 })]);
    const { batches } = await loader.load([
      batch([thing(1, 0)], { at: 100 }, { generation: { id: 'g', began_at: moment(99) } }),
    ]);
    expect(batches[0]?.counts.deleted).toBe(1);
    expect(await loader.rows('id, _freshet_delete_kind')).toEqual([
      { id: '1', _freshet_delete_kind: null },
      { id: '2', _freshet_delete_kind: 'missing' },
      { id: '3', _freshet_delete_kind: null },
    ]);
    // It comes back, even exactly as it was.
    await loader.load([batch([thing(2, 0)], { at: 300 })]);
    expect(await loader.rows('id, _freshet_delete_kind')).toContainEqual({ id: '2', _freshet_delete_kind: null });
  });

  test('a row whose time of reading is in the future, by a clock that was wrong, is updated and marked as deleted all the same (I3)', async () => {
    const future = 20 * 365 * 86_400;
    await loader.load([batch([thing(1, 0, { name: 'one' }), thing(2, 0, { name: 'two' })], { at: future })]);
    const generation = { generation: { id: 'g', began_at: moment(60) } };
    const next = batch([thing(1, 0, { name: 'changed without a newer version' })], { at: 60 }, generation);
    await loader.load([next]);
    const rows = await loader.rows('id, name, _freshet_delete_kind as deleted');
    expect(rows).toEqual([
      { id: '1', name: 'changed without a newer version', deleted: null },
      { id: '2', name: 'two', deleted: 'missing' },
    ]);
  });

  test('a parent’s complete answer marks its children that are gone, and nobody else’s', async () => {
    const child = (id: number, parent_id: number) => thing(id, 0, { parent_id });
    await loader.load([batch([child(1, 7), child(2, 7), child(3, 8)])]);
    const complete = (parent: string, ...keys: string[]) => ({
      complete: { where: { parent_id: parent }, keys: keys.map((k) => [k]), began_at: moment(50), confirmed: true },
    });
    await loader.load([batch([child(2, 7)], { at: 50 }, complete('7', '2'))]);
    expect(await loader.rows('id, _freshet_delete_kind')).toEqual([
      { id: '1', _freshet_delete_kind: 'missing' },
      { id: '2', _freshet_delete_kind: null },
      { id: '3', _freshet_delete_kind: null },
    ]);
    await loader.load([batch([], { at: 60 }, complete('8'))]);
    expect(await loader.rows('id, _freshet_delete_kind')).toContainEqual({ id: '3', _freshet_delete_kind: 'missing' });
  });
});

describe('I7: an empty list where there are rows', () => {
  test('is not believed at once: the parent is to be asked again, and believed then', async () => {
    const child = (id: number, parent_id: number) => thing(id, 0, { parent_id });
    const empty = (parent: number, more: object = {}) => ({
      complete: { where: { parent_id: String(parent) }, keys: [], began_at: moment(50), ...more },
    });
    await loader.load([batch([child(1, 7), child(2, 7), child(3, 8)])]);
    const first = await loader.load([batch([], { at: 50 }, empty(7), empty(9))]);
    expect(first.doubted).toEqual(['7']);
    expect(first.batches[0]?.counts.deleted).toBe(0);
    const second = await loader.load([batch([], { at: 60 }, empty(7, { confirmed: true }))]);
    expect(second.doubted).toEqual([]);
    expect(await loader.rows('id::int, _freshet_delete_kind as kind')).toEqual([
      { id: 1, kind: 'missing' },
      { id: 2, kind: 'missing' },
      { id: 3, kind: null },
    ]);
  });
});

describe('deletions below', () => {
  test('what stood below a record that no longer exists is marked with it, level by level, and comes back with it', async () => {
    await using folders = loaderFor(database, { ...THINGS, name: 'folders' });
    await using files = loaderFor(database, { ...THINGS, name: 'files' });
    const below = [
      { name: 'folders', column: 'parent_id', parent: 'things', parentKey: 'id' },
      { name: 'files', column: 'parent_id', parent: 'folders', parentKey: 'id' },
    ];
    await loader.load([batch([thing(1, 0), thing(2, 0)])]);
    await folders.load([batch([thing(10, 0, { parent_id: 1 }), thing(20, 0, { parent_id: 2 })])]);
    await files.load([batch([thing(100, 0, { parent_id: 10 }), thing(200, 0, { parent_id: 20 })])]);
    await loader.load([batch([thing(2, 0)], { at: 100 }, { generation: { id: 'g', began_at: moment(99) } })], {
      below,
    });
    const kinds = async (l: Loader) => (await l.rows('_freshet_delete_kind')).map((r) => r['_freshet_delete_kind']);
    expect([await kinds(loader), await kinds(folders), await kinds(files)]).toEqual([
      ['missing', null],
      ['missing', null],
      ['missing', null],
    ]);
    await files.load([batch([thing(100, 0, { parent_id: 10 })], { at: 200 })]);
    expect(await kinds(files)).toEqual([null, null]);
  });
});

describe('I10: no silent loss', () => {
  test('ids beyond 2^53 and decimals beyond a double land digit for digit', async () => {
    await loader.load([
      batch([
        `{"id":9223372036854775807,"amount":0.12345678901234567890,"tags":[18482956273954458110],"updated_at":"${moment(0)}"}`,
      ]),
    ]);
    expect(await loader.rows('id::text, amount::text, tags::text')).toEqual([
      { id: '9223372036854775807', amount: '0.12345678901234567890', tags: '[18482956273954458110]' },
    ]);
  });

  test('NUL and lone surrogates, in values and keys, nested or not, are replaced with a note', async () => {
    await loader.load([
      batch([`{"id":1,"name":"a\\u0000b","tags":{"k\\u0000":["x\\ud800y"]},"updated_at":"${moment(0)}"}`]),
    ]);
    const [row] = await loader.rows('name, tags, _freshet_notes');
    expect(row).toMatchObject({ name: 'a\ufffdb', tags: { 'k\ufffd': ['x\ufffdy'] } });
    expect(row?.['_freshet_notes']).toMatchObject({
      nul_replaced: ['/name', '/tags/k\ufffd'],
      surrogate_replaced: ['/tags/k\ufffd/0'],
    });
  });

  test('a record without its key, or that is no object, is rejected with its reason and its text; the rest lands', async () => {
    const { batches, rejected } = await loader.load([
      batch([{ name: 'no key' }, thing(1, 0), '[1]', { id: 'abc', updated_at: moment(0) }]),
    ]);
    expect(rejected.map((r) => [r.line, r.reason])).toEqual([
      [0, 'key_missing: id'],
      [2, 'not_an_object'],
      [3, 'key_not_bigint: id'],
    ]);
    expect(rejected[0]?.raw).toContain('no key');
    expect(batches[0]?.counts).toMatchObject({ records: 4, inserted: 1, rejected: 3 });
  });

  test('a value that PostgreSQL itself refuses is found among many, and the rest lands', async () => {
    // A rule of the user's own, which no check of ours foresees.
    await loader.load([batch([thing(1000, 0)])]);
    await database.sql.unsafe('alter table acme.things add constraint small check (amount < 100)');
    const { rejected, batches } = await loader.load([
      batch(Array.from({ length: 300 }, (_, i) => thing(i, 0, { amount: i === 137 ? 5000 : 1 }))),
    ]);
    expect(rejected).toHaveLength(1);
    expect(JSON.parse(rejected[0]?.raw as string)).toMatchObject({ record: { id: 137 } });
    expect(batches[0]?.counts).toMatchObject({ inserted: 299, rejected: 1 });
    // Two of many more than are sent at once.
    const large = Array.from({ length: 2000 }, (_, i) =>
      thing(2000 + i, 0, { amount: i === 300 || i === 1700 ? 5000 : 1, name: 'x'.repeat(200) }),
    );
    const second = await loader.load([batch(large, { at: 1 })]);
    expect(second.rejected.map((r) => (JSON.parse(r.raw) as { record: { id: number } }).record.id).sort()).toEqual([
      2300, 3700,
    ]);
    expect(second.batches[0]?.counts).toMatchObject({ inserted: 1998, rejected: 2 });
  });

  test('values that do not fit a documented column are kept in _freshet_extra with a note and a misfit, and the column keeps its type (I10)', async () => {
    const values = ['2024-02-30', '0000-00-00', '', 'infinity', '12024-01-01', 1700000000, true, { a: 1 }];
    const records = values.map((day, n) => thing(n + 1, 0, { day, name: `kept ${n}` }));
    const { misfits, changes, batches, rejected } = await loader.load([
      batch([...records, thing(100, 0, { day: '2024-02-29' })]),
    ]);
    expect(changes).toEqual([{ change: 'table_added', table: 'things', column: null, type: null }]);
    expect(batches[0]?.counts).toMatchObject({ inserted: values.length + 1, rejected: 0 });
    expect(rejected).toEqual([]);
    expect(misfits).toEqual([
      { batchId: batches[0]?.batchId, column: 'day', type: 'date', note: 'kept_in_extra', count: values.length },
    ]);
    expect(await loader.rows('day::text, name, _freshet_extra, _freshet_notes')).toEqual([
      ...values.map((day, n) => ({
        day: null,
        name: `kept ${n}`,
        _freshet_extra: { day },
        _freshet_notes: { kept_in_extra: ['day'] },
      })),
      { day: '2024-02-29', name: null, _freshet_extra: null, _freshet_notes: null },
    ]);
  });

  test('a batch that comes twice reports the same misfits and rejected records (I2)', async () => {
    const again = batch([thing(1, 0, { day: 'never' }), thing(2, 0, { day: 'never' }), thing(3, 0)]);
    const first = await loader.load([again]);
    expect(await loader.load([again])).toEqual({ ...first, changes: [] });
    const frozen = batch([thing(4, 0, { day: 'never' }), thing(5, 0)], { at: 1 });
    const refused = await loader.load([frozen], { policy: 'freeze' });
    expect(refused.rejected).toMatchObject([{ line: 0, reason: 'value_not_date: day' }]);
    expect(await loader.load([frozen], { policy: 'freeze' })).toEqual(refused);
  });
});

describe('audits', () => {
  const reached = (asOf: number, backTo: number) => ({
    reached: {
      run_id: '00000000-0000-7000-8000-000000000000',
      complete_as_of: moment(asOf),
      complete_back_to: moment(backTo),
    },
  });

  test('what should have been there and what differs with the same version are counted, what is merely new is not', async () => {
    await loader.load([batch([thing(1, 10), thing(2, 20), thing(3, 30)], {}, reached(100, 5))]);
    await loader.load([batch([thing(4, 40)], { at: 1, deleted: 'missing' })]);
    const { batches } = await loader.load([
      batch(
        [
          thing(1, 10), // as it was
          thing(2, 20, { name: 'other' }), // stale
          thing(3, 31, { name: 'newer' }), // changed since
          thing(4, 40), // marked as deleted, though it exists
          thing(5, 50), // missing
          thing(6, 101), // newer than what the table claims to hold
          thing(7, 4), // older than what it claims to hold
        ],
        { at: 200, audit: true },
      ),
    ]);
    expect(batches[0]?.counts).toEqual({
      records: 7,
      inserted: 3,
      updated: 3,
      unchanged: 1,
      rejected: 0,
      deleted: 0,
      missing: 2,
      stale: 1,
    });
    // A batch that is no audit’s counts none of it.
    const sync = await loader.load([batch([thing(1, 10, { name: 'other' }), thing(8, 50)], { at: 300 })]);
    expect(sync.batches[0]?.counts).toMatchObject({ inserted: 1, updated: 1, missing: 0, stale: 0 });
  });

  test('what the reading did not hold is a suspect, and so is a number without a row; nothing is marked, and a repeat gives the same', async () => {
    await loader.load([batch([thing(1, 10), thing(2, 20), thing(4, 40), thing(7, 70)])]);
    await loader.load([batch([thing(6, 60)], { at: 1, deleted: 'trash' })]);
    const audit = batch(
      [thing(2, 20), thing(7, 70)],
      { at: 200, audit: true },
      { generation: { id: 'g', began_at: moment(200), suspects: { gaps: true } } },
    );
    for (let n = 0; n < 2; n++) {
      const { suspects } = await loader.load([audit]);
      expect(suspects.map(({ key, reason }) => `${reason} ${key}`)).toEqual(['unseen 4', 'unseen 1', 'gap 5', 'gap 3']);
      expect(suspects.every((s) => s.batchId === audit.id)).toBe(true);
    }
    expect(await loader.rows('_freshet_delete_kind as kind')).toEqual([
      { kind: null },
      { kind: null },
      { kind: null },
      { kind: 'trash' },
      { kind: null },
    ]);
    const shallow = batch(
      [thing(7, 70)],
      { at: 300, audit: true },
      { generation: { id: 'h', began_at: moment(300), since: moment(30), suspects: { gaps: false } } },
    );
    expect((await loader.load([shallow])).suspects.map((s) => s.key)).toEqual(['4']);
  });

  test('I7: an audit’s reading that lacks more than a fifth of the rows is not believed, where there is no address to ask at', async () => {
    await loader.load([batch(Array.from({ length: 30 }, (_, i) => thing(i, i)))]);
    const audit = (held: number, at: number) =>
      loader.load([
        batch(
          Array.from({ length: held }, (_, i) => thing(i, i)),
          { at, audit: true },
          { generation: { id: `g${at}`, began_at: moment(at), guarded: true } },
        ),
      ]);
    const empty = await audit(0, 100);
    expect(empty.notBelieved).toEqual([{ batchId: empty.batches[0]?.batchId, rows: 30 }]);
    expect((await audit(20, 200)).notBelieved).toMatchObject([{ rows: 10 }]);
    const believed = await audit(26, 300);
    expect(believed.notBelieved).toEqual([]);
    expect(believed.batches[0]?.counts.deleted).toBe(4);
    // However few there are: nothing at all is never believed.
    await database.sql.unsafe('delete from acme.things where id > 1');
    expect((await audit(0, 400)).notBelieved).toMatchObject([{ rows: 2 }]);
  });

  test('one that was asked for and is gone is marked by how that is known, unless it was read again since', async () => {
    await loader.load([batch([thing(1, 10), thing(2, 20)])]);
    await loader.load([batch([thing(3, 30)], { at: 500 })]);
    const gone = (id: number, kind: string) => ({ gone: { key: [String(id)], kind, at: moment(400) } });
    const { batches } = await loader.load([
      batch(
        [],
        { at: 400, audit: true },
        gone(1, 'not_found'),
        gone(2, 'became_agent'),
        gone(3, 'not_found'),
        gone(9, 'not_found'),
        {
          audited: { at: moment(350) },
        },
      ),
    ]);
    expect(batches[0]?.counts.deleted).toBe(2);
    expect(await loader.rows('_freshet_delete_kind as kind')).toEqual([
      { kind: 'not_found' },
      { kind: 'became_agent' },
      { kind: null },
    ]);
    expect(await database.sql`select last_audit_at from acme._freshet_objects`).toEqual([
      { last_audit_at: new Date(moment(350)) },
    ]);
    // It comes back as it was if it is seen again.
    await loader.load([batch([thing(1, 10)], { at: 600 })]);
    expect((await loader.rows('_freshet_delete_kind as kind'))[0]).toEqual({ kind: null });
  });
});

describe('columns', () => {
  test('unknown fields become columns, typed by their values; a field that is null says nothing yet', async () => {
    await loader.load([
      batch([thing(1, 0, { n: 5, f: 1.5, b: true, s: 'x', t: moment(0), o: { a: 1 }, l: [], nothing: null })]),
    ]);
    const types =
      await database.sql`select column_name as c, data_type as t from information_schema.columns where table_schema = 'acme' and table_name = 'things'`;
    const typeOf = Object.fromEntries(types.map((r) => [r['c'], r['t']]));
    expect(typeOf).toMatchObject({
      n: 'bigint',
      f: 'numeric',
      b: 'boolean',
      s: 'text',
      t: 'timestamp with time zone',
      o: 'jsonb',
      l: 'jsonb',
    });
    expect(typeOf).not.toHaveProperty('nothing');
    // They are filled from then on, by a loader that has never seen them as well.
    await using other = loaderFor(database);
    await other.load([batch([thing(2, 0, { n: 6, s: 'y' })], { at: 1 })]);
    expect(await loader.rows('n, s')).toEqual([
      { n: '5', s: 'x' },
      { n: '6', s: 'y' },
    ]);
  });

  test('the account’s own fields are columns, declared or not', async () => {
    const declared = {
      ...THINGS,
      columns: [
        ...THINGS.columns,
        { name: 'cf_paid_on', type: 'date' as const, description: 'Paid on.', path: ['custom_fields', 'cf_paid_on'] },
      ],
    };
    await using withField = loaderFor(database, declared);
    await withField.load([
      batch([thing(1, 0, { custom_fields: { cf_paid_on: '2026-01-02', department: 'Einkauf', vip: true } })]),
    ]);
    expect(await loader.rows('cf_paid_on::text, cf_department, cf_vip, custom_fields')).toEqual([
      {
        cf_paid_on: '2026-01-02',
        cf_department: 'Einkauf',
        cf_vip: true,
        custom_fields: { cf_paid_on: '2026-01-02', department: 'Einkauf', vip: true },
      },
    ]);
  });

  test('T15: a custom column widens when more of its values do not fit than do, and what was kept in _freshet_extra moves into it (I10)', async () => {
    const own = (id: number, cf_n: unknown) => thing(id, 0, { custom_fields: { cf_n } });
    await loader.load([batch([own(1, 5), own(2, 6)])]);
    // An outlier among values that fit.
    const outlier = await loader.load([batch([own(3, 'many')], { at: 1 })]);
    expect(outlier.changes).toEqual([]);
    expect(outlier.misfits).toMatchObject([{ column: 'cf_n', type: 'bigint', note: 'kept_in_extra', count: 1 }]);
    await loader.load([batch([own(4, 5.25)], { at: 2 })]);
    expect(await loader.rows('cf_n, _freshet_extra, _freshet_notes')).toEqual([
      { cf_n: '5', _freshet_extra: null, _freshet_notes: null },
      { cf_n: '6', _freshet_extra: null, _freshet_notes: null },
      { cf_n: null, _freshet_extra: { 'custom_fields.cf_n': 'many' }, _freshet_notes: { kept_in_extra: ['cf_n'] } },
      { cf_n: null, _freshet_extra: { 'custom_fields.cf_n': 5.25 }, _freshet_notes: { kept_in_extra: ['cf_n'] } },
    ]);
    // The third value that does not fit is one more than those that do.
    const { changes, misfits } = await loader.load([batch([own(5, 7.5)], { at: 3 })]);
    expect(changes).toEqual([{ change: 'column_widened', table: 'things', column: 'cf_n', type: 'numeric' }]);
    expect(misfits).toEqual([]);
    expect(await loader.rows('cf_n, _freshet_extra')).toEqual([
      { cf_n: '5', _freshet_extra: null },
      { cf_n: '6', _freshet_extra: null },
      { cf_n: null, _freshet_extra: { 'custom_fields.cf_n': 'many' } },
      { cf_n: '5.25', _freshet_extra: null },
      { cf_n: '7.5', _freshet_extra: null },
    ]);
    const more = [
      batch(
        Array.from({ length: 4 }, (_, i) => own(6 + i, 'lots')),
        { at: 4 },
      ),
    ];
    expect((await loader.load(more, { history: true })).changes).toEqual([
      { change: 'column_widened', table: 'things', column: 'cf_n', type: 'text' },
    ]);
    expect((await loader.rows('cf_n')).map((r) => r['cf_n'])).toEqual([
      '5',
      '6',
      'many',
      '5.25',
      '7.5',
      'lots',
      'lots',
      'lots',
      'lots',
    ]);
    expect(await loader.rows('distinct _freshet_extra, _freshet_notes, 1 as id')).toEqual([
      { _freshet_extra: null, _freshet_notes: null, id: 1 },
    ]);
  });

  test('a column is widened to the narrowest type that most values fit, so that an outlier among decimals does not make it text', async () => {
    const own = (id: number, cf_n: unknown) => thing(id, 0, { custom_fields: { cf_n } });
    await loader.load([batch([own(1, 5), own(2, 6)])]);
    const { changes, misfits } = await loader.load([
      batch([own(3, 1.5), own(4, 'many'), own(5, 2.5), own(6, 3.5)], { at: 1 }),
    ]);
    expect(changes).toEqual([{ change: 'column_widened', table: 'things', column: 'cf_n', type: 'numeric' }]);
    expect(misfits).toMatchObject([{ column: 'cf_n', type: 'numeric', count: 1 }]);
    expect((await loader.rows('cf_n')).map((r) => r['cf_n'])).toEqual(['5', '6', '1.5', null, '2.5', '3.5']);
  });

  test('a hashed field whose documented column is no text is stored as text from then on', async () => {
    await loader.load([batch([thing(1, 0, { parent_id: 5 }), thing(2, 0, { parent_id: 6 })])]);
    const { documented, ...parent } = THINGS.columns.find((c) => c.name === 'parent_id') as Column;
    const hashed: Column = { ...parent, type: 'text', path: ['parent_id'] };
    const table = { ...THINGS, columns: THINGS.columns.map((c) => (c.name === 'parent_id' ? hashed : c)) };
    const { misfits } = await loader.load([batch([thing(1, 1, { parent_id: 'a1b2' })], { at: 1 })], { table });
    expect(misfits).toEqual([]);
    expect(documented).toBe(true);
    expect((await loader.rows('parent_id')).map((r) => r['parent_id'])).toEqual(['a1b2', '6']);
  });

  test('values that do not fit are counted in whatever order they arrive: the same records leave the same types', async () => {
    const values: unknown[] = [1, 2, 'x', 3, 4, true, 5, 'y', 6];
    for (const order of [values, values.toReversed()]) {
      await database.sql.unsafe('drop schema if exists acme cascade');
      await loader.load([batch([thing(0, 0, { custom_fields: { cf_n: 0 } })])]);
      for (const [id, cf_n] of order.entries())
        await loader.load([batch([thing(id + 1, 0, { custom_fields: { cf_n } })], { at: id })]);
      expect(await loader.rows('distinct pg_typeof(cf_n)::text as type, 1 as id')).toEqual([{ type: 'bigint', id: 1 }]);
      expect(
        await database.sql`select count(*)::int as n from acme.things where cf_n is null and _freshet_extra is not null`,
      ).toEqual([{ n: 3 }]);
    }
  });

  test('a custom column takes the wider type that the account has given its field, also for one value', async () => {
    const fieldOf = (type: 'bigint' | 'numeric' | 'text') => ({
      ...THINGS,
      columns: [...THINGS.columns, { name: 'cf_n', type, description: 'N.', path: ['custom_fields', 'cf_n'] }],
    });
    const own = (id: number, cf_n: unknown) => thing(id, 0, { custom_fields: { cf_n } });
    await loader.load([batch([own(1, 1), own(2, 2), own(3, 3)])], { table: fieldOf('bigint') });
    expect((await loader.load([batch([own(4, 'a')], { at: 1 })], { table: fieldOf('bigint') })).misfits).toHaveLength(
      1,
    );
    const { changes, misfits } = await loader.load([batch([own(5, 'b')], { at: 2 })], { table: fieldOf('text') });
    expect(changes).toEqual([{ change: 'column_widened', table: 'things', column: 'cf_n', type: 'text' }]);
    expect(misfits).toEqual([]);
    // It is never narrowed again.
    await loader.load([batch([own(6, 'c')], { at: 3 })], { table: fieldOf('bigint') });
    expect((await loader.rows('cf_n')).map((r) => r['cf_n'])).toEqual(['1', '2', '3', 'a', 'b', 'c']);
  });

  test('a documented column that a user or an earlier release has changed keeps that type, and a column of another type is left alone (I10)', async () => {
    await loader.load([batch([thing(1, 0, { amount: 5, day: '2024-02-29', open: true })])]);
    await database.sql.unsafe(
      'alter table acme.things alter column amount type text using amount::text, alter column day type timestamp using day::timestamp, alter column open type double precision using 1, alter column name type varchar',
    );
    const { misfits } = await loader.load([
      batch([thing(2, 0, { amount: 'lots', day: '2024-03-01', open: false, name: 'short' })], { at: 1 }),
    ]);
    expect(misfits.map(({ column, type }) => [column, type])).toEqual([
      ['day', null],
      ['open', null],
    ]);
    expect(await loader.rows('amount, day, open, name, _freshet_extra, _freshet_notes')).toMatchObject([
      { amount: '5', open: 1, _freshet_extra: null },
      {
        amount: 'lots',
        day: null,
        open: null,
        name: 'short',
        _freshet_extra: { day: '2024-03-01', open: false },
        _freshet_notes: { kept_in_extra: ['day', 'open'] },
      },
    ]);
    // A length that the user allows at most would refuse values: they are kept as for a type that Freshet does not write.
    await database.sql.unsafe('alter table acme.things alter column name type varchar(10)');
    const limited = await loader.load([batch([thing(3, 0, { name: 'longer than ten characters' })], { at: 2 })]);
    expect(limited.rejected).toEqual([]);
    expect((await loader.rows('id, _freshet_extra')).at(-1)).toMatchObject({
      id: '3',
      _freshet_extra: { name: 'longer than ten characters' },
    });
    expect(
      (await loader.load([batch([thing(4, 0, { open: true })], { at: 3 })], { policy: 'freeze' })).rejected,
    ).toMatchObject([{ reason: 'column_not_writable: open' }]);
    await database.sql.unsafe('alter table acme.things alter column updated_at type timestamp');
    await expect(loader.load([batch([thing(5, 0)], { at: 4 })])).rejects.toMatchObject({
      code: 'warehouse_data',
      message: expect.stringContaining('updated_at'),
    });
  });

  test.each([
    ['u_int', '5', '1.5', 'numeric', ['5', '1.5']],
    ['u_int', '5', '9223372036854775808', 'numeric', ['5', '9223372036854775808']],
    ['u_int', '5', '"x"', 'text', ['5', 'x']],
    ['u_int', '5', 'true', 'text', ['5', 'true']],
    ['u_int', '5', '{"a": 1}', 'text', ['5', '{"a":1}']],
    ['u_decimal', '1.50', '"x"', 'text', ['1.50', 'x']],
    ['u_decimal', '1.50', 'false', 'text', ['1.50', 'false']],
    ['u_decimal', '1.50', '[1]', 'text', ['1.50', '[1]']],
    ['u_flag', 'true', '1', 'text', ['true', '1']],
    ['u_flag', 'true', '"yes"', 'text', ['true', 'yes']],
    [
      'cf_day',
      '"2024-02-29"',
      '"2024-03-01T10:00:00Z"',
      'timestamp with time zone',
      ['2024-02-29 00:00:00+00', '2024-03-01 10:00:00+00'],
    ],
    ['cf_day', '"2024-02-29"', '"2024-02-30"', 'text', ['2024-02-29', '2024-02-30']],
    ['cf_day', '"2024-02-29"', '5', 'text', ['2024-02-29', '5']],
    ['u_seen', '"2024-03-01T10:00:00Z"', '"never"', 'text', ['2024-03-01 10:00:00+00', 'never']],
    ['u_seen', '"2024-03-01T10:00:00Z"', '5', 'text', ['2024-03-01 10:00:00+00', '5']],
    // These take every value.
    ['name', '"x"', '5', 'text', ['x', '5']],
    ['name', '"x"', '{"a": 1}', 'text', ['x', '{"a":1}']],
    ['tags', '["x"]', '5', 'jsonb', ['["x"]', '5']],
  ])('T15: %s with %s once, then %s twice, is %s', async (field, first, second, type, stored) => {
    await database.sql.unsafe(`alter database ${database.name} set timezone = 'UTC'`);
    const table = {
      ...THINGS,
      columns: [
        ...THINGS.columns,
        { name: 'cf_day', type: 'date' as const, description: 'Day.', path: ['custom_fields', 'day'] },
      ],
    };
    const record = (id: number, value: string) =>
      `{"id":${id},${field === 'cf_day' ? `"custom_fields":{"day":${value}}` : `"${field}":${value}`}}`;
    await loader.load([batch([record(1, first)])], { table });
    await loader.load([batch([record(2, second), record(3, second)], { at: 1 })], { table });
    const [column] =
      await database.sql`select data_type as type from information_schema.columns where table_schema = 'acme' and table_name = 'things' and column_name = ${field}`;
    expect(column?.['type']).toBe(type);
    const rows = await database.sql
      .unsafe(`set timezone = 'UTC'; select ${field}::text as v from acme.things order by id`)
      .simple();
    const expected = [...stored, stored.at(-1) as string].map((v) => v.replaceAll(' ', ''));
    expect((rows.at(-1) as unknown as { v: string }[]).map((r) => r.v.replaceAll(' ', '').replace('T', ''))).toEqual(
      expected,
    );
  });

  test('a new column waits for nobody who reads for long, and nobody waits for it: the load is tried again', async () => {
    await loader.load([batch([thing(1, 0)])]);
    const reader = await database.sql.reserve();
    await reader`begin`;
    await reader`select count(*) from acme.things`;
    await expect(loader.load([batch([thing(2, 0, { brand_new: 1 })], { at: 1 })])).rejects.toMatchObject({
      code: 'warehouse_busy',
    });
    // Whoever came behind the change has been let through.
    expect(await loader.rows('id')).toEqual([{ id: '1' }]);
    await reader`commit`;
    reader.release();
    await loader.load([batch([thing(2, 0, { brand_new: 1 })], { at: 1 })]);
    expect(await loader.rows('brand_new')).toEqual([{ brand_new: null }, { brand_new: '1' }]);
  });

  test('a column that a view of the user’s needs is not widened: the value is kept in _freshet_extra, with a note', async () => {
    await loader.load([batch([thing(1, 0, { price: 5 })])]);
    await database.sql.unsafe('create view acme.mine as select price from acme.things');
    await loader.load([batch([thing(2, 0, { price: 'lots' }), thing(3, 0, { price: 'more' })], { at: 1 })]);
    expect(await loader.rows('price, _freshet_extra, _freshet_notes')).toEqual([
      { price: '5', _freshet_extra: null, _freshet_notes: null },
      { price: null, _freshet_extra: { price: 'lots' }, _freshet_notes: { kept_in_extra: ['price'] } },
      { price: null, _freshet_extra: { price: 'more' }, _freshet_notes: { kept_in_extra: ['price'] } },
    ]);
    expect(await database.sql`select count(*)::int from acme.mine`).toEqual([{ count: 3 }]);
  });

  test('policy freeze rejects the record, policy discard nulls the value with a note', async () => {
    await loader.load([batch([thing(1, 0)])]);
    const frozen = await loader.load([batch([thing(2, 0, { amount: 'x' })], { at: 1 })], { policy: 'freeze' });
    expect(frozen.rejected).toMatchObject([{ reason: 'value_not_numeric: amount' }]);
    await loader.load([batch([thing(3, 0, { amount: 'x' })], { at: 2 })], { policy: 'discard' });
    expect(await loader.rows('id, amount, _freshet_notes')).toEqual([
      { id: '1', amount: null, _freshet_notes: null },
      { id: '3', amount: null, _freshet_notes: { discarded: ['amount'] } },
    ]);
  });

  test('more unknown fields than a table should have columns go to _freshet_extra', async () => {
    const many = Object.fromEntries(Array.from({ length: 400 }, (_, i) => [`field_${i}`, i]));
    await loader.load([batch([thing(1, 0, many)])]);
    const [row] = await loader.rows();
    const columns = Object.keys(row as object).filter((c) => c.startsWith('field_'));
    expect(columns.length).toBe(300 - THINGS.columns.length);
    expect(Object.keys(row?.['_freshet_extra'] as object)).toHaveLength(400 - columns.length);
  });

  test('names that are long, reserved, upper case or ours get columns of their own', async () => {
    const long = (end: string) => `a${'b'.repeat(70)}${end}`;
    await loader.load([
      batch([
        thing(1, 0, {
          select: 1,
          Name: 'upper',
          _freshet_hash: 'theirs',
          ctid: 'x',
          [long('1')]: 1,
          [long('2')]: 2,
          'größe "x"': 3,
        }),
      ]),
    ]);
    const [row] = await loader.rows();
    const values = Object.entries(row as object).filter(
      ([c]) => !c.startsWith('_freshet') && !THINGS.columns.some((t) => t.name === c),
    );
    expect(values.map(([, v]) => v)).toEqual(expect.arrayContaining(['1', 'upper', 'theirs', 'x', '1', '2', '3']));
    expect(values.every(([c]) => Buffer.byteLength(c) <= 63)).toBe(true);
    expect(row).toHaveProperty('select');
  });

  test('T16: a column may have the name of its table', async () => {
    const table = { ...THINGS, name: 'tags' };
    await using own = loaderFor(database, table);
    await own.load([batch([thing(1, 0, { tags: ['a'] })])]);
    await own.load([batch([thing(1, 1, { tags: ['b'] })], { at: 1 })]);
    expect(await own.rows('tags')).toEqual([{ tags: ['b'] }]);
  });
});

describe('rules for columns', () => {
  test('a renamed field fills its column, declared or not; a dropped one has none, or one that is emptied', async () => {
    await loader.load([batch([thing(1, 0, { name: 'a', amount: 5 })])]);
    const table = {
      ...THINGS,
      columns: THINGS.columns.map((c) =>
        c.name === 'name'
          ? { ...c, name: 'title', path: ['name'] }
          : c.name === 'amount' || c.name === 'day'
            ? { ...c, dropped: true as const }
            : c,
      ),
      renames: { name: 'title', 'custom_fields.cf_x': 'own_x' },
    };
    await using ruled = loaderFor(database, table);
    await ruled.load([
      batch(
        [
          thing(1, 1, { name: 'b', amount: null, custom_fields: { cf_x: 1 } }),
          thing(2, 1, { name: 'c', amount: null }),
        ],
        { at: 1 },
      ),
    ]);
    expect(await loader.rows('name, title, amount, own_x')).toEqual([
      { name: 'a', title: 'b', amount: null, own_x: '1' },
      { name: null, title: 'c', amount: null, own_x: null },
    ]);
    await database.sql.unsafe('drop schema acme cascade');
    await ruled.load([batch([thing(1, 0, { name: 'a' })])]);
    const columns =
      await database.sql`select column_name as c from information_schema.columns where table_schema = 'acme' and table_name = 'things'`;
    const names = columns.map((r) => r['c'] as string);
    expect(names).toContain('title');
    expect(names.filter((n) => ['name', 'amount', 'day'].includes(n))).toEqual([]);
  });
});

describe('rebuild', () => {
  test('rows that were lost or changed by hand are written again, newer ones stay, and nothing is concluded from generations', async () => {
    await loader.load([batch([thing(1, 10, { name: 'a' }), thing(2, 20, { name: 'b' }), thing(3, 30, { name: 'c' })])]);
    await loader.load([batch([thing(3, 50, { name: 'newer' })], { at: 100 })]);
    await database.sql.unsafe(
      `delete from acme.things where id = 1; update acme.things set name = 'by hand' where id = 2`,
    );
    const again = batch(
      [thing(1, 10, { name: 'a' }), thing(2, 20, { name: 'b' }), thing(3, 30, { name: 'c' })],
      { at: 0, rewrite: true },
      { generation: { id: 'g', began_at: moment(200) } },
    );
    const { batches } = await loader.load([again]);
    expect(batches[0]?.counts).toMatchObject({ records: 3, inserted: 1, updated: 1, unchanged: 1, deleted: 0 });
    expect(await loader.rows('name')).toEqual([{ name: 'a' }, { name: 'b' }, { name: 'newer' }]);
    // As a whole table that is gone.
    await database.sql.unsafe('drop table acme.things');
    await loader.load([batch([thing(1, 10, { name: 'a' })], { at: 0, rewrite: true })]);
    expect(await loader.rows('name')).toEqual([{ name: 'a' }]);
  });
});

describe('history', () => {
  const history = true;
  const versions = async () => [
    ...(await database.sql`select id::int, name, valid_from as from, valid_to as to, _freshet_delete_kind as kind from acme.things_history order by id, valid_from`),
  ];
  const asOf = async (seconds: number) => [
    ...(await database.sql`select id::int, name from acme.things_as_of(${moment(seconds)}) order by id`),
  ];
  const at = (seconds: number) => new Date(moment(seconds));

  test('every version is kept, from when to when it stood; a function answers the table as it was', async () => {
    await loader.load([batch([thing(1, 10, { name: 'a' }), thing(2, 20, { name: 'x' })], { at: 100 })], { history });
    await loader.load([batch([thing(1, 30, { name: 'b' }), thing(2, 20, { name: 'x' })], { at: 200 })], { history });
    // An older version that comes late, and one that was there already.
    await loader.load([batch([thing(1, 15, { name: 'late' })], { at: 250 })], { history });
    await loader.load([batch([thing(2, 40, { name: 'y' })], { at: 300, deleted: 'trash' })], { history });
    expect(await versions()).toEqual([
      { id: 1, name: 'a', from: at(10), to: at(30), kind: null },
      { id: 1, name: 'b', from: at(30), to: null, kind: null },
      { id: 2, name: 'x', from: at(20), to: at(300), kind: null },
      { id: 2, name: 'y', from: at(300), to: null, kind: 'trash' },
    ]);
    expect([await asOf(5), await asOf(25), await asOf(35)]).toEqual([
      [],
      [
        { id: 1, name: 'a' },
        { id: 2, name: 'x' },
      ],
      [
        { id: 1, name: 'b' },
        { id: 2, name: 'x' },
      ],
    ]);
  });

  test('I2: a batch that comes twice adds no version, and one that differs with the same version does', async () => {
    const b = batch([thing(1, 10, { name: 'a' })], { at: 100 });
    await loader.load([b], { history });
    await loader.load([b], { history });
    await loader.load([batch([thing(1, 10, { name: 'repaired' })], { at: 200, audit: true })], { history });
    const [first, second] = (await versions()) as [{ name: string; to: Date }, { name: string; from: Date; to: null }];
    expect([first.name, second.name, second.to]).toEqual(['a', 'repaired', null]);
    expect(second.from).toEqual(first.to);
  });

  test('what is marked as missing, here and below, ends its version', async () => {
    await using folders = loaderFor(database, { ...THINGS, name: 'folders' });
    const below = [{ name: 'folders', column: 'parent_id', parent: 'things', parentKey: 'id' }];
    await loader.load([batch([thing(1, 10), thing(2, 20)])], { history });
    await folders.load([batch([thing(10, 5, { parent_id: 1 })])], { history });
    await loader.load([batch([thing(2, 20)], { at: 100 }, { generation: { id: 'g', began_at: moment(99) } })], {
      below,
      history,
    });
    expect((await versions()).map((v) => [v['id'], v['kind'], v['to']])).toEqual([
      [1, null, at(99)],
      [1, 'missing', null],
      [2, null, null],
    ]);
    expect([
      ...(await database.sql`select _freshet_delete_kind as kind, valid_to as to from acme.folders_history order by valid_from`),
    ]).toEqual([
      { kind: null, to: at(99) },
      { kind: 'missing', to: null },
    ]);
  });

  test('it begins with what the table holds, follows new and wider columns, and goes on after a pause with what has changed', async () => {
    await loader.load([batch([thing(1, 10, { name: 'a' }), thing(2, 20, { name: 'x' })])]);
    await loader.load([batch([thing(1, 30, { name: 'b', extra: 1 })], { at: 100 })], { history });
    const { changes } = await loader.load(
      [batch([thing(1, 40, { name: 'c', extra: 'text' }), thing(2, 20, { name: 'x', extra: 'text' })], { at: 200 })],
      {
        history,
      },
    );
    expect(changes).toEqual([{ change: 'column_widened', table: 'things', column: 'extra', type: 'text' }]);
    expect((await versions()).map((v) => `${v['id']} ${v['name']}`)).toEqual(['1 a', '1 b', '1 c', '2 x', '2 x']);
    expect(
      [...(await database.sql`select extra from acme.things_history where id = 1 order by valid_from`)].map(
        (r) => r['extra'],
      ),
    ).toEqual([null, '1', 'text']);
    await loader.load([batch([thing(2, 50, { name: 'paused' })], { at: 300 })]);
    expect(await versions()).toHaveLength(5);
    await loader.load([batch([thing(1, 60, { name: 'd' })], { at: 400 })], { history });
    expect((await versions()).map((v) => `${v['id']} ${v['name']}`)).toEqual([
      '1 a',
      '1 b',
      '1 c',
      '1 d',
      '2 x',
      '2 x',
      '2 paused',
    ]);
    expect((await asOf(45)).map((r) => r['name'])).toEqual(['c', 'x']);
  });
});

describe('the connection', () => {
  test('a test of a good one names the version, and nothing is left behind', async () => {
    const [server] = await database.sql<{ version: string }[]>`select current_setting('server_version') as version`;
    expect(await loader.warehouse.test('acme')).toEqual({
      usable: true,
      missingGrants: [],
      serverVersion: server?.version,
    });
    expect(await database.sql`select count(*)::int from pg_namespace where nspname = 'acme'`).toEqual([{ count: 0 }]);
  });

  test('a plan says what loading would change, and changes nothing', async () => {
    const plan = () => loader.warehouse.plan('acme', '', [THINGS]);
    const { statements, tables } = await plan();
    const [fresh] = tables;
    expect(fresh).toMatchObject({
      table: 'things',
      exists: false,
      statements: expect.arrayContaining([expect.stringContaining('create table "acme"."things"')]),
    });
    expect(await database.sql`select count(*)::int from pg_namespace where nspname = 'acme'`).toEqual([{ count: 0 }]);
    await loader.load([batch([thing(1, 0)])]);
    const asItShouldBe = { statements: [], tables: [{ table: 'things', exists: true, statements: [] }] };
    expect(await plan()).toEqual(asItShouldBe);
    await database.sql`alter table acme.things drop column amount`;
    expect((await plan()).tables[0]?.statements).toEqual([
      'alter table "acme"."things" add column if not exists "amount" numeric;alter table if exists "acme"."things_history" add column if not exists "amount" numeric;comment on column "acme"."things"."amount" is \'amount. {"path":["amount"]}\';',
    ]);
    // What it says is what makes it.
    await database.sql`drop schema acme cascade`;
    await database.sql.unsafe([...statements, ...(fresh?.statements ?? [])].join(''));
    expect(await plan()).toEqual(asItShouldBe);
  });

  test('a role that may not create a schema is told what somebody must run, and can load once it was', async () => {
    const role = `r_${database.name}`;
    await database.sql.unsafe(`create role ${role} login password 'secret'`);
    const limited = new Warehouse({ ...addressOf(database.warehouseUrl), username: role, password: 'secret' });
    try {
      const verdict = await limited.test('acme');
      expect(verdict.usable).toBe(false);
      expect(verdict.missingGrants).toEqual([`CREATE SCHEMA "acme" AUTHORIZATION "${role}";`]);
      const request = {
        schema: 'acme',
        tablePrefix: '',
        table: THINGS,
        epoch: 1,
        policy: 'evolve' as const,
        history: false,
        restartedAt: null,
        below: [],
        prepared: await prepare([batch([thing(1, 0)])], THINGS),
        generation: async function* () {},
      };
      await expect(limited.load(request)).rejects.toMatchObject({ code: 'warehouse_permission' });
      for (const grant of verdict.missingGrants) await database.sql.unsafe(grant);
      expect((await limited.test('acme')).usable).toBe(true);
      await limited.load(request);
      expect(await loader.rows('id')).toEqual([{ id: '1' }]);
    } finally {
      await limited.close();
      await database.sql.unsafe(`drop owned by ${role} cascade; drop role ${role}`);
    }
  });

  test('TLS: a server whose certificate is signed by a CA that was given is trusted, and no other, unless that is asked for', async () => {
    await using server = await OwnServer.start();
    const sslCa = await server.enableTls();
    const address = addressOf(server.url);
    const verdict = async (tls: Pick<WarehouseAddress, 'sslMode' | 'sslCa'>) => {
      const warehouse = new Warehouse({ ...address, ...tls });
      try {
        return (await warehouse.test('acme')).usable;
      } catch (error) {
        return (error as AppError).code;
      } finally {
        await warehouse.close();
      }
    };
    expect(await verdict({ sslMode: 'verify-full', sslCa })).toBe(true);
    expect(await verdict({ sslMode: 'verify-full' })).toBe('warehouse_unavailable');
    expect(await verdict({ sslMode: 'require' })).toBe(true);
  });

  test.each([
    ['a wrong password', { password: 'wrong' }, 'warehouse_auth'],
    ['a database that does not exist', { database: 'nowhere' }, 'warehouse_unavailable'],
    ['a port where nobody answers', { port: 1 }, 'warehouse_unavailable'],
    ['a host that does not resolve', { host: 'nowhere.invalid' }, 'warehouse_unavailable'],
  ])('%s is told as what it is', async (_name, wrong, code) => {
    const warehouse = new Warehouse({ ...addressOf(database.warehouseUrl), ...wrong });
    try {
      await expect(warehouse.test('acme')).rejects.toMatchObject({ code });
    } finally {
      await warehouse.close();
    }
  });
});
