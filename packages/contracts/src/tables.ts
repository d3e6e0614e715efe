/** Column types of the warehouse. Arrays and nested JSON objects are `jsonb`. */
export const COLUMN_TYPES = ['bigint', 'numeric', 'boolean', 'text', 'timestamptz', 'date', 'jsonb'] as const;
export type ColumnType = (typeof COLUMN_TYPES)[number];

/** One typed column of a warehouse table. */
export interface Column {
  /**
   * The column's name, from the naming rule (`naming.ts`) or from the user's rename. The loader
   * resolves duplicate names.
   */
  readonly name: string;
  readonly type: ColumnType;
  readonly description: string;
  /**
   * Path of the value in a record; absent: `[name]`. Custom fields: `['custom_fields', 'cf_x']`.
   */
  readonly path?: readonly string[];
  /**
   * The type is part of the warehouse contract, so a value of a different type never changes it.
   */
  readonly documented?: true;
  /**
   * The user has dropped the column. The loader fills the column if it exists, but does not create
   * it.
   */
  readonly dropped?: true;
}

/** A user's rule for one field. */
export interface FieldRule {
  /** The column's name. */
  readonly rename?: string | undefined;
  /** The value is not stored. */
  readonly drop?: boolean | undefined;
  /** Only a hash of the value is stored. */
  readonly hash?: boolean | undefined;
}

/** Field → rule. A dot separates the names of nested fields: `custom_fields.cf_phone`. */
export type FieldRules = Readonly<Record<string, FieldRule>>;

/** A warehouse table, as the loader needs to know it. */
export interface Table {
  readonly name: string;
  readonly description: string;
  readonly columns: readonly Column[];
  /** Columns of the primary key. Never empty. */
  readonly primaryKey: readonly string[];
  /**
   * The column that orders the versions of a row: the version with the greater value is newer.
   * Null: the version that was extracted later is newer.
   */
  readonly versionColumn: string | null;
  /**
   * Columns by which the loader looks up rows, such as the column with a child's parent. Each of
   * these columns gets an index.
   */
  readonly lookupColumns: readonly string[];
  /**
   * The column that holds all custom fields of a record as one JSON object; null: none. Each custom
   * field also has its own column `cf_…`.
   */
  readonly customFieldsColumn: string | null;
  /**
   * The user's renames, for fields that `columns` does not contain: field → column name. A dot
   * separates the names of nested fields.
   */
  readonly renames: Readonly<Record<string, string>>;
}

/** A table whose rows belong to the rows of a parent table. */
export interface ChildTable {
  readonly name: string;
  /** The column that holds the parent's key. */
  readonly column: string;
  /** The parent's table. */
  readonly parent: string;
  readonly parentKey: string;
}

/** How the loader handles a value that does not match its column's type. */
export const SCHEMA_POLICIES = ['evolve', 'freeze', 'discard'] as const;
export type SchemaPolicy = (typeof SCHEMA_POLICIES)[number];

/** A schema change in the warehouse. Freshet never drops a table or a column. */
export interface SchemaChange {
  readonly change: 'table_added' | 'column_added' | 'column_widened';
  readonly table: string;
  /** Null for `table_added`. */
  readonly column: string | null;
  /** The column's new type; null for `table_added`. */
  readonly type: string | null;
}
