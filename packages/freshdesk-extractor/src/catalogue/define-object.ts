import type { Json, JsonObject } from '@freshet/contracts';
import { type CatalogueColumn, type ColumnDraft, completeColumns } from './columns.ts';
import type { ListView, RecordDetail, Strategy } from './strategies.ts';

/**
 * The declaration of one object. Everything that the rest of Freshet knows about an object is data
 * in its catalogue file: extraction, routes, tables, documentation and the simulator are derived
 * from it.
 */

/** The endpoint that defines the account's own fields of an object, which become `cf_…` columns. */
interface CustomFields {
  readonly path: string;
  /** The field of a record that holds the custom fields. */
  readonly field: string;
}

export interface ObjectSpec {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** URL of the endpoint's page in Freshdesk's API reference. */
  readonly docs: string;
  readonly path: string;
  /** Resources embedded in a list's records; each adds `INCLUDE_COST` credits to a page. */
  readonly include: readonly string[];
  readonly views: readonly ListView[];
  readonly strategy: Strategy;
  readonly pageSize: number;
  /** The greatest page number that the list accepts; null if no limit is known. */
  readonly maxPages: number | null;
  /** The name of the list's own rate limit beside the account's; null if it has none. */
  readonly bucket: string | null;
  /**
   * The API key that can read the object. `admin`: keys of agents without admin rights get a 403.
   */
  readonly permission: 'agent' | 'admin';
  /**
   * The feature of the plan that the object requires, as error messages name it; null if every plan
   * has it.
   */
  readonly feature: string | null;
  /** A new pipeline includes the object unless the user chooses otherwise. */
  readonly includedByDefault: boolean;
  /**
   * The first sync reads only `historical_sync_days`. False: it always reads all records (people,
   * settings).
   */
  readonly hasHistoryLimit: boolean;
  readonly primaryKey: readonly string[];
  readonly columns: readonly CatalogueColumn[];
  readonly customFields: CustomFields | null;
  /** The endpoint of a single record; null if there is none. */
  readonly detail: RecordDetail | null;
  /** The search endpoint that counts the records changed since a day; null if there is none. */
  readonly searchPath: string | null;
  /** Keys are assigned from 1 without gaps, so an audit looks up every missing number. */
  readonly hasDenseIds: boolean;
  /**
   * The field by which a Freshdesk automation webhook names a record; null if automation rules do
   * not cover the object.
   */
  readonly webhookKey: string | null;
  /**
   * Set if records are people, who can be erased on request. `staff` is the object of the account's
   * own agents: a key that it contains cannot be erased.
   */
  readonly person: { readonly staff: string } | null;
  /**
   * Extracts the records from a response that is not an array of records; null if the response is
   * such an array.
   */
  readonly parseRecords: ((response: Json) => JsonObject[]) | null;
  /**
   * For lists with page tokens: returns the query of the page after a response, or null after the
   * last page. Null if the list has no page tokens.
   */
  readonly getNextQuery: ((response: Json) => Readonly<Record<string, string>> | null) | null;
  readonly list: ListBehavior;
  /** The usual number of records in an account, absolute or for each record of another object. */
  readonly typicalCount: number | { readonly perRecordOf: string; readonly factor: number };
}

/** Behavior of a list that the simulator imitates and the reference documents. */
interface ListBehavior {
  /** Column and direction of the list without `order_by`. */
  readonly defaultOrder: readonly [column: string, direction: 'asc' | 'desc'];
  /** Columns that `order_by` accepts. */
  readonly orderBy: readonly string[];
  /**
   * Without a changed-since filter, the list holds only records created in this many days; null:
   * all records.
   */
  readonly defaultWindowDays: number | null;
  /** Filters other than pagination and changed-since. */
  readonly filters: readonly string[];
  /**
   * The complete records of a simulated account, for objects that define others; null: generated
   * records.
   */
  readonly fixedRecords: readonly Readonly<Record<string, unknown>>[] | null;
  /**
   * Responses of a simulated account by path (with `#` and the token for later pages), for
   * responses that are no arrays of records. Null if another object serves the path.
   */
  readonly responses: Readonly<Record<string, unknown>> | null;
  /** Columns that are present only with an `include`: name of the include → columns. */
  readonly includeColumns: Readonly<Record<string, readonly string[]>>;
}

/** The documented maximum of `per_page`. */
const PAGE_SIZE = 100;

const LIVE: ListView = { name: 'live', query: {}, deleteKind: null };

interface ObjectDraft<C extends Record<string, ColumnDraft>> {
  name: string;
  title: string;
  description: string;
  docs: string;
  path: string;
  strategy: Strategy;
  columns: C;
  typicalCount: ObjectSpec['typicalCount'];
  primaryKey?: readonly (keyof C & string)[];
  include?: readonly string[];
  views?: readonly ListView[];
  maxPages?: number;
  bucket?: string;
  permission?: 'agent' | 'admin';
  feature?: string;
  includedByDefault?: boolean;
  hasHistoryLimit?: boolean;
  customFields?: CustomFields;
  detail?: Partial<RecordDetail> & Pick<RecordDetail, 'path'>;
  hasDenseIds?: boolean;
  webhookKey?: string;
  person?: { readonly staff: string };
  parseRecords?: ObjectSpec['parseRecords'];
  getNextQuery?: ObjectSpec['getNextQuery'];
  searchPath?: string;
  list?: Partial<ListBehavior>;
}

/** Completes a catalogue entry with the defaults that most objects share. */
export function defineObject<C extends Record<string, ColumnDraft>>(draft: ObjectDraft<C>): ObjectSpec {
  const { columns, primaryKey = ['id'], list = {}, detail, ...rest } = draft;
  return {
    include: [],
    views: [LIVE],
    pageSize: PAGE_SIZE,
    maxPages: null,
    bucket: null,
    permission: 'agent',
    feature: null,
    includedByDefault: true,
    hasHistoryLimit: false,
    customFields: null,
    hasDenseIds: false,
    webhookKey: null,
    person: null,
    parseRecords: null,
    getNextQuery: null,
    searchPath: null,
    ...rest,
    detail: detail === undefined ? null : { include: [], columns: [], fallbackLookups: [], ...detail },
    primaryKey,
    columns: completeColumns(columns),
    list: {
      defaultOrder: ['id', 'asc'],
      orderBy: [],
      defaultWindowDays: null,
      filters: [],
      fixedRecords: null,
      responses: null,
      includeColumns: {},
      ...list,
    },
  };
}
