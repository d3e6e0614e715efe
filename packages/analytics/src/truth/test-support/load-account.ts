import { randomUUID } from 'node:crypto';
import { zstdCompressSync } from 'node:zlib';
import type { Table } from '@freshet/contracts';
import { getObject, type ObjectSpec, toTable } from '@freshet/freshdesk-extractor';
import type { SimulatedAccount } from '@freshet/freshdesk-simulator';
import { prepareBatches, Warehouse } from '@freshet/warehouse-loader';

const RECORDS_PER_BATCH = 2000;

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

export interface ObjectLoad {
  readonly schema: string;
  /** The time at which the records were extracted, in milliseconds. */
  readonly extractedAt: number;
  readonly hasHistory?: boolean;
  /** Only records that changed since this time, and their children, are loaded. Default: all. */
  readonly since?: number;
}

/** Loads all present records of an object, as a sync does. */
export async function loadObject(
  warehouse: Warehouse,
  account: SimulatedAccount,
  objectName: string,
  load: ObjectLoad,
): Promise<void> {
  account.applyPendingChanges();
  const object = getObject(objectName);
  const lines =
    object.strategy.kind === 'children'
      ? listChildLines(account, object, object.strategy, load)
      : listChangedRecords(account, objectName, load.since).map(({ text, deleteKind }) =>
          deleteKind === null ? `{"record":${text}}` : `{"deleted":"${deleteKind}","record":${text}}`,
        );
  await loadLines(warehouse, toTable(object), lines, load);
}

interface ChangedRecord {
  readonly key: number;
  readonly text: string;
  readonly deleteKind: string | null;
}

function listChangedRecords(account: SimulatedAccount, objectName: string, since = 0): ChangedRecord[] {
  return [...account.listAllRecords(objectName)].flatMap(({ view, text }) => {
    const { id, updated_at: updatedAt } = JSON.parse(text) as { id: number; updated_at?: string };
    const isUnchanged = updatedAt !== undefined && Date.parse(updatedAt) < since;
    return isUnchanged ? [] : [{ key: id, text, deleteKind: view.deleteKind }];
  });
}

/**
 * Lists the children of all parents. The children of deleted parents are included, as if a sync had
 * read them before the deletion.
 */
function listChildLines(
  account: SimulatedAccount,
  object: ObjectSpec,
  { parent, parentColumn }: { readonly parent: string; readonly parentColumn: string },
  { extractedAt, since }: ObjectLoad,
): string[] {
  return listChangedRecords(account, parent, since).flatMap(({ key }) => {
    const children = account.listChildren(object, key) ?? [];
    const complete = {
      where: { [parentColumn]: String(key) },
      keys: children.map((child) => [String((JSON.parse(child) as { id: number }).id)]),
      began_at: new Date(extractedAt).toISOString(),
      confirmed: true,
    };
    return [...children.map((child) => `{"record":${child}}`), JSON.stringify({ complete })];
  });
}

/** Loads the lines of batches into a table. */
export async function loadLines(
  warehouse: Warehouse,
  table: Table,
  lines: readonly string[],
  { schema, extractedAt, hasHistory = false }: ObjectLoad,
): Promise<void> {
  // An object without records has an empty table.
  for (let start = 0; start === 0 || start < lines.length; start += RECORDS_PER_BATCH) {
    const raw = Buffer.from(lines.slice(start, start + RECORDS_PER_BATCH).join('\n'));
    const batch = {
      id: randomUUID(),
      extractedAt: new Date(extractedAt),
      body: zstdCompressSync(raw),
      rawBytes: raw.length,
      isAudit: false,
      isRewrite: false,
    };
    const { rejectedRecords } = await warehouse.load({
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
    if (rejectedRecords.length > 0)
      throw new Error(`${table.name}: ${rejectedRecords.length} records were rejected: ${rejectedRecords[0]?.reason}`);
  }
}
