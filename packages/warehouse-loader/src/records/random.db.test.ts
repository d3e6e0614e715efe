import {
  getColumnNameByPath,
  isJsonObject,
  isRawNumber,
  type Json,
  type JsonObject,
  parseJson,
} from '@freshet/contracts';
import { createDatabase } from '@freshet/testing';
import { expect, test } from 'vitest';
import { readSeed } from '../test-support/random.ts';
import { RandomRecords } from '../test-support/random-records.ts';
import { buildBatch, openTestLoader } from '../test-support/test-loader.ts';

/**
 * To load a million records: FRESHET_RANDOM_RECORDS=1000000 npm test --
 * packages/warehouse-loader/src/records/random.db.test.ts
 */
const RECORDS = Number(process.env['FRESHET_RANDOM_RECORDS'] ?? 6000);
const RECORDS_PER_LOAD = 250;
const LOADS_PER_TABLE = 4;

test(
  'every random record is loaded unchanged, loaded with a note, or rejected, and no load fails (I10)',
  async () => {
    const random = new RandomRecords(readSeed());
    await using database = await createDatabase();
    await using loader = openTestLoader(database);
    const outcomes = { unchanged: 0, noted: 0, rejected: 0 };
    for (let id = 1; id <= RECORDS; ) {
      // Use a new table after a few loads, because the first values of a field determine the type
      // of its column.
      await database.sql.unsafe('drop schema if exists acme cascade');
      for (let load = 0; load < LOADS_PER_TABLE && id <= RECORDS; load++) {
        const texts = new Map<number, string>();
        for (let n = 0; n < RECORDS_PER_LOAD; n++) texts.set(id, random.buildRecord(id++));
        const context = `seed ${random.seed}, records ${id - RECORDS_PER_LOAD} to ${id - 1}`;
        const { batches, rejectedRecords } = await loader
          .load([buildBatch([...texts.values()], { extractedAt: load })])
          .catch((cause: unknown) => {
            throw new Error(`The load failed: ${context}`, { cause });
          });
        expect(batches[0]?.counts, context).toMatchObject({
          records: RECORDS_PER_LOAD,
          rejected: rejectedRecords.length,
          inserted: RECORDS_PER_LOAD - rejectedRecords.length,
        });
        const rows = new Map(
          (
            await database.sql.unsafe<{ id: string; row: string }[]>(
              `select id::text, to_jsonb(t)::text as row from acme.things t where id > ${id - 1 - RECORDS_PER_LOAD}`,
            )
          ).map((r) => [Number(r.id), parseJson(r.row) as JsonObject]),
        );
        const rejectedLines = new Set(rejectedRecords.map((r) => r.line));
        [...texts].forEach(([key, text], line) => {
          const row = rows.get(key);
          if (row === undefined) {
            expect(rejectedLines.has(line), `${context}: ${text} is neither loaded nor rejected`).toBe(true);
            outcomes.rejected++;
            return;
          }
          if (row['_freshet_notes'] === null) outcomes.unchanged++;
          else outcomes.noted++;
          const differences = findDifferences(parseJson(text) as JsonObject, row);
          expect(differences, `${context}: ${text}\nwas loaded as ${JSON.stringify(row)}`).toEqual([]);
        });
      }
    }
    // Each outcome must occur.
    expect(Math.min(outcomes.unchanged, outcomes.noted, outcomes.rejected), JSON.stringify(outcomes)).toBeGreaterThan(
      RECORDS / 1000,
    );
  },
  Math.max(120_000, RECORDS * 2),
);

/**
 * Lists the fields of a record whose values are neither stored in the row nor explained by a note.
 */
function findDifferences(record: JsonObject, row: JsonObject): string[] {
  const notes = (row['_freshet_notes'] ?? {}) as Record<string, string[]>;
  const extra = (row['_freshet_extra'] ?? {}) as JsonObject;
  const differences: string[] = [];
  const check = (name: string, field: string, value: Json) => {
    if (value === null) return;
    const stored = row[name];
    const expected = sanitize(value);
    if (stored !== undefined && stored !== null && isEqual(stored, expected)) return;
    // The value was stored as text, or in _freshet_extra.
    if (notes['depth_as_text'] && typeof value === 'object') return;
    if (
      field in extra &&
      isEqual(extra[field] as Json, expected) &&
      (stored === undefined || notes['kept_in_extra']?.includes(name))
    )
      return;
    differences.push(`${field} = ${JSON.stringify(value)} is stored as ${JSON.stringify(stored)}`);
  };
  for (const [field, value] of Object.entries(record)) check(getColumnNameByPath([field]), field, value);
  const custom = record['custom_fields'];
  if (isJsonObject(custom))
    for (const [field, value] of Object.entries(sanitize(custom) as JsonObject))
      check(getColumnNameByPath(['custom_fields', field]), `custom_fields.${field}`, value);
  if (JSON.stringify(sanitize(record)) !== JSON.stringify(record)) {
    const hasNote = Object.keys(notes).some((code) =>
      ['nul_replaced', 'surrogate_replaced', 'number_as_text', 'depth_as_text'].includes(code),
    );
    if (!hasNote) differences.push('changed without a note');
  }
  return differences;
}

/** Replaces values that PostgreSQL cannot store, according to the documented rules. */
function sanitize(value: Json): Json {
  if (typeof value === 'string') return value.replaceAll('\0', '\ufffd').toWellFormed();
  if (isRawNumber(value))
    return Math.abs(Number(/[eE]([+-]?\d+)$/.exec(value.rawJSON)?.[1] ?? 0)) > 1000 ? value.rawJSON : value;
  if (Array.isArray(value)) return value.map(sanitize);
  if (isJsonObject(value))
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [sanitize(k) as string, sanitize(v)]));
  return value;
}

/** Whether a stored value equals the value of the record, regardless of the column's type. */
function isEqual(stored: Json, expected: Json): boolean {
  if (toCanonical(stored) === toCanonical(expected)) return true;
  if (typeof stored !== 'string') return false;
  // A text column stores a value that is not a string as JSON. A time column stores the point in
  // time and not the text.
  if (typeof expected !== 'string') return isJsonOf(stored, expected);
  return !Number.isNaN(Date.parse(expected)) && toMicroseconds(stored) === toMicroseconds(expected);
}

function isJsonOf(text: string, expected: Json): boolean {
  try {
    return toCanonical(parseJson(text)) === toCanonical(expected);
  } catch {
    return false;
  }
}

function toMicroseconds(text: string): string {
  const fraction = /\.(\d+)/.exec(text)?.[1] ?? '';
  return `${Math.floor(Date.parse(text) / 1000)}.${fraction.padEnd(6, '0')}`;
}

function toCanonical(value: Json): string {
  if (typeof value === 'number' || isRawNumber(value))
    return toCanonicalNumber(isRawNumber(value) ? value.rawJSON : String(value));
  if (Array.isArray(value)) return `[${value.map(toCanonical).join()}]`;
  if (isJsonObject(value)) {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([k, v]) => `${JSON.stringify(k)}:${toCanonical(v)}`).join()}}`;
  }
  return JSON.stringify(value);
}

/** Formats a number as digits and an exponent, so that equal numbers have the same text. */
function toCanonicalNumber(text: string): string {
  const [, sign = '', integer = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const digits = (integer + fraction).replace(/^0+/, '');
  const trimmed = digits.replace(/0+$/, '');
  return trimmed === ''
    ? '0'
    : `${sign}${trimmed}e${Number(exponent) - fraction.length + digits.length - trimmed.length}`;
}
