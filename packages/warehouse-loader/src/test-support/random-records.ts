import { randomBytes } from 'node:crypto';

/** Random records of every JSON shape, from a seed: what a parser, a type or PostgreSQL might stumble over is likelier than in life. */
export class RandomRecords {
  readonly seed: number;
  #state: number;

  constructor(seed: number = randomBytes(4).readUInt32LE()) {
    this.seed = seed;
    this.#state = seed || 1;
  }

  /** 0 to n - 1. */
  below(n: number): number {
    // xorshift: repeatable, and good enough.
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % n;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  /** The JSON text of one record whose key is `id`. */
  record(id: number): string {
    const fields: [string, string][] = [['id', this.below(60) === 0 ? this.badKey() : String(id)]];
    const maybe = (name: string, value: () => string, outOf = 3) => {
      if (this.below(outOf) > 0) fields.push([name, value()]);
    };
    maybe('updated_at', () => this.mostly(() => this.time()));
    maybe('parent_id', () => this.mostly(() => String(this.below(1000))));
    maybe('name', () => this.mostly(() => this.string()));
    maybe('amount', () => this.mostly(() => this.number()));
    maybe('open', () => this.mostly(() => this.pick(['true', 'false'])));
    maybe('day', () => this.mostly(() => this.pick(['"2024-02-29"', '"0001-01-01"', '"2023-12-31T00:00:00Z"'])));
    maybe('tags', () => this.value(0));
    for (let n = this.below(4); n > 0; n--) fields.push([this.pick(FIELDS), this.value(0)]);
    if (this.below(2) === 0) {
      const own = Array.from({ length: this.below(4) }, () => `${JSON.stringify(this.pick(CUSTOM))}:${this.value(1)}`);
      fields.push(['custom_fields', this.below(20) === 0 ? this.value(1) : `{${own.join(',')}}`]);
    }
    // In any order, spaced in any way.
    for (let i = fields.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [fields[i], fields[j]] = [fields[j] as [string, string], fields[i] as [string, string]];
    }
    const space = () => this.pick(['', '', '', ' ', '\t']);
    return `{${fields.map(([name, value]) => `${space()}${JSON.stringify(name)}${space()}:${space()}${value}${space()}`).join(',')}}`;
  }

  badKey(): string {
    return this.pick(['null', '"abc"', '1.5', 'true', '[]', '99999999999999999999', '""']);
  }

  /** What the column expects, and now and then anything. */
  mostly(usual: () => string): string {
    return this.below(25) === 0 ? this.value(0) : usual();
  }

  value(depth: number): string {
    switch (this.below(depth > 3 ? 6 : 9)) {
      case 0:
        return this.pick(['null', 'true', 'false']);
      case 1:
      case 2:
        return this.number();
      case 3:
      case 4:
        return this.string();
      case 5:
        return this.time();
      case 6:
        return `[${Array.from({ length: this.below(4) }, () => this.value(depth + 1)).join(', ')}]`;
      case 7:
        if (depth === 0 && this.below(300) === 0) return this.deep();
        return `[${Array.from({ length: this.below(3) }, () => this.value(depth + 1)).join(',')}]`;
      default:
        return `{${Array.from({ length: this.below(4) }, (_, n) => `${this.name(n)}:${this.value(depth + 1)}`).join(',')}}`;
    }
  }

  deep(): string {
    const levels = this.pick([60, 100, 500, 700]);
    return '['.repeat(levels) + this.number() + ']'.repeat(levels);
  }

  number(): string {
    return this.pick([
      () => String(this.below(1000)),
      () => `-${this.below(1000)}`,
      () => '-0',
      () => '0',
      () => `${this.below(100)}.${this.below(1000)}`,
      () => '1.50',
      () => '9007199254740993',
      () => '9223372036854775807',
      () => '9223372036854775808',
      () => '-9223372036854775809',
      () => '0.12345678901234567890123',
      () => `1e${this.below(30)}`,
      () => '1E400',
      () => '-2.5e-400',
      () => '1e1001',
      () => '7e999999',
    ])();
  }

  string(): string {
    const parts = Array.from({ length: this.below(5) }, () => this.pick(PARTS));
    return `"${this.below(200) === 0 ? 'x'.repeat(20_000) : ''}${parts.join('')}"`;
  }

  time(): string {
    return this.pick([
      () => `"2026-${this.two(12, 1)}-${this.two(28, 1)}T${this.two(24, 0)}:${this.two(60, 0)}:${this.two(60, 0)}Z"`,
      () => `"2024-11-05T10:${this.two(60, 0)}:00+05:30"`,
      () => '"2024-11-05T10:00:00.123456Z"',
      () => '"2024-02-30T10:00:00Z"',
      () => '"2024-11-05T25:00:00Z"',
      () => '"0000-00-00T00:00:00Z"',
      () => '"infinity"',
    ])();
  }

  two(n: number, from: number): string {
    return String(from + this.below(n + 1 - from - (from === 0 ? 1 : 0))).padStart(2, '0');
  }

  /** A name within a nested object; each is another, for of two that are the same only the last is a value. */
  name(n: number): string {
    return `"${this.pick(['a', 'é', 'k\\u0000', '\\ud800', 'with \\"quotes\\"', 'x\\ty'])}${n}"`;
  }
}

const FIELDS = [
  'extra_one',
  'Extra Two',
  'größe',
  'select',
  '_freshet_hash',
  'ctid',
  'n'.repeat(80),
  'flag',
  'list',
  'when',
  'deep',
];
const CUSTOM = ['cf_a', 'cf_b', 'department', 'Größe', 'cf_when', 'cf_flag'];
const PARTS = [
  'a',
  'plain text',
  'é',
  '𝒳',
  '日本',
  '\\n',
  '\\t',
  '\\r',
  '\\b',
  '\\"',
  '\\\\',
  '\\/',
  '\\\\N',
  '\\u00e9',
  '\\u0001',
  '\\u0000',
  '\\ud83d\\ude00',
  '\\ud800',
  '\\udc00x',
  "'",
  ';--',
  '\\u005c',
  '\\u000a',
  '\\u000d',
  '\\u0009',
  '{',
  '%s',
  ' ',
];
