import { describe, expect, test } from 'vitest';
import { createRandom, readSeed } from '../test-support/random.ts';
import { type Notes, sanitizeRecord } from './sanitize.ts';

type Value = null | boolean | number | string | Value[] | { [name: string]: Value };

const SEED = readSeed();

/** Applies the rules of `sanitizeRecord` to a parsed value. */
function sanitizeValue(value: Value, notes: Notes, pointer = ''): Value {
  const note = (code: string, location: string) => {
    notes[code] = [...(notes[code] ?? []), location];
  };
  const sanitizeText = (text: string, location: string): string => {
    if (text.includes('\0')) note('nul_replaced', location);
    if (!text.isWellFormed()) note('surrogate_replaced', location);
    return text.replaceAll('\0', '\ufffd').toWellFormed();
  };
  if (typeof value === 'string') return sanitizeText(value, pointer);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item, i) => sanitizeValue(item, notes, `${pointer}/${i}`));
  const entries = Object.entries(value).map(([name, item]): [string, Value] => {
    const location = `${pointer}/${name.toWellFormed().replaceAll('\0', '\ufffd').replaceAll('~', '~0').replaceAll('/', '~1')}`;
    return [sanitizeText(name, location), sanitizeValue(item, notes, location)];
  });
  return Object.fromEntries(entries);
}

/**
 * Replaces every non-ASCII character with an escape, as some servers do. The hexadecimal digits are
 * in upper or lower case.
 */
function escapeNonAscii(json: string, random: (below: number) => number): string {
  return json.replace(/[\u0080-\uffff]/g, (c) => {
    const digits = c.charCodeAt(0).toString(16).padStart(4, '0');
    return `\\u${random(2) === 0 ? digits : digits.toUpperCase()}`;
  });
}

const PIECES = [
  '\0',
  '\ud83d',
  '\ude00',
  '\ud83d\ude00',
  '\udbff\udfff',
  'a',
  '"',
  '\\',
  '\\u0000',
  '/',
  '~',
  'é',
  '\n',
  '日',
];

describe('sanitizeRecord', () => {
  test(`replaces and notes the same characters as a second implementation that sanitizes parsed values (seed ${SEED})`, () => {
    const random = createRandom(SEED);
    const buildText = () => Array.from({ length: random(6) }, () => PIECES[random(PIECES.length)]).join('');
    // Names contain no backslashes: V8's parser confuses a name that contains a backslash with a
    // different name that has the same start and contains an escape.
    const buildName = () => buildText().replaceAll('\\', '');
    const buildValue = (depth: number): Value => {
      const kind = random(depth > 3 ? 4 : 6);
      if (kind === 4) return Array.from({ length: random(4) }, () => buildValue(depth + 1));
      if (kind === 5)
        return Object.fromEntries(
          Array.from({ length: random(4) }, (_, i) => [`f${i}${buildName()}`, buildValue(depth + 1)]),
        );
      return [buildText(), random(1000) - 500, random(2) === 0, null][kind] as Value;
    };
    for (let round = 0; round < 3000; round++) {
      const record = { id: round, first: buildValue(0), second: buildValue(0), [`x${buildName()}`]: buildValue(0) };
      const notes: Notes = {};
      const expected = sanitizeValue(record, notes);
      const json = escapeNonAscii(JSON.stringify(record, null, random(3)), random);
      const sanitized = sanitizeRecord(Buffer.from(json));
      expect(JSON.parse(sanitized.json.toString('utf8')), json).toEqual(expected);
      expect(sanitized.notes, json).toEqual(Object.keys(notes).length === 0 ? null : notes);
    }
  });

  test('converts deeply nested values, and numbers with huge exponents, to text and notes the locations', () => {
    const deep = `${'['.repeat(600)}"]\\u0000"${']'.repeat(600)}`;
    const json = `{"a":[1e999, -2.5E+1001 ,{"b/c":1e-2000}],"deep":${deep},"z":1}`;
    const { json: bytes, notes } = sanitizeRecord(Buffer.from(json));
    const record = JSON.parse(bytes.toString('utf8')) as {
      a: [unknown, string, { 'b/c': string }];
      deep: unknown;
      z: number;
    };
    expect(bytes.toString('utf8')).toContain('1e999,');
    expect(record.a[1]).toBe('-2.5E+1001');
    expect(record.a[2]).toEqual({ 'b/c': '1e-2000' });
    expect(record.z).toBe(1);
    let inner = record.deep;
    while (Array.isArray(inner)) inner = inner[0];
    expect(JSON.parse(inner as string)).toEqual(JSON.parse(`${'['.repeat(88)}"]\\u0000"${']'.repeat(88)}`));
    expect(notes?.['number_as_text']).toEqual(['/a/1', '/a/2/b~1c']);
    expect(notes?.['depth_as_text']).toEqual([`/deep${'/0'.repeat(512)}`]);
  });

  test('returns the same buffer if nothing is replaced', () => {
    const json = Buffer.from('{"a":"\\ud83d\\ude00","b":1e5}');
    const sanitized = sanitizeRecord(json);
    expect(sanitized.json).toBe(json);
    expect(sanitized.notes).toBeNull();
    expect(json.toString()).toBe('{"a":"\\ud83d\\ude00","b":1e5}');
  });
});
