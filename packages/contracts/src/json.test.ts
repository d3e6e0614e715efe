import { describe, expect, test } from 'vitest';
import { isRawNumber, parseJson } from './json.ts';

describe('parseJson', () => {
  test('keeps the digits of a number that a double cannot represent (I10)', () => {
    for (const number of [
      '9007199254740992',
      '1855870000000000000',
      '100000000000000000000',
      '9007199254740991.4',
      '1.00000000000000000001',
      '123456789.123456789',
      '1848295627395445811',
      '-9007199254740993',
      '0.1234567890123456789',
      '1e400',
      '123456789012345678.5',
    ]) {
      const parsed = parseJson(`{"n":${number}}`) as { n: unknown };
      expect(isRawNumber(parsed.n), number).toBe(true);
      expect(JSON.stringify(parsed), number).toBe(`{"n":${number}}`);
    }
  });

  test('returns a JavaScript number, regardless of notation, if a double represents the value', () => {
    for (const [text, value] of [
      ['9007199254740991', 9007199254740991],
      ['1.5e3', 1500],
      ['0.1', 0.1],
      ['0.1000000000000000', 0.1],
      ['-0', -0],
    ] as const) {
      expect(parseJson(text), text).toBe(value);
    }
  });

  test('does not change digits in strings', () => {
    expect(parseJson('{"a":"1848295627395445811","b":[1]}')).toEqual({ a: '1848295627395445811', b: [1] });
  });
});
