import type { Json, JsonObject } from '@freshet/contracts';
import { type CatalogueColumn, type ColumnDraft, completeColumns } from './columns.ts';
import type { ListView, RecordDetail, Strategy } from './strategies.ts';

/**
 * The declaration of one object. Everything that the rest of Freshet knows about an object is data
 * in its catalogue file: extraction, routes, tables, documentation and the simulator are derived
 * from this data.
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
  /**
   * The name of the list's own rate limit, which applies in addition to the account's rate limit.
   * Null if the list has none.
   */
  readonly bucket: string | null;
  /**
   * The agents whose API keys can read the object. `admin`: requests with the key of an agent
   * without admin rights get a 403.
   */
  readonly permission: 'agent' | 'admin';
  /**
   * The feature of the plan that the object requires, with the name that Freshdesk's error messages
   * use. Null if every plan has the feature.
   */
  readonly feature: string | null;
  /** A new pipeline includes the object unless the user chooses otherwise. */
  readonly includedByDefault: boolean;
  /**
   * `npm start` includes the object in a new pipeline if the connection test finds it available.
   * Used for objects that few accounts have. If they were included by default, each run of most
   * accounts would have a warning.
   */
  readonly includedIfAvailable: boolean;
  /**
   * The first sync reads only the last `historical_sync_days` days. False: the first sync always
   * reads all records, for example for people and settings.
   */
  readonly hasHistoryLimit: boolean;
  readonly primaryKey: readonly string[];
  readonly columns: readonly CatalogueColumn[];
  readonly customFields: CustomFields | null;
  /** The endpoint of a single record; null if there is none. */
  readonly detail: RecordDetail | null;
  /**
   * The search endpoint that counts the records that changed since a given day; null if there is
   * none.
   */
  readonly searchPath: string | null;
  /** Keys are assigned from 1 without gaps, so an audit looks up every missing number. */
  readonly hasDenseIds: boolean;
  /**
   * The field with which a Freshdesk automation webhook identifies a record. Null if automation
   * rules do not cover the object.
   */
  readonly webhookKey: string | null;
  /**
   * Set if records are people, who can be erased on request. `staff` is the object of the account's
   * own agents: a person whose key is in that object cannot be erased.
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
  /** The column and direction by which the list is sorted if the request has no `order_by`. */
  readonly defaultOrder: readonly [column: string, direction: 'asc' | 'desc'];
  /** Columns that `order_by` accepts. */
  readonly orderBy: readonly string[];
  /**
   * Without a changed-since filter, the list holds only records that were created within this many
   * days; null: all records.
   */
  readonly defaultWindowDays: number | null;
  /** Filters other than pagination and changed-since. */
  readonly filters: readonly string[];
  /**
   * All records of the object in a simulated account. Set for objects that define other objects,
   * such as field definitions. Null: the simulator generates the records.
   */
  readonly fixedRecords: readonly Readonly<Record<string, unknown>>[] | null;
  /**
   * Responses of a simulated account that are not arrays of records: path → response. The path of a
   * later page ends with `#` and the page token. Null: the object has no such responses, or a
   * different object serves its path.
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
  includedIfAvailable?: boolean;
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
    includedIfAvailable: false,
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
