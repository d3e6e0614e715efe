/**
 * Lossless JSON: numbers keep every digit.
 *
 * Freshdesk returns 19-digit ids as plain numbers (`org_contact_id`). `JSON.parse` silently rounds
 * such ids to the nearest double.
 */

/**
 * A number that a double cannot represent. `JSON.rawJSON` creates the value, so `JSON.stringify`
 * writes all of its digits.
 */
export interface RawNumber {
  readonly rawJSON: string;
}

export type Json = null | boolean | number | string | RawNumber | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

// V8 has implemented these functions since version 11.4 (Node 21). TypeScript's library does not
// declare them yet.
interface LosslessJson {
  rawJSON(text: string): RawNumber;
  isRawJSON(value: unknown): value is RawNumber;
  parse(text: string, reviver: (key: string, value: Json, context: { source?: string }) => Json): Json;
}
const lossless = JSON as unknown as LosslessJson;

/**
 * Matches every text with a number that a double may not represent. A double preserves any number
 * of up to 15 digits, so only longer runs of digits (with or without a decimal point) and exponents
 * need the slow path.
 */
const MAY_LOSE_DIGITS = /\d[\d.]{15}|\d[eE][+-]?\d/;

/**
 * Parses JSON. A number is returned as {@link RawNumber} if a double does not represent all of its
 * digits, or if its magnitude exceeds `Number.MAX_SAFE_INTEGER`, where exact doubles cannot be
 * distinguished from rounded doubles.
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
 * Formats a number. An integer is formatted as plain digits, regardless of its notation: `12.0` and
 * `1.2e1` become `12`. A number with a fraction, or with more than 40 digits, keeps its notation.
 */
export function formatNumber(value: number | RawNumber): string {
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

/**
 * Normalizes a number to its significant digits and exponent, so that `1.50e3` and `1500` become
 * equal.
 */
function canonicalDecimal(text: string): string {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text);
  if (!match) return text;
  const [, sign, integer = '', fraction = '', exponent = '0'] = match;
  const digits = (integer + fraction).replace(/^0+/, '');
  const trimmed = digits.replace(/0+$/, '');
  const scale = Number(exponent) - fraction.length + (digits.length - trimmed.length);
  return trimmed === '' ? '0' : `${sign}${trimmed}e${scale}`;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isRawNumber(value);
}

/**
 * Converts the text of a decimal number to a number. Returns the text if it is not a decimal
 * number, or if JavaScript cannot represent the number exactly.
 */
export function toExactNumber(text: string): number | string {
  if (!/^-?\d+(\.\d+)?$/.test(text)) return text;
  const number = Number(text);
  return String(number) === (text.includes('.') ? text.replace(/\.?0+$/, '') : text) ? number : text;
}
