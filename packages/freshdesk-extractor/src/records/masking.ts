import { createHmac } from 'node:crypto';
import {
  FieldIndex,
  type FieldRules,
  getFieldName,
  HAS_ESCAPE,
  INTS_PER_FIELD,
  JSON_NULL,
  JSON_OBJECT,
  JSON_STRING,
  KIND_MASK,
  scanJson,
} from '@freshet/contracts';
import type { Page } from '../reader/page.ts';

interface MaskRules {
  /** Field, as a path with dots → the action on its value. */
  readonly actions: ReadonlyMap<string, 'drop' | 'hash'>;
  /** The dotted paths of the JSON objects in a record that contain a field with a rule. */
  readonly parents: ReadonlySet<string>;
  readonly salt: Buffer;
}

/**
 * Builds a function that masks a record before it is stored: the value of a dropped field becomes
 * null, and the value of a hashed field becomes its HMAC-SHA256, so that equal values stay equal.
 * The hash covers the characters of a string, or the JSON of any other value. All other bytes of
 * the record are unchanged.
 * @param getSalt returns the salt of the pipeline. Without a salt, short values could be guessed
 * from their hashes.
 * @returns null if no rule masks a field.
 */
export function buildMask(fieldRules: FieldRules, getSalt: () => Buffer): ((record: Buffer) => Buffer) | null {
  const actions = new Map<string, 'drop' | 'hash'>();
  for (const [field, { drop, hash }] of Object.entries(fieldRules))
    if (drop === true || hash === true) actions.set(field, drop === true ? 'drop' : 'hash');
  if (actions.size === 0) return null;
  // Field names may contain dots, so every prefix of a path that ends before a dot may be the path
  // of a nested JSON object.
  const parents = new Set(
    [...actions.keys()].flatMap((field) => [...field.matchAll(/\./g)].map(({ index }) => field.slice(0, index))),
  );
  const rules: MaskRules = { actions, parents, salt: getSalt() };
  return (record) => {
    const writer = new RecordMasker(record, rules);
    writer.maskObject(0, record.length, '');
    return writer.finish();
  };
}

/**
 * Returns the stored value of a hashed field.
 * @param text the characters of a string, or the JSON of any other value.
 */
export function hashValue(text: string, salt: Buffer): string {
  return createHmac('sha256', salt).update(text).digest('hex');
}

/** Copies a record and replaces the values of masked fields. */
class RecordMasker {
  readonly #record: Buffer;
  readonly #rules: MaskRules;
  readonly #chunks: Buffer[] = [];
  /** The number of bytes of the record that are in `#chunks`. */
  #copied = 0;

  constructor(record: Buffer, rules: MaskRules) {
    this.#record = record;
    this.#rules = rules;
  }

  /** @param prefix the path of the JSON object with a trailing dot; '' for the record itself. */
  maskObject(from: number, to: number, prefix: string): void {
    const index = new FieldIndex(to - from);
    if (scanJson(this.#record, 1, from, to, index).kind !== JSON_OBJECT) return;
    for (let field = 0; field < index.fieldInts; field += INTS_PER_FIELD) {
      const [start, end, kind] = [
        index.fields[field + 2] as number,
        index.fields[field + 3] as number,
        index.fields[field + 4] as number,
      ];
      if ((kind & KIND_MASK) === JSON_NULL) continue;
      const path = `${prefix}${getFieldName(this.#record, index.fields, field)}`;
      const action = this.#rules.actions.get(path);
      if (action !== undefined) this.#replace(start, end, action === 'drop' ? 'null' : this.#hash(start, end, kind));
      else if (this.#rules.parents.has(path)) this.maskObject(start, end, `${path}.`);
    }
  }

  finish(): Buffer {
    this.#chunks.push(this.#record.subarray(this.#copied));
    return Buffer.concat(this.#chunks);
  }

  #replace(start: number, end: number, value: string): void {
    this.#chunks.push(this.#record.subarray(this.#copied, start), Buffer.from(value));
    this.#copied = end;
  }

  #hash(start: number, end: number, kind: number): string {
    const json = this.#record.toString('utf8', start, end);
    const isString = (kind & KIND_MASK) === JSON_STRING;
    const hasEscape = (kind & HAS_ESCAPE) !== 0;
    const text = !isString ? json : hasEscape ? (JSON.parse(json) as string) : json.slice(1, -1);
    return `"${hashValue(text, this.#rules.salt)}"`;
  }
}

/** Masks the records of all pages. */
export async function* maskRecords(
  pages: AsyncGenerator<Page>,
  mask: (record: Buffer) => Buffer,
): AsyncGenerator<Page> {
  for await (const page of pages) {
    yield {
      ...page,
      lines: page.lines.map((line) => {
        // The line of a record has three chunks: prefix, record and suffix. Any other line is a
        // single chunk.
        const [head, record, end] = line;
        if (head === undefined) return line;
        if (record !== undefined && end !== undefined) return [head, mask(record), end];
        return head.subarray(0, REJECTED_PREFIX.length).equals(REJECTED_PREFIX) ? [maskRejectedLine(head, mask)] : line;
      }),
    };
  }
}

const REJECTED_PREFIX = Buffer.from('{"rejected":');
const RECORD_KEY = Buffer.from('"record":');

/** Masks the known fields of a record that is too large. */
function maskRejectedLine(line: Buffer, mask: (record: Buffer) => Buffer): Buffer {
  const start = line.lastIndexOf(RECORD_KEY) + RECORD_KEY.length;
  // Two braces close the line after the record.
  return Buffer.concat([line.subarray(0, start), mask(line.subarray(start, -2)), line.subarray(-2)]);
}
