import { randomUUID } from 'node:crypto';
import { zstdCompressSync } from 'node:zlib';
import type { Column, Table } from '@freshet/contracts';
import type { TestDatabase } from '@freshet/testing';
import {
  type BatchToLoad,
  type LoadRequest,
  type LoadResult,
  prepareBatches,
  Warehouse,
  type WarehouseAddress,
} from '../index.ts';

const buildColumn = (name: string, type: Column['type']): Column => ({
  name,
  type,
  description: `${name}.`,
  documented: true,
});

/** A table with a column of each type. */
export const TEST_TABLE: Table = {
  name: 'things',
  description: 'Things.',
  columns: [
    buildColumn('id', 'bigint'),
    buildColumn('parent_id', 'bigint'),
    buildColumn('name', 'text'),
    buildColumn('amount', 'numeric'),
    buildColumn('open', 'boolean'),
    buildColumn('day', 'date'),
    buildColumn('tags', 'jsonb'),
    buildColumn('custom_fields', 'jsonb'),
    buildColumn('updated_at', 'timestamptz'),
  ],
  primaryKey: ['id'],
  versionColumn: 'updated_at',
  lookupColumns: ['parent_id'],
  customFieldsColumn: 'custom_fields',
  renames: {},
};

export function toAddress(url: string): WarehouseAddress {
  const { hostname, port, username, password, pathname } = new URL(url);
  return { host: hostname, port: Number(port), database: pathname.slice(1), username, password, sslMode: 'disable' };
}

export interface BatchOptions {
  readonly id?: string;
  /** Seconds after 2026-01-01T00:00:00Z. */
  readonly extractedAt?: number;
  /** The `_freshet_delete_kind` of all records. */
  readonly deleteKind?: string;
  readonly isAudit?: boolean;
  readonly isRewrite?: boolean;
}

const BASE_TIME = Date.parse('2026-01-01T00:00:00Z');

/** Returns the time that is `seconds` after 2026-01-01T00:00:00Z, in RFC 3339 format. */
export const toTime = (seconds: number): string => new Date(BASE_TIME + seconds * 1000).toISOString();

/**
 * Builds a record of {@link TEST_TABLE}.
 * @param version the version in seconds, as for `toTime`.
 */
export const buildThing = (id: number, version: number, fields: object = {}) => ({
  id,
  updated_at: toTime(version),
  ...fields,
});

/**
 * Builds a batch.
 * @param records JavaScript objects, or JSON texts.
 * @param controlLines the lines after the records.
 */
export function buildBatch(
  records: readonly (object | string)[],
  { id = randomUUID(), extractedAt = 0, deleteKind, isAudit = false, isRewrite = false }: BatchOptions = {},
  ...controlLines: object[]
): BatchToLoad {
  const lines = records.map((record) => {
    const json = typeof record === 'string' ? record : JSON.stringify(record);
    return deleteKind === undefined ? `{"record":${json}}` : `{"deleted":"${deleteKind}","record":${json}}`;
  });
  const raw = Buffer.from([...lines, ...controlLines.map((line) => JSON.stringify(line))].join('\n'));
  return {
    id,
    extractedAt: new Date(BASE_TIME + extractedAt * 1000),
    body: zstdCompressSync(raw),
    rawBytes: raw.length,
    isAudit,
    isRewrite,
  };
}

/** Default values for the fields of a load request. */
export const DEFAULT_REQUEST = {
  schema: 'acme',
  tablePrefix: '',
  epoch: 1,
  schemaPolicy: 'evolve',
  hasHistory: false,
  restartedAt: null,
  childTables: [],
  readGeneration: async function* () {},
} satisfies Partial<LoadRequest>;

/** Loads batches into one table of the schema `acme`. */
export interface TestLoader extends AsyncDisposable {
  readonly warehouse: Warehouse;
  load(batches: readonly BatchToLoad[], options?: Partial<LoadRequest>): Promise<LoadResult>;
  /** Returns the rows of the table in the order of their ids. */
  rows(columns?: string): Promise<Record<string, unknown>[]>;
}

export function openTestLoader(
  database: TestDatabase,
  table: Table = TEST_TABLE,
  warehouse = new Warehouse(toAddress(database.warehouseUrl), 4),
): TestLoader {
  return {
    warehouse,
    load: async (batches, options = {}) =>
      warehouse.load({
        ...DEFAULT_REQUEST,
        table,
        readGeneration: async function* () {
          for (const { body } of batches) yield body;
        },
        ...options,
        prepared: await prepareBatches(batches, options.table ?? table),
      }),
    rows: async (columns = '*') => [
      ...(await database.sql.unsafe(`select ${columns} from acme.${table.name} order by id`)),
    ],
    [Symbol.asyncDispose]: () => warehouse.close(),
  };
}
