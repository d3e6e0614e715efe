/** Column types of the warehouse. Arrays and nested objects are `jsonb`. */
export const COLUMN_TYPES = ['bigint', 'numeric', 'boolean', 'text', 'timestamptz', 'date', 'jsonb'] as const;
export type ColumnType = (typeof COLUMN_TYPES)[number];

/** One typed column of a warehouse table. */
export interface Column {
  /**
   * The name by the naming rule (`naming.ts`) or the user's rename. The loader resolves duplicate
   * names.
   */
  readonly name: string;
  readonly type: ColumnType;
  readonly description: string;
  /**
   * Path of the value in a record; absent: `[name]`. Custom fields: `['custom_fields', 'cf_x']`.
   */
  readonly path?: readonly string[];
  /** The type is part of the warehouse contract: a value of another type never changes it. */
  readonly documented?: true;
  /**
   * The user has dropped the column: the loader fills an existing column, but does not create one.
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
   * The column whose greater value marks the newer version; null: the later extraction is the newer
   * version.
   */
  readonly versionColumn: string | null;
  /**
   * Columns by which the loader looks up rows, such as the parent of a child. Each gets an index.
   */
  readonly lookupColumns: readonly string[];
  /**
   * The column with the object of the account's own fields, each of which also has a column `cf_…`;
   * null: none.
   */
  readonly customFieldsColumn: string | null;
  /**
   * The user's renames for fields that are not declared: field (nested with dots) → column name.
   */
  readonly renames: Readonly<Record<string, string>>;
}

/** A table whose rows belong to rows of another table. */
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

/** A schema change in the warehouse. Nothing is ever dropped. */
export interface SchemaChange {
  readonly change: 'table_added' | 'column_added' | 'column_widened';
  readonly table: string;
  /** Null for `table_added`. */
  readonly column: string | null;
  /** The column's new type; null for `table_added`. */
  readonly type: string | null;
}
