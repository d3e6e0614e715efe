/**
 * Parameters of the strategies by which objects are extracted. `../strategies/` implements them.
 */

/**
 * Pages through a list that is sorted by a cursor column. Each request starts at a value of that
 * column instead of a page number.
 */
export interface KeysetStrategy {
  readonly kind: 'keyset';
  /** The query parameter of the changed-since filter. */
  readonly sinceParam: string;
  readonly cursorColumn: string;
  /**
   * The longest time, in seconds, that a change takes to appear in the list. The stored watermark
   * stays this far behind the server's clock. In observed lists, changes appeared within a second,
   * so two minutes leave a wide margin.
   */
  readonly lagSeconds: number;
}

/** Reads a list that has a changed-since filter but no usable order. */
export interface ChangedSinceStrategy {
  readonly kind: 'changed-since';
  /** Names of the filter, tested in this order until the account accepts one. */
  readonly sinceParams: readonly string[];
  readonly cursorColumn: string;
  /** As in {@link KeysetStrategy}. */
  readonly lagSeconds: number;
  /**
   * Lookback window in days, for objects whose filter does not return edits: each sync rereads
   * these days.
   */
  readonly lookbackDays: number;
  /**
   * The number of syncs over which a rolling reread of the complete list is spread. A long list
   * takes more syncs. The reread finds edits that are older than the lookback window. Absent if the
   * filter returns edits.
   */
  readonly rereadSyncs?: number;
}

/** Reads the complete list on every sync, because it has no usable filter. */
export interface FullListStrategy {
  readonly kind: 'full-list';
  /**
   * The paths of a list that consists of several parts, each of which is a complete response.
   * Absent: the list has a single part, at the object's path.
   */
  readonly paths?: readonly string[];
}

/**
 * Reads the list of children of each parent record. The object's path contains `{id}`, which stands
 * for the parent's key.
 */
export interface ChildrenStrategy {
  readonly kind: 'children';
  /** The parent object. */
  readonly parent: string;
  /** The column that holds the parent's key. */
  readonly parentColumn: string;
  /**
   * Fields of the parent that change when its children may have changed; empty: children are read
   * on every sync.
   */
  readonly versionFields: readonly string[];
  /**
   * The path of a parent's children after the parent has moved, for example to the archive; null if
   * there is none.
   */
  readonly fallbackPath: string | null;
  /**
   * Present if children can be nested in other children. A parent's list then holds only the
   * children at the top level.
   */
  readonly nested?: NestedChildren;
}

/**
 * Children that are nested in other children. Both belong to the same object, as with folders and
 * their subfolders.
 */
interface NestedChildren {
  /** The path of the list below a record; `{id}` is that record's key. */
  readonly path: string;
  /** The column that holds the key of the enclosing record; null at the top level. */
  readonly parentColumn: string;
  /** The column that holds the number of records that are nested in the record. */
  readonly countColumn: string;
}

/**
 * Downloads one file for each day. The object's path returns the signed URL of a day's file, and
 * the file holds all entries of the day. Entries are never changed or deleted.
 */
export interface DailyExportStrategy {
  readonly kind: 'daily-export';
  /** The query parameter that holds the day. */
  readonly dayParam: string;
  /** The account keeps the file of a day for this many days. */
  readonly retentionDays: number;
  /** The field of a file that holds the entries. */
  readonly entriesField: string;
  /** The field of the file's `metadata` that holds the number of entries. */
  readonly countField: string;
  /** The field of an entry with its time, as `31-12-2026 23:59:59 +0000`. */
  readonly timeField: string;
  /**
   * The fields of an entry that identify it, in addition to the day and the time. Entries have no
   * id, so their key is a hash of these fields.
   */
  readonly identityFields: readonly string[];
  /** The column that receives the day of the file. */
  readonly dayColumn: string;
  /**
   * The column that receives the position of an entry among the entries of the file with the same
   * time and the same value of `lookupColumn`, from 1.
   */
  readonly positionColumn: string;
  /** The column by which rows are looked up. It gets an index. */
  readonly lookupColumn: string;
}

export type Strategy =
  | KeysetStrategy
  | ChangedSinceStrategy
  | FullListStrategy
  | ChildrenStrategy
  | DailyExportStrategy;

/**
 * A filter of an object's list. Most objects have a single view, `live`. Some objects also have
 * views of their deleted records.
 */
export interface ListView {
  readonly name: string;
  readonly query: Readonly<Record<string, string>>;
  /** The `_freshet_delete_kind` of the records in this view; null if they are not deleted. */
  readonly deleteKind: string | null;
}

/**
 * The endpoint of a single record. The endpoint returns more fields than the list, and also returns
 * records that no list contains.
 */
export interface RecordDetail {
  /** `{id}` is the record's key. */
  readonly path: string;
  readonly include: readonly string[];
  /** Columns that only this endpoint returns. */
  readonly columns: readonly string[];
  /** Endpoints to request after a 404, in this order. */
  readonly fallbackLookups: readonly FallbackLookup[];
}

/**
 * An endpoint that may still return a record after the record's own endpoint no longer returns it.
 */
interface FallbackLookup {
  readonly path: string;
  /** The outcome that an audit reports for a record that is found at this endpoint. */
  readonly outcome: string;
  /**
   * The `_freshet_delete_kind` of the row; null if the record still exists and is loaded from this
   * endpoint.
   */
  readonly deleteKind: string | null;
  /** The feature of the plan that the endpoint requires; null if every plan has it. */
  readonly feature: string | null;
}
