import { describe, expect, test } from 'vitest';
import { RawObject } from './raw-object.ts';

const raw = (text: string) => RawObject.parse(Buffer.from(text));

describe('RawObject', () => {
  test('parseList returns the original bytes of each element', () => {
    const elements = ['{"a": 1}', '{"b":"}],{\\"[\\\\"}', '{"c":[{"d":[]}],"e":null}', '{}', '{"é":"ü", "\\u0061":2}'];
    expect(RawObject.parseList(Buffer.from(` [ ${elements.join(' ,\n')} ] `))?.map((o) => o.bytes.toString())).toEqual(
      elements,
    );
    expect(RawObject.parseList(Buffer.from('[]'))).toEqual([]);
  });

  test('parseList returns null for a body that is not an array of JSON objects', () => {
    for (const text of ['{"a":[{}]}', '[1]', '["a"]', '[{},2]', '[[{}]]', 'null', '"[{}]"', '[null]', '3']) {
      expect(RawObject.parseList(Buffer.from(text)), text).toBeNull();
    }
    expect(() => raw('[]')).toThrow(TypeError);
  });

  test('get returns every digit of a number, and finds fields with escaped or non-ASCII names (I10)', () => {
    const object = raw('{"id":1848295627395445811,"id2":2,"na\\u006de":"x\\n","größe":[1e400],"id2":3,"no":null}');
    expect(JSON.stringify(object.get('id'))).toBe('1848295627395445811');
    expect([object.get('name'), object.get('no'), object.get('nam'), object.has('no'), object.has('n')]).toEqual([
      'x\n',
      null,
      undefined,
      true,
      false,
    ]);
    expect(JSON.stringify(object.get('größe'))).toBe('[1e400]');
    // The last of several fields with the same name counts, as in JSON.parse.
    expect(object.get('id2')).toBe(3);
  });

  test('getPlainTime returns the same time as Date.parse for every valid time in whole seconds of UTC', () => {
    const format = (seconds: number) => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
    const start = Date.UTC(100, 0, 1) / 1000;
    const end = Date.UTC(10_000, 0, 1) / 1000;
    const times = Array.from({ length: 5000 }, () => format(start + Math.floor(Math.random() * (end - start))));
    for (const time of [...times, '2024-02-29T23:59:59Z', '2000-02-29T00:00:00Z', '9999-12-31T23:59:59Z'])
      expect(raw(`{"at":"${time}"}`).getPlainTime('at'), time).toBe(Date.parse(time));
  });

  test('getPlainTime returns NaN for a missing field, an invalid time and every other form', () => {
    for (const value of [
      '"2023-02-29T00:00:00Z"',
      '"1900-02-29T00:00:00Z"',
      '"2024-13-01T00:00:00Z"',
      '"2024-00-01T00:00:00Z"',
      '"2024-04-31T00:00:00Z"',
      '"2024-01-01T24:00:00Z"',
      '"2024-01-01T00:60:00Z"',
      '"2024-01-01T00:00:60Z"',
      '"0050-01-01T00:00:00Z"',
      '"2024-01-01T00:00:00+00:00"',
      '"2024-01-01T00:00:0xZ"',
      '"2024-01-01T00:00:00z"',
      '"2024-01-01 00:00:00Z"',
      '"\\u0032024-01-01T00:0Z"',
      '20240101000000000000',
      'null',
    ])
      expect(raw(`{"at":${value}}`).getPlainTime('at'), value).toBeNaN();
    expect(raw('{"at":"2024-01-01T00:00:00Z"}').getPlainTime('a')).toBeNaN();
  });

  test('getDigits returns the digits of a non-negative integer of up to 15 digits, and null for any other value', () => {
    for (const value of ['0', '7', '103000000003', '123456789012345'])
      expect(raw(`{"id":${value}}`).getDigits('id')).toBe(value);
    for (const value of ['-1', '-0', '1.0', '1e3', '1234567890123456', '"12"', 'null', '[1]', 'true'])
      expect(raw(`{"id":${value}}`).getDigits('id'), value).toBeNull();
    expect(raw('{"id":1}').getDigits('ids')).toBeNull();
  });
});
