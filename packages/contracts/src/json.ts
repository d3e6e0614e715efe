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
