import { type Json, parseJson } from '@freshet/contracts';
import { catalogue, type ObjectSpec } from '@freshet/freshdesk-extractor';
import type { FreshdeskSimulator } from '@freshet/freshdesk-simulator';
import { type TestDatabase, toComparable } from '@freshet/testing';

export interface Difference {
  readonly object: string;
  readonly id: string;
  readonly problem: string;
}

/**
 * Finds all differences between the account and the warehouse: missing rows, different fields,
 * different kinds of deletion, and rows without a record.
 */
export async function findDifferences(
  simulator: FreshdeskSimulator,
  warehouse: TestDatabase,
  schema: string,
  objects: readonly ObjectSpec[] = catalogue.filter((o) => o.includedByDefault),
): Promise<Difference[]> {
  const differences: Difference[] = [];
  for (const object of objects) {
    const getKey = (record: Record<string, Json>) => object.primaryKey.map((k) => String(record[k])).join('/');
    const rows = new Map<string, Record<string, Json>>();
    for (const { row } of await warehouse.sql.unsafe<{ row: string }[]>(
      `select to_jsonb(t)::text as row from ${schema}.${object.name} t`,
    )) {
      const parsed = parseJson(row) as Record<string, Json>;
      rows.set(getKey(parsed), parsed);
    }
    for (const { view, text } of simulator.account.listAllRecords(object.name)) {
      const record = parseJson(text) as Record<string, Json>;
      const id = getKey(record);
      const row = rows.get(id);
      rows.delete(id);
      if (!row) {
        differences.push({ object: object.name, id, problem: 'missing' });
        continue;
      }
      if (row['_freshet_delete_kind'] !== view.deleteKind)
        differences.push({
          object: object.name,
          id,
          problem: `delete kind: ${String(row['_freshet_delete_kind'])} instead of ${view.deleteKind}`,
        });
      // Detail columns are filled only when the pipeline includes them, so they are not compared.
      const listColumns = object.columns.filter((c) => object.detail?.columns.includes(c.name) !== true);
      for (const column of listColumns) {
        const [expected, actual] = [
          toComparable(record[column.name], column.type),
          toComparable(row[column.name], column.type),
        ];
        if (expected !== actual)
          differences.push({ object: object.name, id, problem: `${column.name}: ${actual} instead of ${expected}` });
      }
    }
    for (const [id, row] of rows)
      if (row['_freshet_deleted_at'] === null) differences.push({ object: object.name, id, problem: 'no such record' });
  }
  return differences;
}
