/** The column types that the warehouse knows. Arrays and nested objects are `jsonb`. */
export const COLUMN_TYPES = ['bigint', 'numeric', 'boolean', 'text', 'timestamptz', 'date', 'jsonb'] as const;
export type ColumnType = (typeof COLUMN_TYPES)[number];

/** One typed column of a warehouse table. */
export interface Column {
  /** The column's name by the naming rule (`naming.ts`), or as the user has renamed it. The loader resolves names that two fields share. */
  readonly name: string;
  readonly type: ColumnType;
  readonly description: string;
  /** Where the value stands in a record; `[name]` when absent. Custom fields: `['custom_fields', 'cf_x']`. */
  readonly path?: readonly string[];
  /** Its type is part of the warehouse's contract: values that do not fit never change it. */
  readonly documented?: true;
  /** It is filled where it is there, and not made where it is not: the user has dropped it. */
  readonly dropped?: true;
}

/** What a user wants done with a field on its way to the warehouse. */
export interface FieldRule {
  /** The name of its column. */
  readonly rename?: string | undefined;
  /** Its value is not stored anywhere. */
  readonly drop?: boolean | undefined;
  /** Only a hash of its value is stored. */
  readonly hash?: boolean | undefined;
}

/** Field → rule. A field within another one is named with a dot: `custom_fields.cf_phone`. */
export type FieldRules = Readonly<Record<string, FieldRule>>;

/** What the loader needs to know of a table, and all it knows. */
export interface Table {
  readonly name: string;
  readonly description: string;
  readonly columns: readonly Column[];
  /** Names of the columns that identify a record. Never empty. */
  readonly primaryKey: readonly string[];
  /** The column whose greater value marks the newer version of a record; null: only the time of reading tells. */
  readonly version: string | null;
  /** Columns that the loader itself looks rows up by (a child's parent), each given an index. */
  readonly lookups: readonly string[];
  /** The column whose object holds the account's own fields: each of its keys is a column as well, `cf_…`. */
  readonly customFields: string | null;
  /** Names of columns that are made for fields which nobody has declared, where the user wants another: field, with dots → name. */
  readonly renames: Readonly<Record<string, string>>;
}

/** A table whose rows exist only below those of another. */
export interface TableBelow {
  readonly name: string;
  /** Its column that holds the key of the row above. */
  readonly column: string;
  /** The table above, and its key column. */
  readonly parent: string;
  readonly parentKey: string;
}

/** What happens to a value that does not fit its column's type. */
export const SCHEMA_POLICIES = ['evolve', 'freeze', 'discard'] as const;
export type SchemaPolicy = (typeof SCHEMA_POLICIES)[number];

/** What was changed about a table of the warehouse. Nothing is ever dropped. */
export interface SchemaChange {
  readonly change: 'table_added' | 'column_added' | 'column_widened';
  readonly table: string;
  /** Null where it is the table that was added. */
  readonly column: string | null;
  /** The column's type from then on. */
  readonly type: string | null;
}
