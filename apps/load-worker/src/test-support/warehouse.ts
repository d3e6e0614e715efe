import { randomUUID } from 'node:crypto';
import { zstdCompressSync } from 'node:zlib';
import type { Table } from '@freshet/contracts';
import { type BatchToLoad, type LoadResult, prepareBatches, Warehouse } from '@freshet/warehouse-loader';

/** Opens the warehouse at a URL, without TLS. */
export function openWarehouse(url: string): Warehouse {
  const { hostname, port, username, password, pathname } = new URL(url);
  return new Warehouse({
    host: hostname,
    port: Number(port),
    database: pathname.slice(1),
    username,
    password,
    sslMode: 'disable',
  });
}

export interface TestLoad {
  readonly schema: string;
  readonly table: Table;
  /** Lines of a batch, as the extractor stores them. */
  readonly lines: readonly string[];
  readonly extractedAt?: Date;
  readonly hasHistory?: boolean;
}

/** Loads one batch. */
export async function loadLines(
  warehouse: Warehouse,
  { schema, table, lines, extractedAt = new Date(), hasHistory = false }: TestLoad,
): Promise<LoadResult> {
  const raw = Buffer.from(lines.join('\n'));
  const batch: BatchToLoad = {
    id: randomUUID(),
    extractedAt,
    body: zstdCompressSync(raw),
    rawBytes: raw.length,
    isAudit: false,
    isRewrite: false,
  };
  return warehouse.load({
    schema,
    tablePrefix: '',
    table,
    childTables: [],
    epoch: 1,
    schemaPolicy: 'evolve',
    hasHistory,
    restartedAt: null,
    prepared: await prepareBatches([batch], table),
    readGeneration: async function* () {},
  });
}
