import {
  type Column,
  type ColumnType,
  getColumnName,
  getColumnNameByPath,
  getDistinctColumnName,
  type Table,
  toCustomFieldName,
} from '@freshet/contracts';
import { toPathKey, type WritableColumn } from '../records/writable-columns.ts';
import { METADATA_COLUMNS } from '../sql/identifiers.ts';
import { buildColumnComment, parseColumnComment } from './column-comments.ts';

/** A column that exists in the warehouse. */
export interface ExistingColumn {
  /** The column's `attnum`. A column that is dropped and added again gets a new number. */
  readonly number: number;
  /**
   * The column's type as `format_type` returns it, including length and precision. A type with a
   * limit would reject or round values.
   */
  readonly type: string;
  readonly comment: string | null;
}

/** The types that Freshet can write without changing a value: PostgreSQL's name → type. */
const WRITABLE_TYPES: ReadonlyMap<string, ColumnType> = new Map([
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

/**
 * The column of a renamed field is also recognized if `getDistinctColumnName` returns the name of
 * the column for one of these values of `attempt`.
 */
const RECOGNIZED_ATTEMPTS = [0, 1, 2, 3, 4, 5, 6, 7] as const;

/**
 * Assigns a separate column to each field. If the column of a field does not exist yet, assigns a
 * name to the new column.
 *
 * Declared fields claim columns first, in this order: documented fields, renamed fields, custom
 * fields whose name equals the column name, all other custom fields. Undeclared fields claim
 * columns afterwards. A field can claim an existing column in two cases:
 *
 * 1. The comment of the column contains the path of the field. If the field was renamed, the column
 *    must also have the new name, or a distinct name that was derived from the new name.
 * 2. The comment of the column contains no path, and the column has the name that the naming rule
 *    gives to the field, or the name that earlier releases gave to a custom field. Unknown fields
 *    cannot claim such a column.
 *
 * If a field can claim several columns, it usually claims the newest of them. If a field can claim
 * no column, it gets a new column. If the name from the naming rule is taken, the new column gets a
 * distinct name.
 *
 * An existing column that no field claims, such as a column of the user, is never written.
 */
export class ColumnNames {
  /** All existing columns of the table, including the user's: name → column. */
  readonly existingColumns: ReadonlyMap<string, ExistingColumn>;
  readonly #table: Table;
  /** Existing column → its position in the table. */
  readonly #positions: ReadonlyMap<string, number>;
  /** Existing column → the field in its comment. */
  readonly #fieldsByComment = new Map<string, string>();
  /** Field → the existing columns whose comments contain its path. */
  readonly #columnsByComment = new Map<string, string[]>();
  /** Field → its declared column. */
  readonly #declarations: ReadonlyMap<string, Column>;
  /** Field → the name of its column. */
  readonly #names = new Map<string, string>();
  /** Column → its field. */
  readonly #fields = new Map<string, { readonly path: readonly string[]; readonly declared: Column | null }>();

  /** @param existing null: the table does not exist. */
  constructor(table: Table, existing: ReadonlyMap<string, ExistingColumn> | null) {
    this.#table = table;
    this.existingColumns = existing ?? new Map();
    this.#positions = new Map([...this.existingColumns.keys()].map((name, position) => [name, position]));
    const commentedPaths: (readonly string[])[] = [];
    for (const [name, { comment }] of this.existingColumns) {
      const path = parseColumnComment(comment);
      if (path === null) continue;
      const key = toPathKey(path);
      this.#fieldsByComment.set(name, key);
      this.#columnsByComment.set(key, [...(this.#columnsByComment.get(key) ?? []), name]);
      commentedPaths.push(path);
    }
    const declared = table.columns.map((column) => ({ column, path: column.path ?? [column.name] }));
    this.#declarations = new Map(declared.map(({ column, path }) => [toPathKey(path), column]));
    const rank = (path: readonly string[]): number => {
      if (this.#getRename(path) !== null) return 1;
      if (!this.isAccountField(path)) return 0;
      return path.at(-1) === getColumnNameByPath(path) ? 2 : 3;
    };
    for (const { path } of declared.toSorted((a, b) => rank(a.path) - rank(b.path))) this.getName(path);
    for (const path of commentedPaths.toSorted((a, b) => rank(a) - rank(b))) this.getName(path);
  }

  /**
   * Returns the name of a field's column. If the field has no column, assigns one. The column may
   * not exist yet.
   */
  getName(path: readonly string[]): string {
    const key = toPathKey(path);
    const assignedName = this.#names.get(key);
    if (assignedName !== undefined) return assignedName;
    const name = this.#findExistingName(path) ?? this.#chooseNewName(path);
    this.#names.set(key, name);
    this.#fields.set(name, { path, declared: this.#declarations.get(key) ?? null });
    return name;
  }

  /**
   * Whether the account defines the field, as it does custom fields. All other fields with a
   * declared column are documented, including fields of a nested JSON object.
   */
  isAccountField(path: readonly string[]): boolean {
    return path.length > 1 && (path[0] === this.#table.customFieldsColumn || !this.#declarations.has(toPathKey(path)));
  }

  /** Declared columns that do not exist and are not dropped, with their assigned names. */
  get missingColumns(): Column[] {
    return [...this.#fields].flatMap(([name, { path, declared }]) =>
      declared === null || declared.dropped === true || this.existingColumns.has(name)
        ? []
        : [{ ...declared, name, path }],
    );
  }

  /**
   * Comments for the existing columns whose comments lack the path of the field. Without the path,
   * a later load could assign the column to a different field.
   */
  get missingComments(): { readonly name: string; readonly comment: string }[] {
    return [...this.#fields].flatMap(([name, { path }]) => {
      const column = this.existingColumns.get(name);
      // The name of a documented column identifies its field.
      if (column === undefined || this.#fieldsByComment.has(name) || (path.length === 1 && path[0] === name)) return [];
      return [{ name, comment: buildColumnComment(path, column.comment ?? '') }];
    });
  }

  /** The columns to which rows are written, in the order of the table. */
  get writableColumns(): WritableColumn[] {
    return this.#listFilledColumns().flatMap(({ name, path }) => {
      const type = WRITABLE_TYPES.get(this.existingColumns.get(name)?.type ?? '');
      return type === undefined ? [] : [{ name, type, path }];
    });
  }

  /** Fields whose columns have types that Freshet cannot write: field (`toPathKey`) → column. */
  get unwritableFields(): Map<string, string> {
    return new Map(
      this.#listFilledColumns()
        .filter(({ name }) => !WRITABLE_TYPES.has(this.existingColumns.get(name)?.type ?? ''))
        .map(({ name, path }) => [toPathKey(path), name]),
    );
  }

  /**
   * The existing columns of fields, even if Freshet cannot write the type: name → path of the
   * field.
   */
  get fieldPaths(): Map<string, readonly string[]> {
    return new Map(this.#listFilledColumns().map(({ name, path }) => [name, path]));
  }

  /** The columns of the fields that a field rule drops. */
  get droppedColumns(): string[] {
    return [...this.#fields].flatMap(([name, { declared }]) => (declared?.dropped === true ? [name] : []));
  }

  /** Returns the declaration of a column; null: its field is not declared. */
  getDeclaration(name: string): Column | null {
    return this.#fields.get(name)?.declared ?? null;
  }

  #listFilledColumns(): { readonly name: string; readonly path: readonly string[] }[] {
    return [...this.existingColumns.keys()].flatMap((name) => {
      const field = this.#fields.get(name);
      return field === undefined ? [] : [{ name, path: field.path }];
    });
  }

  #getRename(path: readonly string[]): string | null {
    const field = path.join('.');
    const { renames } = this.#table;
    return Object.hasOwn(renames, field) ? (renames[field] as string) : null;
  }

  #getPreferredName(path: readonly string[]): string {
    const isNested = path.length > 1 && !this.isAccountField(path);
    const declaredName = isNested ? this.#declarations.get(toPathKey(path))?.name : undefined;
    return getColumnName(this.#getRename(path) ?? declaredName ?? getColumnNameByPath(path));
  }

  #findExistingName(path: readonly string[]): string | null {
    const key = toPathKey(path);
    const preferred = this.#getPreferredName(path);
    const rename = this.#getRename(path);
    const isCustom = this.isAccountField(path);
    // After a rename, the previous column of the field keeps its values and is no longer filled.
    const matchesRename = (name: string) =>
      name === preferred ||
      name === rename ||
      RECOGNIZED_ATTEMPTS.some((attempt) => name === getDistinctColumnName(preferred, path, attempt));
    const columnsWithPath = (this.#columnsByComment.get(key) ?? []).filter(
      (name) => rename === null || matchesRename(name),
    );
    // In earlier releases, the names of declared columns did not follow the naming rule. Columns of
    // unknown fields need no search by name, because their comments have always contained the path.
    const legacyName = rename ?? (isCustom ? toCustomFieldName(path.at(-1) as string) : preferred);
    const isKnown = isCustom || this.#declarations.has(key);
    const isUsable = (name: string) => !this.#fields.has(name) && !Object.hasOwn(METADATA_COLUMNS, name);
    const lacksPath = (name: string) => this.existingColumns.has(name) && !this.#fieldsByComment.has(name);
    if (
      isKnown &&
      columnsWithPath.length === 0 &&
      legacyName === preferred &&
      lacksPath(preferred) &&
      isUsable(preferred)
    )
      return preferred;
    const columnsWithoutPath = isKnown
      ? [...new Set([preferred, legacyName, getDistinctColumnName(preferred, path, 0)])]
      : [];
    const candidates = [...columnsWithPath, ...columnsWithoutPath.filter(lacksPath)].filter(isUsable);
    if (!isCustom && candidates.includes(preferred)) return preferred;
    // Earlier releases filled the newest of several candidates.
    const newestFirst = candidates.toSorted(
      (a, b) => (this.#positions.get(b) as number) - (this.#positions.get(a) as number),
    );
    return newestFirst[0] ?? null;
  }

  #chooseNewName(path: readonly string[]): string {
    const preferred = this.#getPreferredName(path);
    const isFree = (name: string) =>
      !this.existingColumns.has(name) && !this.#fields.has(name) && !Object.hasOwn(METADATA_COLUMNS, name);
    if (isFree(preferred)) return preferred;
    for (let attempt = 0; ; attempt++) {
      const name = getDistinctColumnName(preferred, path, attempt);
      if (isFree(name)) return name;
    }
  }
}
