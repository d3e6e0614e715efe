/**
 * Generates random records from a seed, with values of every JSON type. Values that a parser, a
 * column type or PostgreSQL may reject are frequent.
 */
export class RandomRecords {
  readonly seed: number;
  #state: number;

  constructor(seed: number) {
    this.seed = seed;
    this.#state = seed || 1;
  }

  /** Returns an integer from 0 to n - 1. */
  nextInt(n: number): number {
    // xorshift
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % n;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.nextInt(items.length)] as T;
  }

  /**
   * Builds the JSON text of a record whose primary key is `id`. About one record in 60 has an
   * invalid primary key instead.
   */
  buildRecord(id: number): string {
    const fields: [string, string][] = [['id', this.nextInt(60) === 0 ? this.buildInvalidKey() : String(id)]];
    const addOptional = (name: string, value: () => string, oneOf = 3) => {
      if (this.nextInt(oneOf) > 0) fields.push([name, value()]);
    };
    addOptional('updated_at', () => this.usually(() => this.buildTime()));
    addOptional('parent_id', () => this.usually(() => String(this.nextInt(1000))));
    addOptional('name', () => this.usually(() => this.buildString()));
    addOptional('amount', () => this.usually(() => this.buildNumber()));
    addOptional('open', () => this.usually(() => this.pick(['true', 'false'])));
    addOptional('day', () => this.usually(() => this.pick(['"2024-02-29"', '"0001-01-01"', '"2023-12-31T00:00:00Z"'])));
    addOptional('tags', () => this.buildValue(0));
    for (let n = this.nextInt(4); n > 0; n--) fields.push([this.pick(FIELDS), this.buildValue(0)]);
    if (this.nextInt(2) === 0) {
      const customFields = Array.from(
        { length: this.nextInt(4) },
        () => `${JSON.stringify(this.pick(CUSTOM))}:${this.buildValue(1)}`,
      );
      fields.push(['custom_fields', this.nextInt(20) === 0 ? this.buildValue(1) : `{${customFields.join(',')}}`]);
    }
    // Shuffle the fields and add random white space.
    for (let i = fields.length - 1; i > 0; i--) {
      const j = this.nextInt(i + 1);
      [fields[i], fields[j]] = [fields[j] as [string, string], fields[i] as [string, string]];
    }
    const space = () => this.pick(['', '', '', ' ', '\t']);
    return `{${fields.map(([name, value]) => `${space()}${JSON.stringify(name)}${space()}:${space()}${value}${space()}`).join(',')}}`;
  }

  buildInvalidKey(): string {
    return this.pick(['null', '"abc"', '1.5', 'true', '[]', '99999999999999999999', '""']);
  }

  /** Returns a typical value, or an arbitrary value in one of 25 cases. */
  usually(buildTypical: () => string): string {
    return this.nextInt(25) === 0 ? this.buildValue(0) : buildTypical();
  }

  buildValue(depth: number): string {
    switch (this.nextInt(depth > 3 ? 6 : 9)) {
      case 0:
        return this.pick(['null', 'true', 'false']);
      case 1:
      case 2:
        return this.buildNumber();
      case 3:
      case 4:
        return this.buildString();
      case 5:
        return this.buildTime();
      case 6:
        return `[${Array.from({ length: this.nextInt(4) }, () => this.buildValue(depth + 1)).join(', ')}]`;
      case 7:
        if (depth === 0 && this.nextInt(300) === 0) return this.buildDeepValue();
        return `[${Array.from({ length: this.nextInt(3) }, () => this.buildValue(depth + 1)).join(',')}]`;
      default:
        return `{${Array.from({ length: this.nextInt(4) }, (_, n) => `${this.buildNestedName(n)}:${this.buildValue(depth + 1)}`).join(',')}}`;
    }
  }

  buildDeepValue(): string {
    const levels = this.pick([60, 100, 500, 700]);
    return '['.repeat(levels) + this.buildNumber() + ']'.repeat(levels);
  }

  buildNumber(): string {
    return this.pick([
      () => String(this.nextInt(1000)),
      () => `-${this.nextInt(1000)}`,
      () => '-0',
      () => '0',
      () => `${this.nextInt(100)}.${this.nextInt(1000)}`,
      () => '1.50',
      () => '9007199254740993',
      () => '9223372036854775807',
      () => '9223372036854775808',
      () => '-9223372036854775809',
      () => '0.12345678901234567890123',
      () => `1e${this.nextInt(30)}`,
      () => '1E400',
      () => '-2.5e-400',
      () => '1e1001',
      () => '7e999999',
    ])();
  }

  buildString(): string {
    const parts = Array.from({ length: this.nextInt(5) }, () => this.pick(PARTS));
    return `"${this.nextInt(200) === 0 ? 'x'.repeat(20_000) : ''}${parts.join('')}"`;
  }

  buildTime(): string {
    return this.pick([
      () =>
        `"2026-${this.formatTwoDigits(12, 1)}-${this.formatTwoDigits(28, 1)}T${this.formatTwoDigits(24, 0)}:${this.formatTwoDigits(60, 0)}:${this.formatTwoDigits(60, 0)}Z"`,
      () => `"2024-11-05T10:${this.formatTwoDigits(60, 0)}:00+05:30"`,
      () => '"2024-11-05T10:00:00.123456Z"',
      () => '"2024-02-30T10:00:00Z"',
      () => '"2024-11-05T25:00:00Z"',
      () => '"0000-00-00T00:00:00Z"',
      () => '"infinity"',
    ])();
  }

  /**
   * Formats a random integer from `from` (0 or 1) with two digits. The maximum is `n`, or `n` - 1
   * if `from` is 0.
   */
  formatTwoDigits(n: number, from: number): string {
    return String(from + this.nextInt(n + 1 - from - (from === 0 ? 1 : 0))).padStart(2, '0');
  }

  /**
   * Builds the name of a member of a nested JSON object. The names in a JSON object are unique,
   * because a parser discards all but the last of several members with the same name.
   */
  buildNestedName(n: number): string {
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
