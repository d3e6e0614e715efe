import {
  type Column,
  type ColumnType,
  columnName,
  columnNameOf,
  customFieldName,
  distinctColumnName,
  type Table,
} from '@freshet/contracts';
import { META_COLUMNS } from './identifiers.ts';

/** A column of the warehouse as it is. */
export interface Live {
  /** Its `attnum`: a column that was dropped and added again has another one. */
  readonly number: number;
  /** As `format_type` spells it, with a length or precision: a type with a limit would refuse or round values. */
  readonly type: string;
  readonly comment: string | null;
}

/** A column that Freshet fills: its type is the warehouse's, whatever was declared. */
export interface LiveColumn {
  readonly name: string;
  readonly type: ColumnType;
  /** Where its value stands in a record. */
  readonly path: readonly string[];
}

/** Column types that Freshet can write without changing a value, by PostgreSQL's names. */
const TYPES: ReadonlyMap<string, ColumnType> = new Map([
  ['bigint', 'bigint'],
  ['integer', 'bigint'],
  ['smallint', 'bigint'],
  ['numeric', 'numeric'],
  ['boolean', 'boolean'],
  ['text', 'text'],
  ['character varying', 'text'],
  ['timestamp with time zone', 'timestamptz'],
  ['date', 'date'],
  ['jsonb', 'jsonb'],
]);

/** A field's path as one string. Records hold no NUL. */
export function pathKey(path: readonly string[]): string {
  return path.length === 1 ? (path[0] as string) : path.join('\0');
}

/**
 * Decides which column each field fills, and the names of columns that do not exist yet, so that no two fields share a column.
 *
 * Fields claim columns in this order: documented fields, fields that the user has renamed, custom fields whose own name is the column
 * name, other custom fields, unknown fields. A field keeps the column whose comment holds its path. Without such a comment it keeps
 * the column that has its name by the rule, or (custom fields) its name before the rule, as earlier releases created it. A column that
 * belongs to nobody by these is the user's own and is never filled. A field whose name is taken gets a distinct name.
 */
export class ColumnNames {
  readonly #table: Table;
  /** The table's columns, a user's included. */
  readonly live: ReadonlyMap<string, Live>;
  /** Column → its place in the table. */
  readonly #places: ReadonlyMap<string, number>;
  /** Column → the field in its comment. */
  readonly #commented = new Map<string, string>();
  /** Field → columns whose comments hold its path. */
  readonly #byPath = new Map<string, string[]>();
  readonly #declared: ReadonlyMap<string, Column>;
  readonly #names = new Map<string, string>();
  readonly #fields = new Map<string, { readonly path: readonly string[]; readonly declared: Column | null }>();

  constructor(table: Table, live: ReadonlyMap<string, Live> | null) {
    this.#table = table;
    this.live = live ?? new Map();
    this.#places = new Map([...this.live.keys()].map((name, place) => [name, place]));
    const unknown: (readonly string[])[] = [];
    for (const [name, { comment }] of this.live) {
      const path = pathIn(comment);
      if (path === null) continue;
      const key = pathKey(path);
      this.#commented.set(name, key);
      this.#byPath.set(key, [...(this.#byPath.get(key) ?? []), name]);
      unknown.push(path);
    }
    const declared = table.columns.map((column) => ({ column, path: column.path ?? [column.name] }));
    this.#declared = new Map(declared.map(({ column, path }) => [pathKey(path), column]));
    const rank = (path: readonly string[]): number => {
      if (this.#rename(path) !== null) return 1;
      if (path.length === 1) return 0;
      return path.at(-1) === columnNameOf(path) ? 2 : 3;
    };
    for (const { path } of declared.toSorted((a, b) => rank(a.path) - rank(b.path))) this.nameOf(path);
    for (const path of unknown.toSorted((a, b) => rank(a) - rank(b))) this.nameOf(path);
  }

  /** The column of a field: the one that it fills, or the one to be added for it. */
  nameOf(path: readonly string[]): string {
    const key = pathKey(path);
    const known = this.#names.get(key);
    if (known !== undefined) return known;
    const name = this.#existing(path) ?? this.#free(path);
    this.#names.set(key, name);
    this.#fields.set(name, { path, declared: this.#declared.get(key) ?? null });
    return name;
  }

  /** Declared columns that the table lacks, by the names that they get. */
  get missing(): Column[] {
    return [...this.#fields].flatMap(([name, { path, declared }]) =>
      declared === null || declared.dropped === true || this.live.has(name) ? [] : [{ ...declared, name, path }],
    );
  }

  /** Comments that columns lack: without the path in it, a later load could take the column for another field's. */
  get comments(): { readonly name: string; readonly comment: string }[] {
    return [...this.#fields].flatMap(([name, { path }]) => {
      const live = this.live.get(name);
      // A documented field is told by its name.
      if (live === undefined || this.#commented.has(name) || (path.length === 1 && path[0] === name)) return [];
      return [{ name, comment: commentOf(path, live.comment ?? '') }];
    });
  }

  /** The columns that rows are written to, in the order of the table. */
  get columns(): LiveColumn[] {
    return this.#filled().flatMap(({ name, path }) => {
      const type = TYPES.get(this.live.get(name)?.type ?? '');
      return type === undefined ? [] : [{ name, type, path }];
    });
  }

  /** Fields whose columns have types that Freshet does not write: field → column. */
  get unwritable(): Map<string, string> {
    return new Map(
      this.#filled()
        .filter(({ name }) => !TYPES.has(this.live.get(name)?.type ?? ''))
        .map(({ name, path }) => [pathKey(path), name]),
    );
  }

  /** The columns that Freshet fills, whatever their type: name → path of the field. */
  get paths(): Map<string, readonly string[]> {
    return new Map(this.#filled().map(({ name, path }) => [name, path]));
  }

  /** Columns of fields that the user drops. */
  get dropped(): string[] {
    return [...this.#fields].flatMap(([name, { declared }]) => (declared?.dropped === true ? [name] : []));
  }

  /** What was declared for a column; null: an unknown field fills it. */
  declaredOf(name: string): Column | null {
    return this.#fields.get(name)?.declared ?? null;
  }

  #filled(): { readonly name: string; readonly path: readonly string[] }[] {
    return [...this.live.keys()].flatMap((name) => {
      const field = this.#fields.get(name);
      return field === undefined ? [] : [{ name, path: field.path }];
    });
  }

  #rename(path: readonly string[]): string | null {
    const field = path.join('.');
    const { renames } = this.#table;
    return Object.hasOwn(renames, field) ? (renames[field] as string) : null;
  }

  #preferred(path: readonly string[]): string {
    return columnName(this.#rename(path) ?? columnNameOf(path));
  }

  #existing(path: readonly string[]): string | null {
    const key = pathKey(path);
    const preferred = this.#preferred(path);
    const rename = this.#rename(path);
    const isCustom = path.length > 1;
    // After a rename, the column that the field filled before keeps what it holds.
    const isOfRename = (name: string) =>
      name === preferred ||
      name === rename ||
      ATTEMPTS.some((attempt) => name === distinctColumnName(preferred, path, attempt));
    const commented = (this.#byPath.get(key) ?? []).filter((name) => rename === null || isOfRename(name));
    // Names before the rule. An unknown field has had its path in the comment from the start.
    const earlier = rename ?? (isCustom ? customFieldName(path.at(-1) as string) : preferred);
    const isKnown = isCustom || this.#declared.has(key);
    const isUsable = (name: string) => !this.#fields.has(name) && !Object.hasOwn(META_COLUMNS, name);
    const isUncommented = (name: string) => this.live.has(name) && !this.#commented.has(name);
    if (isKnown && commented.length === 0 && earlier === preferred && isUncommented(preferred) && isUsable(preferred))
      return preferred;
    const uncommented = isKnown ? [...new Set([preferred, earlier, distinctColumnName(preferred, path, 0)])] : [];
    const candidates = [...commented, ...uncommented.filter(isUncommented)].filter(isUsable);
    if (!isCustom && candidates.includes(preferred)) return preferred;
    // Of several, the youngest is the one that earlier releases have filled.
    return candidates.toSorted((a, b) => (this.#places.get(b) as number) - (this.#places.get(a) as number))[0] ?? null;
  }

  #free(path: readonly string[]): string {
    const preferred = this.#preferred(path);
    const isFree = (name: string) =>
      !this.live.has(name) && !this.#fields.has(name) && !Object.hasOwn(META_COLUMNS, name);
    if (isFree(preferred)) return preferred;
    for (let attempt = 0; ; attempt++) {
      const name = distinctColumnName(preferred, path, attempt);
      if (isFree(name)) return name;
    }
  }
}

/** Distinct names by which a renamed field's column is recognized. More are never taken but by intent. */
const ATTEMPTS = [0, 1, 2, 3, 4, 5, 6, 7] as const;

/** The comment of a column: a description, and the path of its field. */
export function commentOf(path: readonly string[], description: string): string {
  return `${description} ${JSON.stringify({ path })}`.trimStart();
}

/** Quotes within a path are escaped, so its own beginning is the last that a comment can hold. */
export function pathIn(comment: string | null): readonly string[] | null {
  const at = comment?.lastIndexOf('{"path":[') ?? -1;
  if (comment === null || at < 0) return null;
  try {
    const { path } = JSON.parse(comment.slice(at)) as { path: unknown };
    return Array.isArray(path) && path.length > 0 && path.every((part) => typeof part === 'string') ? path : null;
  } catch (error) {
    // A comment that a user has written.
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
