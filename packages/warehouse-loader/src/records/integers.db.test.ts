import { parseJson } from '@freshet/contracts';
import { describe, expect, test } from 'vitest';
import { createRandom, readSeed } from '../test-support/random.ts';
import { buildBatch } from '../test-support/test-loader.ts';
import { useTestLoader } from '../test-support/use-test-loader.ts';

const { database, loader } = await useTestLoader();
const SEED = readSeed();

/**
 * Generates 64-bit integers of 16 to 19 digits, including the limits. Doubles can represent only
 * some of these integers exactly.
 */
function generateIntegers(seed: number, count: number): string[] {
  const nextInt = createRandom(seed);
  const generated = new Set([
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
    generated.add(limit);
  while (generated.size < count) {
    const kind = nextInt(3);
    const near = 2n ** BigInt(53 + nextInt(10)) + BigInt(nextInt(64) - 32);
    const digits = 16 + nextInt(4);
    const random = BigInt(`${1 + nextInt(9)}${Array.from({ length: digits - 1 }, () => nextInt(10)).join('')}`);
    // The third kind is a multiple of 2^11, which a double can represent exactly.
    const value = kind === 0 ? near : kind === 1 ? random : (random >> 11n) << 11n;
    const signed = nextInt(2) === 0 ? value : -value;
    if (signed <= 2n ** 63n - 1n && signed >= -(2n ** 63n)) generated.add(String(signed));
  }
  return [...generated];
}

describe('integers beyond the precision of doubles', () => {
  test('are stored with all digits in keys, columns, custom fields and nested values of a table and its history (I10)', async () => {
    const values = generateIntegers(SEED, 400);
    const record = (n: string) =>
      `{"id":${n},"parent_id":${n},"amount":${n},"name":${n},"tags":[{"n":${n}}],"unknown":${n},"custom_fields":{"cf_n":${n},"nested":{"n":[${n}]}},"updated_at":"2026-01-01T00:00:00Z"}`;
    const result = await loader.load([buildBatch(values.map(record))], { hasHistory: true });
    expect(result.rejectedRecords, `seed ${SEED}`).toEqual([]);
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
    // Sanitized records are parsed and encoded again.
    await loader.load([
      buildBatch(
        values.map((n) => record(n).replace('"parent_id"', '"odd":"a\\u0000","exponent":1e3,"parent_id"')),
        { extractedAt: 1 },
      ),
    ]);
    const [row] =
      await database.sql`select count(*)::int as n from acme.things where id = parent_id and name = id::text and _freshet_notes is not null`;
    expect(row, `seed ${SEED}`).toEqual({ n: values.length });
    // A generation with the same keys marks no rows as deleted.
    const { batches } = await loader.load([
      buildBatch(values.map(record), { extractedAt: 2 }, { generation: { id: 'g', began_at: '2026-01-01T00:00:02Z' } }),
    ]);
    expect(batches[0]?.counts.deleted, `seed ${SEED}`).toBe(0);
  });

  test('are accepted as keys in any notation of an integer, but rejected if they exceed 64 bits or have a fraction (I10)', async () => {
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
    const { rejectedRecords } = await loader.load([
      buildBatch(keys.map((id) => `{"id":${id},"updated_at":"2026-01-01T00:00:00Z"}`)),
    ]);
    expect(rejectedRecords.map(({ line, reason }) => [keys[line], reason])).toEqual(
      ['9223372036854775808', '-9223372036854775809', '1.5', '9007199254740991.5', '1.00000000000000000001'].map(
        (id) => [id, 'key_not_bigint: id'],
      ),
    );
    expect((await loader.rows('id')).map((r) => r['id'])).toEqual(['12', '1000', '9007199254740993']);
  });

  test('used as keys, do not cause an audit to list all unused ids below them (I9)', async () => {
    const record = (id: string) => `{"id":${id},"updated_at":"2026-01-01T00:00:00Z"}`;
    const generation = { id: 'g', began_at: '2026-01-01T00:00:00Z', suspects: { gaps: true } };
    const { deletionCandidates: candidates } = await loader.load([
      buildBatch(['2', '3', '6'].map(record), {}, { generation }),
    ]);
    expect(candidates.map(({ key, reason }) => `${key} ${reason}`)).toEqual(['5 gap', '4 gap', '1 gap']);
    const { deletionCandidates: manyCandidates } = await loader.load([
      buildBatch(['2', '3', '6', '9007199254740993'].map(record), { extractedAt: 1 }, { generation }),
    ]);
    expect(manyCandidates.length).toBe(100_000);
    expect(manyCandidates[0]?.key).toBe('9007199254740992');
    expect(manyCandidates.at(-1)?.key).toBe(String(9007199254740993n - 100_000n));
  });

  test('are parsed and stringified with all digits (I10)', () => {
    const nextInt = createRandom(SEED);
    const texts = generateIntegers(SEED + 1, 300).flatMap((n) => [
      n,
      `${n}.${nextInt(1e9)}1`,
      `${n.replace('-', '').slice(0, 9)}.${n.replace('-', '').slice(3)}1`,
    ]);
    for (const text of texts)
      expect(JSON.stringify(parseJson(`[{"n":${text}}]`)), `seed ${SEED}`).toBe(`[{"n":${text}}]`);
  });
});
