import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { buildBatch, buildThing } from '../test-support/test-loader.ts';
import { useTestLoader } from '../test-support/use-test-loader.ts';

const { database, loader } = await useTestLoader();
const { sql } = database;
const READER = `reader_of_${database.name}`;

beforeAll(() => sql.unsafe(`create role ${READER}; create role owner_of_${database.name}`));
afterAll(() =>
  sql.unsafe(
    [`owner_of_${database.name}`, READER].map((role) => `drop owned by ${role} cascade; drop role ${role}`).join(';'),
  ),
);
beforeEach(() => sql.unsafe('drop schema if exists reporting cascade; create schema reporting'));

const buildPrice = (id: number, price: unknown) => buildThing(id, 0, { price });
/** Loads one price that fits a column of integers, and then two prices of a different type. */
async function loadPrices(setUp: string, price: unknown = 'lots') {
  await loader.load([buildBatch([buildPrice(1, 5)])], { hasHistory: true });
  await sql.unsafe(setUp);
  return loadMore(price);
}
const loadMore = (price: unknown, extractedAt = 1, firstId = 2 * extractedAt) =>
  loader.load([buildBatch([buildPrice(firstId, price), buildPrice(firstId + 1, price)], { extractedAt })], {
    hasHistory: true,
  });

/** Describes the views of the schema `reporting` and their dependent objects. */
const describeViews = () => sql`
  select c.relname, c.relkind, pg_get_viewdef(c.oid) as definition, pg_get_userbyid(c.relowner) as owner, c.reloptions,
    array(
      select a.grantee || a.privilege_type || a.is_grantable from aclexplode(c.relacl) a
      where a.grantee <> c.relowner order by 1
    ) as privileges,
    array(select a.attname || a.attacl::text from pg_attribute a where a.attrelid = c.oid and a.attacl is not null)
      as column_privileges,
    array(
      select d.objsubid || d.description from pg_description d
      where d.classoid = 'pg_class'::regclass and d.objoid = c.oid order by 1
    ) as comments,
    array(select indexdef from pg_indexes i where i.schemaname = 'reporting' and i.tablename = c.relname) as indexes,
    array(select pg_get_triggerdef(t.oid) from pg_trigger t where t.tgrelid = c.oid) as triggers,
    array(select pg_get_ruledef(r.oid) from pg_rewrite r where r.ev_class = c.oid and r.rulename <> '_RETURN') as rules,
    array(select pg_get_expr(d.adbin, d.adrelid) from pg_attrdef d where d.adrelid = c.oid) as defaults
  from pg_class c where c.relnamespace = 'reporting'::regnamespace and c.relkind in ('v', 'm') order by 1`;

const KEPT_IN_EXTRA = [
  { price: '5', _freshet_extra: null },
  { price: null, _freshet_extra: { price: 'lots' } },
  { price: null, _freshet_extra: { price: 'lots' } },
];
const readPrices = () => loader.rows('price, _freshet_extra');

describe('widenColumn', () => {
  test('creates the views of the column again with their owner, privileges, comments, indexes, triggers, rules and defaults (T15)', async () => {
    await loader.load([buildBatch([buildPrice(1, 5)])], { hasHistory: true });
    await sql.unsafe(`
      create view reporting.mine with (security_barrier) as select id, price from acme.things;
      create view reporting.above as select m.id, m.price as cost, h.valid_from
        from reporting.mine m join acme.things_history h on h.price = m.price and h.id = m.id;
      create materialized view reporting.stored with (fillfactor = 70) as select id, cost from reporting.above;
      create materialized view reporting.empty as select cost from reporting.above with no data;
      create view reporting.leaf as select cost from reporting.above;
      create view reporting.unrelated as select id, name from acme.things;
      create unique index stored_id on reporting.stored (id);
      create function reporting.ignore() returns trigger language plpgsql as 'begin return null; end';
      create trigger ignored instead of insert on reporting.mine for each row execute function reporting.ignore();
      create rule "no changes" as on update to reporting.above do instead nothing;
      alter view reporting.mine alter column id set default 7;
      alter view reporting.leaf owner to owner_of_${database.name};
      grant select on reporting.mine to ${READER} with grant option;
      grant select (cost), insert on reporting.above to public;
      comment on view reporting.mine is 'It''s mine';
      comment on column reporting.mine.price is E'Back\\\\slash';
      comment on materialized view reporting.stored is 'Stored.';
      alter default privileges in schema reporting grant delete on tables to public`);
    const before = await describeViews();
    const oid = await sql`select 'reporting.unrelated'::regclass::oid as oid`;
    expect(before).toHaveLength(6);
    for (const [n, type, price] of [
      [1, 'numeric', 5.25],
      [2, 'text', 'lots'],
    ] as const) {
      const count = 2 ** n;
      const { schemaChanges, misfits } = await loader.load(
        [
          buildBatch(
            Array.from({ length: 4 * count }, (_, i) => buildPrice(10 * n + i, price)),
            { extractedAt: n },
          ),
        ],
        { hasHistory: true },
      );
      expect(schemaChanges).toEqual([{ change: 'column_widened', table: 'things', column: 'price', type }]);
      expect(misfits).toEqual([]);
      expect(await describeViews()).toEqual(before);
      expect(await sql`select pg_typeof(cost)::text as type, cost::text from reporting.stored where id = 1`).toEqual([
        { type, cost: '5' },
      ]);
    }
    expect(await sql`select count(*)::int as n from reporting.above where cost = 'lots'`).toEqual([{ n: 8 + 8 }]);
    expect(await sql`select 'reporting.unrelated'::regclass::oid as oid`).toEqual(oid);
  });

  test.each([
    [
      'a view does not work with the new type',
      'create view reporting.mine as select price * 2 as twice from acme.things',
      /"reporting"\."mine".*operator does not exist/,
    ],
    [
      'a materialized view cannot convert a value',
      `create materialized view reporting.mine as select
         case when pg_typeof(price) = 'bigint'::regtype then 1 else ('x' || price)::int end from acme.things`,
      /"reporting"\."mine".*SQLSTATE 22P02/,
    ],
    [
      'a function uses a view',
      `create view reporting.mine as select price from acme.things;
       create function reporting.f() returns bigint begin atomic select sum(price) from reporting.mine; end`,
      /"reporting"\."mine".*other objects depend/,
    ],
    [
      'a policy uses the column',
      'create policy cheap on acme.things using (price < 10)',
      /object depends on the column .*policy/,
    ],
    ['an index uses the column', 'create index on acme.things ((price + 1))', /object depends on the column/],
    [
      'a property of a view cannot be restored',
      `create materialized view reporting.mine as select price from acme.things;
       alter materialized view reporting.mine alter column price set statistics 10`,
      /"reporting"\."mine".*settings of a column/,
    ],
  ])('keeps the type if %s, and states the reason', async (_, setUp, reason) => {
    const { misfits, schemaChanges } = await loadPrices(setUp);
    expect(schemaChanges).toEqual([]);
    expect(misfits).toMatchObject([
      {
        column: 'price',
        type: 'bigint',
        note: 'kept_in_extra',
        count: 2,
        wideningRefusal: expect.stringMatching(reason),
      },
    ]);
    expect(await readPrices()).toEqual(KEPT_IN_EXTRA);
  });

  test('executes the functions of a materialized view and of its indexes with the privileges of the owner', async () => {
    const owner = `owner_of_${database.name}`;
    await loadPrices(
      `create function reporting.get_role() returns text language sql as 'select current_user::text';
       create function reporting.mark(bigint) returns text language sql immutable as 'select current_user::text';
       create materialized view reporting.mine as
         select id, price, reporting.get_role() as computed_by from acme.things;
       create index marked on reporting.mine (reporting.mark(id)) where reporting.mark(id) <> '${owner}';
       grant usage on schema acme, reporting to ${owner};
       grant select on acme.things to ${owner};
       alter materialized view reporting.mine owner to ${owner}`,
      5.5,
    );
    expect(await sql`select distinct computed_by, pg_typeof(price)::text as type from reporting.mine`).toEqual([
      { computed_by: owner, type: 'numeric' },
    ]);
    // The index omits all rows for which the function has returned the owner.
    expect(await sql`select pg_relation_size('reporting.marked') / 8192 as pages`).toEqual([{ pages: '1' }]);
  });

  test('widens the column with the next value that does not fit after the user has dropped the view', async () => {
    const { misfits } = await loadPrices('create view reporting.mine as select price * 2 as twice from acme.things');
    expect(misfits).toHaveLength(1);
    expect(await sql`select twice::int from reporting.mine where twice is not null`).toEqual([{ twice: 10 }]);
    await sql.unsafe('drop view reporting.mine');
    expect((await loadMore('more', 2)).misfits).toEqual([]);
    expect((await readPrices()).map((row) => row['price'])).toEqual(['5', 'lots', 'lots', 'more', 'more']);
  });

  test('attempts a refused widening again only after a view has changed, because an attempt rewrites the table', async () => {
    const { misfits } = await loadPrices(`
      create sequence reporting.attempts;
      create materialized view reporting.mine as select nextval('reporting.attempts') as n,
        case when pg_typeof(price) = 'bigint'::regtype then 1 else ('x' || price)::int end from acme.things`);
    // The creation of the view was the first evaluation.
    const countAttempts = async () => (await sql`select last_value::int - 1 as n from reporting.attempts`)[0]?.['n'];
    expect(await countAttempts()).toBe(1);
    const again = await loadMore('more', 2);
    expect(again.misfits.map((m) => m.wideningRefusal)).toEqual(misfits.map((m) => m.wideningRefusal));
    expect(await countAttempts()).toBe(1);
    await sql.unsafe(`comment on materialized view reporting.mine is 'Changed.'`);
    await loadMore('some', 3);
    expect(await countAttempts()).toBe(2);
  });

  test('yields to a reader that uses the view, and widens the column with a later load', async () => {
    await loader.load([buildBatch([buildPrice(1, 5)])], { hasHistory: true });
    await sql.unsafe('create view reporting.mine as select price from acme.things');
    const reader = await sql.reserve();
    try {
      // The reader holds a lock of the table, and then opens the view. If the load waited for the
      // table, PostgreSQL would abort the reader after 2 seconds.
      await reader`begin`;
      await reader`set local deadlock_timeout = '2s'`;
      await reader`select count(*) from acme.things`;
      const [{ misfits }, rows] = await Promise.all([loadMore('lots'), reader`select price from reporting.mine`]);
      expect(misfits).toMatchObject([{ wideningRefusal: expect.stringContaining('another session uses') }]);
      expect(rows).toHaveLength(1);
      await reader`commit`;
    } finally {
      reader.release();
    }
    expect((await loadMore('more', 2)).misfits).toEqual([]);
  });

  test('readers see the view at all times', async () => {
    await loader.load([buildBatch([buildPrice(1, 5)])], { hasHistory: true });
    await sql.unsafe(`create view reporting.mine as select price from acme.things;
      create view reporting.above as select price from reporting.mine`);
    let isLoaded = false;
    const read = async () => {
      let reads = 0;
      for (; !isLoaded || reads === 0; reads++)
        expect(await sql`select price from reporting.above where price::text = '5'`).toHaveLength(1);
      return reads;
    };
    const reading = read();
    try {
      // A reader can delay the widening at most until the next load.
      let extractedAt = 1;
      while ((await loadMore('lots', extractedAt)).misfits.length > 0) extractedAt++;
    } finally {
      isLoaded = true;
    }
    expect(await reading).toBeGreaterThan(0);
    expect((await readPrices()).filter((row) => row['price'] === null)).toEqual([]);
  });
});
