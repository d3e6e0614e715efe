import { isJsonObject, isRawNumber, type Json, type JsonObject } from '@freshet/contracts';
import { exponentOf } from './values.ts';

/** What was changed in a record so that PostgreSQL can hold it: code → the places, as JSON pointers. */
export type Notes = Record<string, string[]>;

/** Deeper values are kept as text: PostgreSQL's own parser gives up on very deep ones. */
const DEPTH_MAX = 512;
const EXPONENT_MAX = 1000;

/**
 * A record without what PostgreSQL refuses: NUL and lone surrogates become U+FFFD (in keys as well), numbers
 * of absurd exponents and values of absurd depth become text. Each change is noted.
 */
export function clean(record: JsonObject): { readonly record: JsonObject; readonly notes: Notes | null } {
  const notes: Notes = {};
  const note = (code: string, pointer: string) => {
    const places = notes[code] ?? [];
    if (places.length < 20) places.push(pointer);
    notes[code] = places;
  };
  const text = (value: string, pointer: string): string => {
    if (!value.includes('\0') && value.isWellFormed()) return value;
    if (value.includes('\0')) note('nul_replaced', pointer);
    if (!value.isWellFormed()) note('surrogate_replaced', pointer);
    return value.replaceAll('\0', '\ufffd').toWellFormed();
  };
  const walk = (value: Json, pointer: string, depth: number): Json => {
    if (typeof value === 'string') return text(value, pointer);
    if (isRawNumber(value)) {
      if (exponentOf(value.rawJSON) <= EXPONENT_MAX) return value;
      note('number_as_text', pointer);
      return value.rawJSON;
    }
    if (typeof value !== 'object' || value === null) return value;
    if (depth > DEPTH_MAX) {
      note('depth_as_text', pointer);
      return text(JSON.stringify(value), pointer);
    }
    if (Array.isArray(value)) return value.map((item, i) => walk(item, `${pointer}/${i}`, depth + 1));
    if (!isJsonObject(value)) return value;
    const entries = Object.entries(value).map(([key, item]) => {
      const at = `${pointer}/${key.toWellFormed().replaceAll('\0', '\ufffd').replaceAll('~', '~0').replaceAll('/', '~1')}`;
      return [text(key, at), walk(item, at, depth + 1)] as const;
    });
    return Object.fromEntries(entries);
  };
  const cleaned = walk(record, '', 0) as JsonObject;
  return { record: cleaned, notes: Object.keys(notes).length === 0 ? null : notes };
}
