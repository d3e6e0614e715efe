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

/**
 * Matches every text with a number that a double may not hold. A number of up to 15 digits always survives a double, so only
 * longer runs of digits (with a point among them or not) and exponents take the slow path.
 */
const MAY_LOSE_DIGITS = /\d[\d.]{15}|\d[eE][+-]?\d/;

/**
 * Parses JSON. A number is returned as {@link RawNumber} if a double does not hold all of its digits, or if its magnitude
 * is beyond `Number.MAX_SAFE_INTEGER`: there, a double that happens to be exact cannot be told from one that is not.
 * @throws SyntaxError as `JSON.parse` does.
 */
export function parseJson(text: string): Json {
  if (!MAY_LOSE_DIGITS.test(text)) return JSON.parse(text) as Json;
  return lossless.parse(text, (_key, value, context) =>
    typeof value === 'number' && context.source !== undefined && losesDigits(value, context.source)
      ? lossless.rawJSON(context.source)
      : value,
  );
}

export function isRawNumber(value: unknown): value is RawNumber {
  return lossless.isRawJSON(value);
}

function losesDigits(value: number, source: string): boolean {
  return !(Math.abs(value) <= Number.MAX_SAFE_INTEGER) || canonicalDecimal(String(value)) !== canonicalDecimal(source);
}

/**
 * A number as text, decided on its digits: an integer as plain digits, however it is spelled (`12.0` and `1.2e1` are `12`), any other
 * number as it is spelled. An integer of more than 40 digits also stays as it is spelled.
 */
export function numberText(value: number | RawNumber): string {
  const text = typeof value === 'number' ? String(value) : value.rawJSON;
  if (INTEGER.test(text)) return text === '-0' ? '0' : text;
  const match = /^(-?)(\d*)e(-?\d+)$/.exec(canonicalDecimal(text));
  if (!match) return canonicalDecimal(text) === '0' ? '0' : text;
  const [, sign = '', digits = '', scale = ''] = match;
  const zeros = Number(scale);
  return zeros < 0 || zeros + digits.length > INTEGER_DIGITS_MAX ? text : `${sign}${digits}${'0'.repeat(zeros)}`;
}

const INTEGER = /^-?(0|[1-9]\d*)$/;
const INTEGER_DIGITS_MAX = 40;

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
