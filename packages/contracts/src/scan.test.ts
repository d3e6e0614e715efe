import { describe, expect, test } from 'vitest';
import { type Json, parseJson } from './json.ts';
import { OBJECT, Places, RawObject, scanJson } from './scan.ts';

const raw = (text: string) => RawObject.of(Buffer.from(text));

describe('RawObject', () => {
  test('cuts an array into the very texts of its elements', () => {
    const elements = ['{"a": 1}', '{"b":"}],{\\"[\\\\"}', '{"c":[{"d":[]}],"e":null}', '{}', '{"é":"ü", "\\u0061":2}'];
    expect(RawObject.allOf(Buffer.from(` [ ${elements.join(' ,\n')} ] `))?.map((o) => o.bytes.toString())).toEqual(
      elements,
    );
    expect(RawObject.allOf(Buffer.from('[]'))).toEqual([]);
  });

  test('anything but an array of objects is null', () => {
    for (const text of ['{"a":[{}]}', '[1]', '["a"]', '[{},2]', '[[{}]]', 'null', '"[{}]"', '[null]', '3']) {
      expect(RawObject.allOf(Buffer.from(text)), text).toBeNull();
    }
    expect(() => raw('[]')).toThrow(TypeError);
  });

  test('I10: a field’s value keeps its digits, and its name may be spelt in any way', () => {
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
    // As everywhere, the last one of a name counts.
    expect(object.get('id2')).toBe(3);
  });
});

test('a text is JSON exactly where JSON.parse says so, and fields are what it says they are', () => {
  const seed = Number(process.env['FRESHET_SEED'] ?? Math.floor(Math.random() * 1e9));
  let state = seed;
  const random = (n: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
  const pick = <T>(items: readonly T[]): T => items[random(items.length)] as T;
  const space = () => pick(['', '', '', ' ', '\n', '\t \r']);
  const string = () =>
    `"${Array.from({ length: random(6) }, () => pick(['a', 'é', '𝒳', '\\n', '\\"', '\\\\', '\\/', '\\u00e9', '\\ud83d\\ude00', '\\u0000', '[', '}', ',', ':'])).join('')}"`;
  // V8 14.6 takes the name `\\u0000` for a name `\\\\` that stood in its place in an earlier text; no such name, no disagreement.
  const name = () => string().replaceAll('\\\\', '\\t');
  const number = () =>
    pick(['0', '-0', '12', '-3.50', '1e5', '2E-3', '1848295627395445811', '0.1234567890123456789', '1e400']);
  const value = (depth: number): string => {
    const kind = random(depth > 4 ? 6 : 9);
    if (kind < 3) return pick(['null', 'true', 'false', number()]);
    if (kind < 6) return string();
    const items = Array.from({ length: random(4) }, () => value(depth + 1));
    if (kind < 7) return `[${space()}${items.join(`${space()},${space()}`)}${space()}]`;
    return `{${space()}${items.map((item) => `${name()}${space()}:${space()}${item}`).join(`${space()},${space()}`)}${space()}}`;
  };
  const broken = (text: string) => {
    const at = random(text.length + 1);
    return pick([
      text.slice(0, at),
      text.slice(0, at) +
        pick([',', '"', '}', ']', '0', '\\', '\u0001', 'e', '-', '{', ':', ' ']) +
        text.slice(at + random(2)),
      text,
    ]);
  };
  let valid = 0;
  for (let n = 0; n < 20_000; n++) {
    // A cut may go through a character; what is left of it has no bytes of its own.
    const text = broken(`${space()}${value(0)}${space()}`).toWellFormed();
    let parsed: Json | undefined;
    try {
      parsed = parseJson(text);
      valid++;
    } catch {}
    const bytes = Buffer.from(text);
    const context = `seed ${seed}, ${JSON.stringify(text)}`;
    if (parsed === undefined) {
      expect(() => scanJson(bytes, 1 + random(3), 0, bytes.length, new Places(0)), context).toThrow(SyntaxError);
      continue;
    }
    const { kind } = scanJson(bytes, 1, 0, bytes.length, new Places(0));
    expect(kind === OBJECT, context).toBe(
      typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) && text.trim().startsWith('{'),
    );
    if (kind !== OBJECT) continue;
    const object = RawObject.of(bytes);
    for (const [name, expected] of Object.entries(parsed as object))
      expect(JSON.stringify(object.get(name)), context).toBe(JSON.stringify(expected));
    expect(RawObject.allOf(Buffer.from(`[${text},${text}]`))?.map((o) => o.bytes.toString())).toEqual([
      text.trim(),
      text.trim(),
    ]);
  }
  // Both kinds of text were tried.
  expect(valid).toBeGreaterThan(5000);
  expect(valid).toBeLessThan(19_000);
});
