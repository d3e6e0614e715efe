import { randomInt } from 'node:crypto';
import { parseJson } from '@freshet/contracts';
import { createDatabase, type TestDatabase } from '@freshet/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { batch, type Loader, loaderFor } from './test-support/loading.ts';

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

const SEED = Number(process.env['FRESHET_SEED'] ?? randomInt(2 ** 31));

/** A generator of pseudo-random numbers below a bound (mulberry32). */
function randomBelow(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % bound;
  };
}

/** 64-bit integers of 16 to 19 digits, of which doubles hold some exactly, and their limits. */
function integers(seed: number, count: number): string[] {
  const below = randomBelow(seed);
  const found = new Set([
    '9007199254740991',
    '9007199254740992',
    '9007199254740993',
    '-9007199254740992',
    '12345678901234568',
    '1855870000000000000',
  ]);
  for (const limit of [
    '9223372036854775807',
    '-9223372036854775808',
    '9223372036854774784',
    '1000000000000000000',
    '4611686018427387904',
  ])
    found.add(limit);
  while (found.size < count) {
    const kind = below(3);
    const near = 2n ** BigInt(53 + below(10)) + BigInt(below(64) - 32);
    const digits = 16 + below(4);
    const random = BigInt(`${1 + below(9)}${Array.from({ length: digits - 1 }, () => below(10)).join('')}`);
    // A multiple of a power of two is what doubles hold exactly.
    const value = kind === 0 ? near : kind === 1 ? random : (random >> 11n) << 11n;
    const signed = below(2) === 0 ? value : -value;
    if (signed <= 2n ** 63n - 1n && signed >= -(2n ** 63n)) found.add(String(signed));
  }
  return [...found];
}

describe('integers', () => {
  test('64-bit integers of 16 to 19 digits land digit for digit as keys, columns, custom fields and nested values, also in the history (I10)', async () => {
    const values = integers(SEED, 400);
    const record = (n: string) =>
      `{"id":${n},"parent_id":${n},"amount":${n},"name":${n},"tags":[{"n":${n}}],"unknown":${n},"custom_fields":{"cf_n":${n},"nested":{"n":[${n}]}},"updated_at":"2026-01-01T00:00:00Z"}`;
    const result = await loader.load([batch(values.map(record))], { history: true });
    expect(result.rejected, `seed ${SEED}`).toEqual([]);
    expect(result.misfits, `seed ${SEED}`).toEqual([]);
    for (const table of ['things', 'things_history']) {
      const rows = await database.sql.unsafe(
        `select id::text, parent_id::text, amount::text, name, tags::text, unknown::text, cf_n::text, cf_nested::text, custom_fields::text, _freshet_notes,
           pg_typeof(parent_id)::text || pg_typeof(unknown)::text || pg_typeof(cf_n)::text as types from acme.${table}`,
      );
      expect(new Set(rows.map((r) => r['id'] as string)), `seed ${SEED}`).toEqual(new Set(values));
      for (const row of rows) {
        const n = row['id'] as string;
        expect(row, `seed ${SEED}`).toMatchObject({
          parent_id: n,
          amount: n,
          name: n,
          unknown: n,
          cf_n: n,
          tags: `[{"n": ${n}}]`,
          cf_nested: `{"n": [${n}]}`,
          custom_fields: `{"cf_n": ${n}, "nested": {"n": [${n}]}}`,
          _freshet_notes: null,
          types: 'bigintbigintbigint',
        });
      }
    }
    // A record that was cleaned is parsed and written anew.
    await loader.load([
      batch(
        values.map((n) => record(n).replace('"parent_id"', '"odd":"a\\u0000","exponent":1e3,"parent_id"')),
        { at: 1 },
      ),
    ]);
    const [row] =
      await database.sql`select count(*)::int as n from acme.things where id = parent_id and name = id::text and _freshet_notes is not null`;
    expect(row, `seed ${SEED}`).toEqual({ n: values.length });
    // A complete reading by the same keys misses none of them.
    const { batches } = await loader.load([
      batch(values.map(record), { at: 2 }, { generation: { id: 'g', began_at: '2026-01-01T00:00:02Z' } }),
    ]);
    expect(batches[0]?.counts.deleted, `seed ${SEED}`).toBe(0);
  });

  test('an integer beyond 64 bits is no key, and a number that equals an integer is one, however it is spelled (I10)', async () => {
    const keys = [
      '9223372036854775808',
      '-9223372036854775809',
      '12.0',
      '1e3',
      '9007199254740993.0',
      '1.5',
      '9007199254740991.5',
      '1.00000000000000000001',
    ];
    const { rejected } = await loader.load([
      batch(keys.map((id) => `{"id":${id},"updated_at":"2026-01-01T00:00:00Z"}`)),
    ]);
    expect(rejected.map(({ line, reason }) => [keys[line], reason])).toEqual(
      ['9223372036854775808', '-9223372036854775809', '1.5', '9007199254740991.5', '1.00000000000000000001'].map(
        (id) => [id, 'key_not_bigint: id'],
      ),
    );
    expect((await loader.rows('id')).map((r) => r['id'])).toEqual(['12', '1000', '9007199254740993']);
  });

  test('an audit lists the numbers without a row below one outlying key, without enumerating all of them (I9)', async () => {
    const record = (id: string) => `{"id":${id},"updated_at":"2026-01-01T00:00:00Z"}`;
    const suspects = { id: 'g', began_at: '2026-01-01T00:00:00Z', suspects: { gaps: true } };
    const { suspects: few } = await loader.load([batch(['2', '3', '6'].map(record), {}, { generation: suspects })]);
    expect(few.map(({ key, reason }) => `${key} ${reason}`)).toEqual(['5 gap', '4 gap', '1 gap']);
    const { suspects: many } = await loader.load([
      batch(['2', '3', '6', '9007199254740993'].map(record), { at: 1 }, { generation: suspects }),
    ]);
    expect(many.length).toBe(100_000);
    expect(many[0]?.key).toBe('9007199254740992');
    expect(many.at(-1)?.key).toBe(String(9007199254740993n - 100_000n));
  });

  test('parsing and writing JSON keeps every digit of a number (I10)', () => {
    const below = randomBelow(SEED);
    const texts = integers(SEED + 1, 300).flatMap((n) => [
      n,
      `${n}.${below(1e9)}1`,
      `${n.replace('-', '').slice(0, 9)}.${n.replace('-', '').slice(3)}1`,
    ]);
    for (const text of texts)
      expect(JSON.stringify(parseJson(`[{"n":${text}}]`)), `seed ${SEED}`).toBe(`[{"n":${text}}]`);
  });
});
