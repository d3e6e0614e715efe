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
});
