import { columnNameOf, isJsonObject, isRawNumber, type Json, type JsonObject, parseJson } from '@freshet/contracts';
import { createDatabase } from '@freshet/testing';
import { expect, test } from 'vitest';
import { batch, loaderFor } from './test-support/loading.ts';
import { RandomRecords } from './test-support/random-records.ts';

/** A million: FRESHET_RANDOM_RECORDS=1000000 npm test -- packages/warehouse-loader/src/random.db.test.ts */
const RECORDS = Number(process.env['FRESHET_RANDOM_RECORDS'] ?? 6000);
const AT_ONCE = 250;
const LOADS = 4;

test(
  'I10: of random records of every shape each lands as it was, or with a note, or is a rejected record; no batch is aborted',
  async () => {
    const random = new RandomRecords(
      process.env['FRESHET_SEED'] === undefined ? undefined : Number(process.env['FRESHET_SEED']),
    );
    await using database = await createDatabase();
    await using loader = loaderFor(database);
    const seen = { landed: 0, noted: 0, rejected: 0 };
    for (let id = 1; id <= RECORDS; ) {
      // A table of its own for a few loads: its columns take their types from what comes first.
      await database.sql.unsafe('drop schema if exists acme cascade');
      for (let load = 0; load < LOADS && id <= RECORDS; load++) {
        const texts = new Map<number, string>();
        for (let n = 0; n < AT_ONCE; n++) texts.set(id, random.record(id++));
        const context = `seed ${random.seed}, records ${id - AT_ONCE} to ${id - 1}`;
        const { batches, rejected } = await loader
          .load([batch([...texts.values()], { at: load })])
          .catch((cause: unknown) => {
            throw new Error(`A batch was aborted: ${context}`, { cause });
          });
        expect(batches[0]?.counts, context).toMatchObject({
          records: AT_ONCE,
          rejected: rejected.length,
          inserted: AT_ONCE - rejected.length,
        });
        const rows = new Map(
          (
            await database.sql.unsafe<{ id: string; row: string }[]>(
              `select id::text, to_jsonb(t)::text as row from acme.things t where id > ${id - 1 - AT_ONCE}`,
            )
          ).map((r) => [Number(r.id), parseJson(r.row) as JsonObject]),
        );
        const refused = new Set(rejected.map((r) => r.line));
        [...texts].forEach(([key, text], line) => {
          const row = rows.get(key);
          if (row === undefined) {
            expect(refused.has(line), `${context}: ${text} is neither there nor rejected`).toBe(true);
            seen.rejected++;
            return;
          }
          if (row['_freshet_notes'] === null) seen.landed++;
          else seen.noted++;
          const lost = differences(parseJson(text) as JsonObject, row);
          expect(lost, `${context}: ${text}\nlanded as ${JSON.stringify(row)}`).toEqual([]);
        });
      }
    }
    // All three ways out were taken.
    expect(Math.min(seen.landed, seen.noted, seen.rejected), JSON.stringify(seen)).toBeGreaterThan(RECORDS / 1000);
  },
  Math.max(120_000, RECORDS * 2),
);

/** The fields of a record that do not stand in its row as they were, or as a note says. */
function differences(record: JsonObject, row: JsonObject): string[] {
  const notes = (row['_freshet_notes'] ?? {}) as Record<string, string[]>;
  const extra = (row['_freshet_extra'] ?? {}) as JsonObject;
  const lost: string[] = [];
  const check = (name: string, place: string, value: Json) => {
    if (value === null) return;
    const have = row[name];
    const want = cleaned(value);
    if (have !== undefined && have !== null && same(have, want)) return;
    // Text that nobody could read otherwise, or a value that its column could not hold.
    if (notes['depth_as_text'] && typeof value === 'object') return;
    if (
      place in extra &&
      same(extra[place] as Json, want) &&
      (have === undefined || notes['kept_in_extra']?.includes(name))
    )
      return;
    lost.push(`${place} = ${JSON.stringify(value)} stands as ${JSON.stringify(have)}`);
  };
  for (const [field, value] of Object.entries(record)) check(columnNameOf([field]), field, value);
  const custom = record['custom_fields'];
  if (isJsonObject(custom))
    for (const [field, value] of Object.entries(cleaned(custom) as JsonObject))
      check(columnNameOf(['custom_fields', field]), `custom_fields.${field}`, value);
  if (JSON.stringify(cleaned(record)) !== JSON.stringify(record)) {
    const said = Object.keys(notes).some((code) =>
      ['nul_replaced', 'surrogate_replaced', 'number_as_text', 'depth_as_text'].includes(code),
    );
    if (!said) lost.push('changed without a note');
  }
  return lost;
}

/** What PostgreSQL can hold of a value, by the rules that the documentation states. */
function cleaned(value: Json): Json {
  if (typeof value === 'string') return value.replaceAll('\0', '\ufffd').toWellFormed();
  if (isRawNumber(value))
    return Math.abs(Number(/[eE]([+-]?\d+)$/.exec(value.rawJSON)?.[1] ?? 0)) > 1000 ? value.rawJSON : value;
  if (Array.isArray(value)) return value.map(cleaned);
  if (isJsonObject(value))
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [cleaned(k) as string, cleaned(v)]));
  return value;
}

/** Whether a row's value is a record's, whatever type its column has. */
function same(have: Json, want: Json): boolean {
  if (canonical(have) === canonical(want)) return true;
  if (typeof have !== 'string') return false;
  // A column of text holds other values as their JSON; one of times holds the moment.
  if (typeof want !== 'string') return jsonIs(have, want);
  return !Number.isNaN(Date.parse(want)) && moment(have) === moment(want);
}

function jsonIs(text: string, want: Json): boolean {
  try {
    return canonical(parseJson(text)) === canonical(want);
  } catch {
    return false;
  }
}

/** To the microsecond. */
function moment(text: string): string {
  const fraction = /\.(\d+)/.exec(text)?.[1] ?? '';
  return `${Math.floor(Date.parse(text) / 1000)}.${fraction.padEnd(6, '0')}`;
}

function canonical(value: Json): string {
  if (typeof value === 'number' || isRawNumber(value))
    return decimal(isRawNumber(value) ? value.rawJSON : String(value));
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (isJsonObject(value)) {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([k, v]) => `${JSON.stringify(k)}:${canonical(v)}`).join()}}`;
  }
  return JSON.stringify(value);
}

/** Digits and exponent of a number, however it is written. */
function decimal(text: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const digits = (whole + fraction).replace(/^0+/, '');
  const kept = digits.replace(/0+$/, '');
  return kept === '' ? '0' : `${sign}${kept}e${Number(exponent) - fraction.length + digits.length - kept.length}`;
}
