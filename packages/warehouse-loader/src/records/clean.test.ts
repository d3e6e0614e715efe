import { describe, expect, test } from 'vitest';
import { clean, type Notes } from './clean.ts';

type Value = null | boolean | number | string | Value[] | { [name: string]: Value };

const SEED = Number(process.env['FRESHET_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

/** The same rules, applied to parsed values. */
function reference(value: Value, notes: Notes, pointer = ''): Value {
  const note = (code: string, at: string) => {
    notes[code] = [...(notes[code] ?? []), at];
  };
  const text = (said: string, at: string): string => {
    if (said.includes('\0')) note('nul_replaced', at);
    if (!said.isWellFormed()) note('surrogate_replaced', at);
    return said.replaceAll('\0', '\ufffd').toWellFormed();
  };
  if (typeof value === 'string') return text(value, pointer);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item, i) => reference(item, notes, `${pointer}/${i}`));
  const entries = Object.entries(value).map(([name, item]): [string, Value] => {
    const at = `${pointer}/${name.toWellFormed().replaceAll('\0', '\ufffd').replaceAll('~', '~0').replaceAll('/', '~1')}`;
    return [text(name, at), reference(item, notes, at)];
  });
  return Object.fromEntries(entries);
}

/** Every character beyond ASCII as an escape, in either case: as some servers write JSON. */
function escaped(json: string, random: (below: number) => number): string {
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

describe('clean', () => {
  test(`replaces and notes the same characters as the rules for parsed values (seed ${SEED})`, () => {
    const random = randomOf(SEED);
    const text = () => Array.from({ length: random(6) }, () => PIECES[random(PIECES.length)]).join('');
    // No backslash in a name: V8's parser confuses such a name with another that begins as it does, and has an escape.
    const name = () => text().replaceAll('\\', '');
    const value = (depth: number): Value => {
      const kind = random(depth > 3 ? 4 : 6);
      if (kind === 4) return Array.from({ length: random(4) }, () => value(depth + 1));
      if (kind === 5)
        return Object.fromEntries(Array.from({ length: random(4) }, (_, i) => [`f${i}${name()}`, value(depth + 1)]));
      return [text(), random(1000) - 500, random(2) === 0, null][kind] as Value;
    };
    for (let round = 0; round < 3000; round++) {
      const record = { id: round, first: value(0), second: value(0), [`x${name()}`]: value(0) };
      const notes: Notes = {};
      const expected = reference(record, notes);
      const json = escaped(JSON.stringify(record, null, random(3)), random);
      const cleaned = clean(Buffer.from(json));
      expect(JSON.parse(cleaned.json.toString('utf8')), json).toEqual(expected);
      expect(cleaned.notes, json).toEqual(Object.keys(notes).length === 0 ? null : notes);
    }
  });

  test('turns numbers of absurd exponents and values of absurd depth into text, and notes where', () => {
    const deep = `${'['.repeat(600)}"]\\u0000"${']'.repeat(600)}`;
    const json = `{"a":[1e999, -2.5E+1001 ,{"b/c":1e-2000}],"deep":${deep},"z":1}`;
    const { json: bytes, notes } = clean(Buffer.from(json));
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

  test('returns the bytes as they are when nothing is to be replaced', () => {
    const json = Buffer.from('{"a":"\\ud83d\\ude00","b":1e5}');
    const cleaned = clean(json);
    expect(cleaned.json).toBe(json);
    expect(cleaned.notes).toBeNull();
    expect(json.toString()).toBe('{"a":"\\ud83d\\ude00","b":1e5}');
  });
});
