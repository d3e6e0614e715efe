import { createHmac } from 'node:crypto';
import { ESCAPED, FIELD_INTS, type FieldRules, KIND, NULL, nameOf, OBJECT, Places, STRING, scanJson } from '@freshet/contracts';
import type { Page } from './pages.ts';

/** What becomes of a record's fields, name by name, level by level. */
type Rules = Map<string, 'drop' | 'hash' | Rules>;

/**
 * Takes out of records what must not be stored, before anybody stores them: a dropped field's value becomes null, a hashed one's the
 * HMAC-SHA256 of what it says (of a text its characters, of all else its JSON), so that equal values stay equal. All other
 * bytes stay as they were sent.
 * @param salt the pipeline's own: without it, short values could be guessed from their hashes.
 * @returns null when no rule calls for it.
 */
export function maskOf(rules: FieldRules, salt: () => Buffer): ((record: Buffer) => Buffer) | null {
  const tree: Rules = new Map();
  for (const [path, { drop, hash }] of Object.entries(rules)) {
    if (drop !== true && hash !== true) continue;
    const names = path.split('.');
    let level = tree;
    for (const name of names.slice(0, -1)) {
      const below = level.get(name);
      const next: Rules = below instanceof Map ? below : new Map();
      level.set(name, next);
      level = next;
    }
    level.set(names.at(-1) as string, drop === true ? 'drop' : 'hash');
  }
  if (tree.size === 0) return null;
  const key = salt();
  return (record) => {
    const pieces: Buffer[] = [];
    const copied = rewrite(record, 0, record.length, tree, key, pieces, 0);
    pieces.push(record.subarray(copied));
    return Buffer.concat(pieces);
  };
}

/** What is stored of a hashed field's value. @param said what it says, as text. */
export function hashOf(said: string, salt: Buffer): string {
  return createHmac('sha256', salt).update(said).digest('hex');
}

/** @returns up to where the record stands in `pieces`, its values replaced. */
function rewrite(record: Buffer, from: number, to: number, rules: Rules, key: Buffer, pieces: Buffer[], copied: number): number {
  const places = new Places(to - from);
  if (scanJson(record, 1, from, to, places).kind !== OBJECT) return copied;
  let done = copied;
  for (let field = 0; field < places.fieldInts; field += FIELD_INTS) {
    const rule = rules.get(nameOf(record, places.fields, field));
    const [start, end, kind] = [places.fields[field + 2] as number, places.fields[field + 3] as number, places.fields[field + 4] as number];
    if (rule === undefined || (kind & KIND) === NULL) continue;
    if (rule instanceof Map) {
      done = rewrite(record, start, end, rule, key, pieces, done);
      continue;
    }
    const text = record.toString('utf8', start, end);
    const said = (kind & KIND) !== STRING ? text : (kind & ESCAPED) === 0 ? text.slice(1, -1) : (JSON.parse(text) as string);
    const value = rule === 'drop' ? 'null' : `"${hashOf(said, key)}"`;
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
