import type { CatalogueColumn, ObjectSpec } from '@freshet/freshdesk-extractor';
import { hash, pick } from './random.ts';
import { generateText } from './text-generator.ts';

/**
 * A serialized record with gaps. Templates make rendering fast: the simulator serializes each of up
 * to 256 variants of an object only once, with gaps for the values that differ between records,
 * such as the key, the times and the references that are never null. To render a record, the
 * simulator fills the gaps of a variant.
 */
export interface Template {
  /** The bytes before, between and after the gaps. `texts` has one item more than `gaps`. */
  readonly texts: readonly Buffer[];
  readonly gaps: readonly Gap[];
}

export type Gap =
  | { readonly kind: 'key' | 'created' | 'updated' | 'parent' | 'bigKey' }
  | { readonly kind: 'reference'; readonly object: string; readonly salt: number };

const VARIANTS = 256;
/**
 * Marks a gap in a draft. The mark contains a control character that generated texts do not
 * contain.
 */
const MARK = '\u0001gap:';

export class Templates {
  readonly #seed: number;
  readonly #documentedShapesOnly: boolean;
  readonly #pickReference: (object: string, number: number, salt: number) => number;
  /**
   * Templates by object, then by the set of hidden columns. Callers pass the same `Set` instance
   * for the same columns.
   */
  readonly #cache = new Map<string, Map<ReadonlySet<string>, (Template | undefined)[]>>();

  /**
   * @param documentedShapesOnly whether to generate only values of the documented types.
   * @param pickReference returns the key of a record of the given object. The key is the same for
   * equal arguments.
   */
  constructor(
    seed: number,
    documentedShapesOnly: boolean,
    pickReference: (object: string, number: number, salt: number) => number,
  ) {
    this.#seed = seed;
    this.#documentedShapesOnly = documentedShapesOnly;
    this.#pickReference = pickReference;
  }

  /**
   * Returns the template of a record, without the `hidden` columns. The record's number determines
   * the variant.
   */
  get(object: ObjectSpec, number: number, hidden: ReadonlySet<string>): Template {
    const variant = hash(this.#seed, number, object.name.length) % VARIANTS;
    const variants = this.#getVariants(object, hidden);
    const template = variants[variant] ?? parseTemplate(JSON.stringify(this.#buildDraft(object, variant, hidden)));
    variants[variant] = template;
    return template;
  }

  #getVariants(object: ObjectSpec, hidden: ReadonlySet<string>): (Template | undefined)[] {
    let byHidden = this.#cache.get(object.name);
    if (!byHidden) {
      byHidden = new Map();
      this.#cache.set(object.name, byHidden);
    }
    let variants = byHidden.get(hidden);
    if (!variants) {
      variants = new Array(VARIANTS);
      byHidden.set(hidden, variants);
    }
    return variants;
  }

  #buildDraft(object: ObjectSpec, variant: number, hidden: ReadonlySet<string>): Record<string, unknown> {
    const draft: Record<string, unknown> = {};
    object.columns.forEach((column, i) => {
      // A column with a path holds a value of another field.
      if (hidden.has(column.name) || column.path !== undefined) return;
      const value = this.#buildValue(
        object,
        column,
        hash(this.#seed, variant * 131 + i, object.name.length),
        variant,
        i,
      );
      if (value !== undefined) draft[column.name] = value;
    });
    return draft;
  }

  #buildValue(object: ObjectSpec, column: CatalogueColumn, random: number, variant: number, salt: number): unknown {
    const { strategy } = object;
    if (object.primaryKey.includes(column.name)) return `${MARK}key`;
    if (strategy.kind === 'children' && column.name === strategy.parentColumn) return `${MARK}parent`;
    if (column.name === 'created_at') return `${MARK}created`;
    if (column.name === 'updated_at') return `${MARK}updated`;
    // A cursor column other than `created_at` and `updated_at` contains a business date, which
    // edits of the record do not change.
    if (strategy.kind === 'changed-since' && column.name === strategy.cursorColumn) return `${MARK}created`;
    if (column.samples) {
      const samples = this.#documentedShapesOnly ? filterDocumentedShape(column.samples) : column.samples;
      return samples.length === 0 ? undefined : pick(samples, random);
    }
    if (column.optional && random % 4 === 0) return undefined;
    if (column.nullable && random % 3 === 0) return null;
    if (column.references !== null) {
      return column.nullable
        ? this.#pickReference(column.references, variant, salt)
        : `${MARK}reference:${column.references}:${salt}`;
    }
    if (column.values) {
      const keys = Object.keys(column.values);
      return Number(pick(keys, random));
    }
    if (column.textKind) return generateText(column.textKind, this.#seed, variant);
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
        return generateText('title', this.#seed, variant);
    }
  }
}

/** Returns the samples of the documented type, which is the type of the first sample. */
function filterDocumentedShape(samples: readonly unknown[]): readonly unknown[] {
  const getShape = (value: unknown) => (Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value);
  return samples.filter((sample) => getShape(sample) === getShape(samples[0]));
}

/**
 * Splits serialized JSON at its marks. The quotes around a mark are kept if the gap is for a time,
 * and removed if the gap is for a number.
 */
function parseTemplate(json: string): Template {
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
