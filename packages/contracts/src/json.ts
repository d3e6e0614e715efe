/**
 * JSON that keeps every digit.
 *
 * `JSON.parse` turns a 19-digit id into the nearest double. Freshdesk sends such ids as plain numbers
 * (`org_contact_id`), so a parser that uses doubles corrupts them without a word.
 */

/** A number whose text a double cannot hold; made by `JSON.rawJSON`, so `JSON.stringify` writes its digits. */
export interface RawNumber {
  readonly rawJSON: string;
}

export type Json = null | boolean | number | string | RawNumber | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

// Part of the language since V8 11.4 (Node 21), not yet of TypeScript's library.
interface LosslessJson {
  rawJSON(text: string): RawNumber;
  isRawJSON(value: unknown): value is RawNumber;
  parse(text: string, reviver: (key: string, value: Json, context: { source?: string }) => Json): Json;
}
const lossless = JSON as unknown as LosslessJson;

/** A number of up to 15 digits always survives a double, so only longer runs (or exponents) need the slow way. */
const MAY_LOSE_DIGITS = /\d{16}|\d\.\d{15}|\d[eE][+-]?\d/;

/**
 * Parses JSON and keeps numbers that a double cannot hold as {@link RawNumber}.
 * @throws SyntaxError as `JSON.parse` does.
 */
export function parseJson(text: string): Json {
  if (!MAY_LOSE_DIGITS.test(text)) return JSON.parse(text) as Json;
  return lossless.parse(text, (_key, value, context) =>
    typeof value === 'number' && context.source !== undefined && losesDigits(value, context.source) ? lossless.rawJSON(context.source) : value,
  );
}

export function isRawNumber(value: unknown): value is RawNumber {
  return lossless.isRawJSON(value);
}

function losesDigits(value: number, source: string): boolean {
  if (Number.isSafeInteger(value)) return false;
  if (!Number.isFinite(value)) return true;
  return canonicalDecimal(String(value)) !== canonicalDecimal(source);
}

/** `1.50e3` and `1500` as the same text: digits without leading or trailing zeros, and the exponent. */
function canonicalDecimal(text: string): string {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text);
  if (!match) return text;
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  const digits = (whole + fraction).replace(/^0+/, '');
  const trimmed = digits.replace(/0+$/, '');
  const scale = Number(exponent) - fraction.length + (digits.length - trimmed.length);
  return trimmed === '' ? '0' : `${sign}${trimmed}e${scale}`;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isRawNumber(value);
}

const QUOTE = 34;
const BACKSLASH = 92;

/**
 * Cuts the text of a JSON array into the texts of its elements, without parsing them: a record is staged
 * as the very text that was sent, whatever its numbers look like.
 * @returns null when the text is not an array whose elements are all objects.
 * @throws nothing: the caller has parsed the text before, so its brackets are known to match.
 */
export function splitArrayOfObjects(text: string): string[] | null {
  const elements: string[] = [];
  let depth = 0;
  let start = -1;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case QUOTE:
        if (depth < 2) return null;
        i = endOfString(text, i);
        break;
      case 91: // [
      case 123: // {
        if (depth === 0 && text.charCodeAt(i) !== 91) return null;
        if (depth === 1) {
          if (text.charCodeAt(i) !== 123) return null;
          start = i;
        }
        depth++;
        break;
      case 93: // ]
      case 125: // }
        depth--;
        if (depth === 1) elements.push(text.slice(start, i + 1));
        break;
      case 44: // ,
      case 32:
      case 9:
      case 10:
      case 13:
        break;
      default:
        if (depth < 2) return null;
    }
  }
  return elements;
}

/** The index of the quote that closes the string opened at `open`. */
function endOfString(text: string, open: number): number {
  let at = open;
  for (;;) {
    at = text.indexOf('"', at + 1);
    if (at < 0) return text.length;
    let backslashes = 0;
    while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return at;
  }
}
