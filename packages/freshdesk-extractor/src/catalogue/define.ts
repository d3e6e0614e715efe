import {
  type Column,
  type ColumnType,
  columnNameOf,
  type FieldRule,
  type FieldRules,
  type Json,
  type JsonObject,
  type Table,
} from '@freshet/contracts';

/**
 * What a catalogue file may say. Everything about an object that any other part of Freshet needs to know
 * stands here as data; engines, routes, tables, documentation and the simulator follow from it.
 */

/** Columns of the record itself, plus what the documentation and the simulator say and make of them. */
export interface CatalogueColumn extends Column {
  /** The field may be null. */
  readonly nullable: boolean;
  /** The key may be missing from an answer (older accounts, another plan). */
  readonly optional: boolean;
  /** The meaning of each value of an enumeration: value → label. */
  readonly values: Readonly<Record<string, string>> | null;
  /** The object whose key this is. */
  readonly references: string | null;
  /** The record belongs to the one it references: whoever erases that one erases it as well. */
  readonly owner: boolean;
  /** Literal values that real accounts send; the simulator picks from them. */
  readonly samples: readonly unknown[] | null;
  /** A kind of text that the simulator can make up. */
  readonly like: TextKind | null;
  /** It is filled some seconds after a write, and null until then. */
  readonly late: boolean;
}

export const TEXT_KINDS = ['title', 'person', 'email', 'phone', 'paragraph', 'html', 'uuid'] as const;
export type TextKind = (typeof TEXT_KINDS)[number];

type ColumnHints = Partial<
  Pick<CatalogueColumn, 'nullable' | 'optional' | 'values' | 'references' | 'owner' | 'samples' | 'like' | 'late'>
>;
type ColumnDraft = { readonly type: ColumnType; readonly description: string } & ColumnHints;

const column =
  (type: ColumnType) =>
  (description: string, hints: ColumnHints = {}): ColumnDraft => ({ type, description, ...hints });

export const bigint = column('bigint');
export const numeric = column('numeric');
export const boolean = column('boolean');
export const text = column('text');
export const timestamp = column('timestamptz');
export const jsonb = column('jsonb');

/** A named reading of a list; most objects have one, `live`. */
export interface View {
  readonly name: string;
  readonly query: Readonly<Record<string, string>>;
  /** The `_freshet_delete_kind` of records that stand in this list; null: they exist. */
  readonly deleted: string | null;
}

/** Lists ordered by a version column: read by value, never by page number. */
export interface Keyset {
  readonly kind: 'keyset';
  readonly sinceParam: string;
  readonly column: string;
  /**
   * How long a change may take to show in the list, in seconds; the stored position stays this far behind the
   * server's clock. Lists showed changes within a second in recordings; two minutes leaves a wide margin.
   */
  readonly lagSeconds: number;
}

/** Lists with a changed-since filter but no usable order. */
export interface Since {
  readonly kind: 'since';
  /** Spellings of the filter, tried in order until the account accepts one. */
  readonly sinceParams: readonly string[];
  readonly column: string;
  readonly lagSeconds: number;
  /** Lookback window: each sync reads so many days again. For objects whose filter does not return edits. */
  readonly lookbackDays: number;
  /**
   * Each sync reads a part of the complete list again, so that edits older than the lookback window arrive after so many
   * syncs, or more for a long list. Absent: the filter returns edits.
   */
  readonly rereadSyncs?: number;
}

/** Lists without a usable filter: read whole. */
export interface Sweep {
  readonly kind: 'sweep';
  /** The list comes in parts, each the whole answer of a path of its own; absent: it is the object's path. */
  readonly paths?: readonly string[];
}

/** What exists only below a parent. `path` holds `{id}`, the parent's id. */
export interface Children {
  readonly kind: 'children';
  readonly parent: string;
  /** The column that holds the parent's id. */
  readonly column: string;
  /** Fields of the parent that change when its children may have; empty: nothing tells, read on every run. */
  readonly versionFields: readonly string[];
  /** Where the children of a parent may be that this path does not know any more; null: nowhere. */
  readonly elsewhere: string | null;
  /** They stand within one another: the list that a parent answers is only of its uppermost. */
  readonly within?: Within;
}

export interface Within {
  /** The list of those that stand within another one; `{id}` is its key. */
  readonly path: string;
  /** The column that holds the key of the one that a record stands within; null in those of the parent's own list. */
  readonly column: string;
  /** The column that says how many stand within a record. */
  readonly count: string;
}

/** A record's own address, which shows more of it than the list and knows records that no list shows. */
export interface Single {
  /** `{id}` is the record's key. */
  readonly path: string;
  readonly include: readonly string[];
  /** Columns that the list does not show. */
  readonly columns: readonly string[];
  /** Where a record may be that this address does not know any more. */
  readonly elsewhere: readonly Elsewhere[];
}

export interface Elsewhere {
  readonly path: string;
  /** What a record that is found there has become, as an audit reports it. */
  readonly outcome: string;
  /** The `_freshet_delete_kind` of its row here; null: it still exists, and what was found is loaded. */
  readonly deleted: string | null;
  /** The plan's feature that it needs; null: none. */
  readonly feature: string | null;
}

export type Way = Keyset | Since | Sweep | Children;

/** How the account's own fields become columns: the endpoint that defines them. */
export interface CustomFields {
  readonly path: string;
  readonly field: string;
}

export interface ObjectSpec {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** The vendor's page for the endpoint. */
  readonly docs: string;
  readonly path: string;
  /** Resources embedded in a list's records; each costs `INCLUDE_COST` credits a page. */
  readonly include: readonly string[];
  readonly views: readonly View[];
  readonly way: Way;
  readonly pageSize: number;
  /** The greatest page number that the list answers; null: none known. */
  readonly maxPages: number | null;
  /** The list's own rate limit beside the account's; null: it has none. */
  readonly bucket: string | null;
  /** Who may read it. `admin`: keys of agents without admin rights get a 403. */
  readonly permission: 'agent' | 'admin';
  /** The plan's feature that it needs, as error messages name it; null: every plan has it. */
  readonly feature: string | null;
  /** Part of a new pipeline unless the user says otherwise. */
  readonly includedByDefault: boolean;
  /** Its first sync goes back `historical_sync_days`; false: it is always read whole (people, settings). */
  readonly history: boolean;
  readonly primaryKey: readonly string[];
  readonly columns: readonly CatalogueColumn[];
  readonly customFields: CustomFields | null;
  /** Null: records have no address of their own. */
  readonly single: Single | null;
  /** The search that tells how many records changed since a day; null: none does. */
  readonly search: string | null;
  /** Keys are counted from 1 in each account: a number without a record has a reason, and an audit looks for it. */
  readonly denseIds: boolean;
  /** The field by which an automation rule of Freshdesk tells of a record (its webhook action); null: no rule does. */
  readonly pushedAs: string | null;
  /** Its records are people, who may want to be erased; those whose key `staff` holds as well work there, and are not. Null: they are not people. */
  readonly person: { readonly staff: string } | null;
  /** What records an answer holds, where it is not a list of them; null: it is. */
  readonly rows: ((answer: Json) => JsonObject[]) | null;
  /** Lists that are paged by tokens: the query of the page that follows an answer, if one does. Null: there are no tokens. */
  readonly nextQuery: ((answer: Json) => Readonly<Record<string, string>> | null) | null;
  readonly list: ListBehaviour;
  /** How many records a usual account holds: a number, or so many for each record of another object. */
  readonly typicalCount: number | { readonly each: string; readonly times: number };
}

/** How the list behaves beyond what a reader needs: the simulator answers by it, the documentation shows it. */
export interface ListBehaviour {
  /** Column and direction of the list when nothing is asked for. */
  readonly defaultOrder: readonly [column: string, direction: 'asc' | 'desc'];
  /** Columns that `order_by` takes. */
  readonly orderBy: readonly string[];
  /** Without a since filter only records younger than this are listed, by `created_at`. */
  readonly defaultWindowDays: number | null;
  /** Filters beside paging and since. */
  readonly filters: readonly string[];
  /** The very records that a simulated account has, for objects that say how others look; null: any that fit the columns. */
  readonly fixed: readonly Readonly<Record<string, unknown>>[] | null;
  /** What a simulated account answers, by path (and `#` with the token of a page), for answers that are no lists; null: another object's list has this path. */
  readonly answers: Readonly<Record<string, unknown>> | null;
  /** Columns that only an `include` brings. */
  readonly includeColumns: Readonly<Record<string, readonly string[]>>;
}

/** Credits that each `include` adds to one page of a list. [documented: "each include +2"] */
export const INCLUDE_COST = 2;

/** The documented maximum of `per_page`. */
const PAGE_SIZE = 100;

const LIVE: View = { name: 'live', query: {}, deleted: null };

interface ObjectDraft<C extends Record<string, ColumnDraft>> {
  name: string;
  title: string;
  description: string;
  docs: string;
  path: string;
  way: Way;
  columns: C;
  typicalCount: ObjectSpec['typicalCount'];
  primaryKey?: readonly (keyof C & string)[];
  include?: readonly string[];
  views?: readonly View[];
  maxPages?: number;
  bucket?: string;
  permission?: 'agent' | 'admin';
  feature?: string;
  includedByDefault?: boolean;
  history?: boolean;
  customFields?: CustomFields;
  single?: Partial<Single> & Pick<Single, 'path'>;
  denseIds?: boolean;
  pushedAs?: string;
  person?: { readonly staff: string };
  rows?: ObjectSpec['rows'];
  nextQuery?: ObjectSpec['nextQuery'];
  search?: string;
  list?: Partial<ListBehaviour>;
}

/** Completes a catalogue entry with what most objects have in common. */
export function defineObject<C extends Record<string, ColumnDraft>>(draft: ObjectDraft<C>): ObjectSpec {
  const { columns, primaryKey = ['id'], list = {}, single, ...rest } = draft;
  return {
    include: [],
    views: [LIVE],
    pageSize: PAGE_SIZE,
    maxPages: null,
    bucket: null,
    permission: 'agent',
    feature: null,
    includedByDefault: true,
    history: false,
    customFields: null,
    denseIds: false,
    pushedAs: null,
    person: null,
    rows: null,
    nextQuery: null,
    search: null,
    ...rest,
    single: single === undefined ? null : { include: [], columns: [], elsewhere: [], ...single },
    primaryKey,
    columns: Object.entries(columns).map(([name, c]) => ({
      name,
      nullable: false,
      optional: false,
      values: null,
      references: null,
      owner: false,
      samples: null,
      like: null,
      late: false,
      ...c,
    })),
    list: {
      defaultOrder: ['id', 'asc'],
      orderBy: [],
      defaultWindowDays: null,
      filters: [],
      fixed: null,
      answers: null,
      includeColumns: {},
      ...list,
    },
  };
}

/**
 * The warehouse's view of an object: its declared columns, and those of the account's own fields.
 * @param rules what the user wants done with its fields.
 */
export function tableOf(object: ObjectSpec, customColumns: readonly Column[] = [], rules: FieldRules = {}): Table {
  const { way } = object;
  const columns: readonly Column[] = [
    ...object.columns.map(({ name, type, description }): Column => ({ name, type, description, documented: true })),
    // Declarations that an earlier release has stored hold names that do not follow the rule.
    ...customColumns.map((column) =>
      column.path === undefined ? column : { ...column, name: columnNameOf(column.path) },
    ),
  ];
  return {
    name: object.name,
    description: object.description,
    columns: columns.map((column) => {
      const path = column.path ?? [column.name];
      const field = path.join('.');
      if (!Object.hasOwn(rules, field)) return column;
      const { rename, hash, drop } = rules[field] as FieldRule;
      return {
        name: rename ?? column.name,
        // The documented type is that of the value itself. Its hash is text, by the user's choice.
        type: hash === true ? 'text' : column.type,
        ...(column.documented === true && hash !== true ? { documented: true as const } : {}),
        description: column.description,
        path,
        ...(drop === true ? { dropped: true as const } : {}),
      };
    }),
    primaryKey: object.primaryKey,
    version: object.columns.some((c) => c.name === 'updated_at') ? 'updated_at' : null,
    lookups: way.kind === 'children' ? [way.column] : [],
    customFields: object.customFields?.field ?? null,
    renames: Object.fromEntries(
      Object.entries(rules).flatMap(([field, { rename }]) => (rename === undefined ? [] : [[field, rename]])),
    ),
  };
}

/** Fields that a user's rules leave alone: reading and loading stand on them. */
export function fixedFields(object: ObjectSpec): readonly string[] {
  const { way } = object;
  const times = way.kind === 'keyset' || way.kind === 'since' ? [way.column] : [];
  return [...new Set([...object.primaryKey, ...times, 'updated_at', ...(way.kind === 'children' ? [way.column] : [])])];
}
