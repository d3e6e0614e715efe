import { createHmac } from 'node:crypto';
import {
  ESCAPED,
  FIELD_INTS,
  type FieldRules,
  KIND,
  NULL,
  nameOf,
  OBJECT,
  Places,
  STRING,
  scanJson,
} from '@freshet/contracts';
import type { Page } from '../page.ts';

/** Field, with dots → what happens to its value. */
type Rules = ReadonlyMap<string, 'drop' | 'hash'>;

/**
 * Takes out of records what must not be stored, before anybody stores them: a dropped field's value becomes null, a hashed one's the
 * HMAC-SHA256 of what it says (of a text its characters, of all else its JSON), so that equal values stay equal. All other
 * bytes stay as they were sent.
 * @param salt the pipeline's own: without it, short values could be guessed from their hashes.
 * @returns null when no rule calls for it.
 */
export function maskOf(rules: FieldRules, salt: () => Buffer): ((record: Buffer) => Buffer) | null {
  const wanted = new Map<string, 'drop' | 'hash'>();
  for (const [field, { drop, hash }] of Object.entries(rules))
    if (drop === true || hash === true) wanted.set(field, drop === true ? 'drop' : 'hash');
  if (wanted.size === 0) return null;
  // Names may hold dots themselves, so every beginning of a field may be an object with it.
  const above = new Set(
    [...wanted.keys()].flatMap((field) => [...field.matchAll(/\./g)].map(({ index }) => field.slice(0, index))),
  );
  const key = salt();
  return (record) => {
    const pieces: Buffer[] = [];
    const copied = rewrite(record, 0, record.length, '', { wanted, above, key }, pieces, 0);
    pieces.push(record.subarray(copied));
    return Buffer.concat(pieces);
  };
}

interface Masking {
  readonly wanted: Rules;
  /** Objects that hold a field with a rule. */
  readonly above: ReadonlySet<string>;
  readonly key: Buffer;
}

/** What is stored of a hashed field's value. @param said what it says, as text. */
export function hashOf(said: string, salt: Buffer): string {
  return createHmac('sha256', salt).update(said).digest('hex');
}

/** @returns up to where the record stands in `pieces`, its values replaced. */
function rewrite(
  record: Buffer,
  from: number,
  to: number,
  prefix: string,
  masking: Masking,
  pieces: Buffer[],
  copied: number,
): number {
  const places = new Places(to - from);
  if (scanJson(record, 1, from, to, places).kind !== OBJECT) return copied;
  let done = copied;
  for (let field = 0; field < places.fieldInts; field += FIELD_INTS) {
    const [start, end, kind] = [
      places.fields[field + 2] as number,
      places.fields[field + 3] as number,
      places.fields[field + 4] as number,
    ];
    if ((kind & KIND) === NULL) continue;
    const name = `${prefix}${nameOf(record, places.fields, field)}`;
    const rule = masking.wanted.get(name);
    if (rule === undefined) {
      if (masking.above.has(name)) done = rewrite(record, start, end, `${name}.`, masking, pieces, done);
      continue;
    }
    const text = record.toString('utf8', start, end);
    const said =
      (kind & KIND) !== STRING ? text : (kind & ESCAPED) === 0 ? text.slice(1, -1) : (JSON.parse(text) as string);
    const value = rule === 'drop' ? 'null' : `"${hashOf(said, masking.key)}"`;
    pieces.push(record.subarray(done, start), Buffer.from(value));
    done = end;
  }
  return done;
}

/** The same pages, their records masked. A record is the middle piece of its line. */
export async function* withMask(pages: AsyncGenerator<Page>, mask: (record: Buffer) => Buffer): AsyncGenerator<Page> {
  for await (const page of pages) {
    yield {
      ...page,
      lines: page.lines.map((line) => {
        const [head, record, end] = line;
        if (head === undefined) return line;
        if (record !== undefined && end !== undefined) return [head, mask(record), end];
        return head.subarray(0, REJECTED.length).equals(REJECTED) ? [maskRejected(head, mask)] : line;
      }),
    };
  }
}

const REJECTED = Buffer.from('{"rejected":');

/** What is known of a record that could not be read whole is masked as well. */
function maskRejected(line: Buffer, mask: (record: Buffer) => Buffer): Buffer {
  const marker = Buffer.from('"record":');
  const at = line.lastIndexOf(marker) + marker.length;
  // Two braces close the line around it.
  return Buffer.concat([line.subarray(0, at), mask(line.subarray(at, -2)), line.subarray(-2)]);
}
