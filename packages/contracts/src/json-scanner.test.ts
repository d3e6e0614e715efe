import { expect, test } from 'vitest';
import { type Json, parseJson } from './json.ts';
import { FieldIndex, JSON_OBJECT, scanJson } from './json-scanner.ts';
import { RawObject } from './raw-object.ts';

/**
 * A field whose name contains a backslash. After V8 14.6 has parsed an object with such a name, it
 * may confuse other names with it: `JSON.parse` compares the text of a name before its escapes are
 * replaced, such as `\\"` for a quotation mark.
 */
const NAME_WITH_BACKSLASH = /"(?:[^"\\]|\\.)*\\\\(?:[^"\\]|\\.)*"\s*:/;

test('scanJson and RawObject accept the same texts and find the same fields as JSON.parse', () => {
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
    // A cut may split a surrogate pair, and a lone surrogate cannot be encoded as UTF-8.
    const text = broken(`${space()}${value(0)}${space()}`).toWellFormed();
    if (NAME_WITH_BACKSLASH.test(text)) continue;
    let parsed: Json | undefined;
    try {
      parsed = parseJson(text);
      valid++;
    } catch {}
    const bytes = Buffer.from(text);
    const context = `seed ${seed}, ${JSON.stringify(text)}`;
    if (parsed === undefined) {
      expect(() => scanJson(bytes, 1 + random(3), 0, bytes.length, new FieldIndex(0)), context).toThrow(SyntaxError);
      continue;
    }
    const { kind } = scanJson(bytes, 1, 0, bytes.length, new FieldIndex(0));
    expect(kind === JSON_OBJECT, context).toBe(
      typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) && text.trim().startsWith('{'),
    );
    if (kind !== JSON_OBJECT) continue;
    const object = RawObject.parse(bytes);
    for (const [name, expected] of Object.entries(parsed as object))
      expect(JSON.stringify(object.get(name)), context).toBe(JSON.stringify(expected));
    expect(RawObject.parseList(Buffer.from(`[${text},${text}]`))?.map((o) => o.bytes.toString())).toEqual([
      text.trim(),
      text.trim(),
    ]);
  }
  // Valid and invalid texts are both frequent.
  expect(valid).toBeGreaterThan(5000);
  expect(valid).toBeLessThan(19_000);
});
