import { randomUUID } from 'node:crypto';
import { zstdCompressSync } from 'node:zlib';
import type { Column, Table } from '@freshet/contracts';
import type { TestDatabase } from '@freshet/testing';
import {
  type BatchToLoad,
  type LoadRequest,
  type LoadResult,
  prepare,
  Warehouse,
  type WarehouseAddress,
} from '../index.ts';

const column = (name: string, type: Column['type']): Column => ({
  name,
  type,
  description: `${name}.`,
  documented: true,
});

/** A table with a column of each type. */
export const THINGS: Table = {
  name: 'things',
  description: 'Things.',
  columns: [
    column('id', 'bigint'),
    column('parent_id', 'bigint'),
    column('name', 'text'),
    column('amount', 'numeric'),
    column('open', 'boolean'),
    column('day', 'date'),
    column('tags', 'jsonb'),
    column('custom_fields', 'jsonb'),
    column('updated_at', 'timestamptz'),
  ],
  primaryKey: ['id'],
  version: 'updated_at',
  lookups: ['parent_id'],
  customFields: 'custom_fields',
  renames: {},
};

export function addressOf(url: string): WarehouseAddress {
  const { hostname, port, username, password, pathname } = new URL(url);
  return { host: hostname, port: Number(port), database: pathname.slice(1), username, password, sslMode: 'disable' };
}

export interface BatchOptions {
  readonly id?: string;
  /** Seconds after a fixed moment. */
  readonly at?: number;
  readonly deleted?: string;
  readonly audit?: boolean;
  readonly rewrite?: boolean;
}

const MOMENT = Date.parse('2026-01-01T00:00:00Z');
export const moment = (seconds: number): string => new Date(MOMENT + seconds * 1000).toISOString();

/** A batch of records (as objects, or as raw JSON text) and instructions. */
export function batch(
  records: readonly (object | string)[],
  { id = randomUUID(), at = 0, deleted, audit = false, rewrite = false }: BatchOptions = {},
  ...instructions: object[]
): BatchToLoad {
  const lines = records.map((r) => {
    const text = typeof r === 'string' ? r : JSON.stringify(r);
    return deleted === undefined ? `{"record":${text}}` : `{"deleted":"${deleted}","record":${text}}`;
  });
  const raw = Buffer.from([...lines, ...instructions.map((i) => JSON.stringify(i))].join('\n'));
  return {
    id,
    extractedAt: new Date(MOMENT + at * 1000),
    body: zstdCompressSync(raw),
    rawBytes: raw.length,
    audit,
    rewrite,
  };
}

export interface Loader extends AsyncDisposable {
  readonly warehouse: Warehouse;
  load(batches: readonly BatchToLoad[], options?: Partial<LoadRequest>): Promise<LoadResult>;
  rows(columns?: string): Promise<Record<string, unknown>[]>;
}

export function loaderFor(
  database: TestDatabase,
  table: Table = THINGS,
  warehouse = new Warehouse(addressOf(database.warehouseUrl), 4),
): Loader {
  return {
    warehouse,
    load: async (batches, options = {}) =>
      warehouse.load({
        schema: 'acme',
        tablePrefix: '',
        table,
        epoch: 1,
        policy: 'evolve',
        history: false,
        restartedAt: null,
        below: [],
        generation: async function* () {
          for (const { body } of batches) yield body;
        },
        ...options,
        prepared: await prepare(batches, options.table ?? table),
      }),
    rows: async (columns = '*') => [
      ...(await database.sql.unsafe(`select ${columns} from acme.${table.name} order by id`)),
    ],
    [Symbol.asyncDispose]: () => warehouse.close(),
  };
}
