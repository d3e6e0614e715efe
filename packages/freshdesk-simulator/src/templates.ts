import type { CatalogueColumn, ObjectSpec } from '@freshet/freshdesk-extractor';
import { prose } from './prose.ts';
import { hash, pick } from './random.ts';

/**
 * Records as bytes, fast enough for thousands of pages a second: a few hundred variants of each object are
 * serialised once, with gaps for what differs from record to record (key, times, the references that are never
 * null), and a record is its variant with the gaps filled.
 */
export interface Template {
  /** `texts.length` = `gaps.length` + 1. */
  readonly texts: readonly Buffer[];
  readonly gaps: readonly Gap[];
}

export type Gap =
  | { readonly kind: 'key' | 'created' | 'updated' | 'parent' | 'bigKey' }
  | { readonly kind: 'reference'; readonly object: string; readonly salt: number };

const VARIANTS = 256;
/** Stands for a gap while a variant is serialised; JSON escapes it, so no record's own text can hold it. */
const MARK = '\u0001gap:';

export class Templates {
  readonly #seed: number;
  readonly #tame: boolean;
  readonly #referenceOf: (object: string, number: number, salt: number) => number;
  /** By object, then by the set of hidden columns, which callers keep one of each. */
  readonly #made = new Map<string, Map<ReadonlySet<string>, (Template | undefined)[]>>();

  /**
   * @param tame values have the shapes that the documentation promises, and no others.
   * @param referenceOf the key of some record of another object, the same for the same numbers.
   */
  constructor(seed: number, tame: boolean, referenceOf: (object: string, number: number, salt: number) => number) {
    this.#seed = seed;
    this.#tame = tame;
    this.#referenceOf = referenceOf;
  }

  /** The template of a record: its variant follows from its number. `hidden` columns are left out. */
  for(object: ObjectSpec, number: number, hidden: ReadonlySet<string>): Template {
    const variant = hash(this.#seed, number, object.name.length) % VARIANTS;
    const variants = this.#variants(object, hidden);
    const made = variants[variant] ?? cut(JSON.stringify(this.#draft(object, variant, hidden)));
    variants[variant] = made;
    return made;
  }

  #variants(object: ObjectSpec, hidden: ReadonlySet<string>): (Template | undefined)[] {
    let ofObject = this.#made.get(object.name);
    if (!ofObject) {
      ofObject = new Map();
      this.#made.set(object.name, ofObject);
    }
    let variants = ofObject.get(hidden);
    if (!variants) {
      variants = new Array(VARIANTS);
      ofObject.set(hidden, variants);
    }
    return variants;
  }

  #draft(object: ObjectSpec, variant: number, hidden: ReadonlySet<string>): Record<string, unknown> {
    const draft: Record<string, unknown> = {};
    object.columns.forEach((column, i) => {
      if (hidden.has(column.name)) return;
      const value = this.#value(object, column, hash(this.#seed, variant * 131 + i, object.name.length), variant, i);
      if (value !== undefined) draft[column.name] = value;
    });
    return draft;
  }

  #value(object: ObjectSpec, column: CatalogueColumn, random: number, variant: number, salt: number): unknown {
    const { way } = object;
    if (object.primaryKey.includes(column.name)) return `${MARK}key`;
    if (way.kind === 'children' && column.name === way.column) return `${MARK}parent`;
    if (column.name === 'created_at') return `${MARK}created`;
    if (column.name === 'updated_at') return `${MARK}updated`;
    // A date of the record's business, which its edits do not move.
    if (way.kind === 'since' && column.name === way.column) return `${MARK}created`;
    if (column.samples) {
      const samples = this.#tame ? tameOf(column.samples) : column.samples;
      return samples.length === 0 ? undefined : pick(samples, random);
    }
    if (column.optional && random % 4 === 0) return undefined;
    if (column.nullable && random % 3 === 0) return null;
    if (column.references !== null) {
      return column.nullable
        ? this.#referenceOf(column.references, variant, salt)
        : `${MARK}reference:${column.references}:${salt}`;
    }
    if (column.values) {
      const keys = Object.keys(column.values);
      return Number(pick(keys, random));
    }
    if (column.like) return prose(column.like, this.#seed, variant);
    switch (column.type) {
      case 'boolean':
        return random % 2 === 0;
      case 'timestamptz':
        return random % 2 === 0 ? `${MARK}created` : `${MARK}updated`;
      case 'bigint':
        return `${MARK}bigKey`;
      case 'numeric':
        return (random % 1000) / 10;
      case 'jsonb':
        return null;
      default:
        return prose('title', this.#seed, variant);
    }
  }
}

/** Those of the shape that the documentation promises: the first one's. */
function tameOf(samples: readonly unknown[]): readonly unknown[] {
  const shape = (value: unknown) => (Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value);
  return samples.filter((sample) => shape(sample) === shape(samples[0]));
}

/** Splits serialised text at its marks; numbers lose the quotes that the marks needed, times keep them. */
function cut(json: string): Template {
  const texts: string[] = [];
  const gaps: Gap[] = [];
  const marks = /"\\u0001gap:([a-zA-Z]+)(?::([a-z_]+):(\d+))?"/g;
  let from = 0;
  for (const match of json.matchAll(marks)) {
    const kind = match[1] as Gap['kind'];
    const quoted = kind === 'created' || kind === 'updated';
    texts.push(json.slice(from, match.index) + (quoted ? '"' : ''));
    from = match.index + match[0].length - (quoted ? 1 : 0);
    gaps.push(
      kind === 'reference'
        ? { kind, object: match[2] as string, salt: Number(match[3]) }
        : { kind: kind as Exclude<Gap['kind'], 'reference'> },
    );
  }
  texts.push(json.slice(from));
  return { texts: texts.map((text) => Buffer.from(text)), gaps };
}
