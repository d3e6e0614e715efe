import { type Json, parseJson } from '@freshet/contracts';
import { catalogue, type ObjectSpec } from '@freshet/freshdesk-extractor';
import type { FreshdeskSimulator } from '@freshet/freshdesk-simulator';
import { comparable, type TestDatabase } from '@freshet/testing';

export interface Difference {
  readonly object: string;
  readonly id: string;
  readonly what: string;
}

/** Every difference between the account and the warehouse: records, fields, deletions, and rows of no record. */
export async function differences(
  simulator: FreshdeskSimulator,
  warehouse: TestDatabase,
  schema: string,
  objects: readonly ObjectSpec[] = catalogue.filter((o) => o.includedByDefault),
): Promise<Difference[]> {
  const found: Difference[] = [];
  for (const object of objects) {
    const keyOf = (record: Record<string, Json>) => object.primaryKey.map((k) => String(record[k])).join('/');
    const rows = new Map<string, Record<string, Json>>();
    for (const { row } of await warehouse.sql.unsafe<{ row: string }[]>(
      `select to_jsonb(t)::text as row from ${schema}.${object.name} t`,
    )) {
      const parsed = parseJson(row) as Record<string, Json>;
      rows.set(keyOf(parsed), parsed);
    }
    for (const { view, text } of simulator.account.everything(object.name)) {
      const record = parseJson(text) as Record<string, Json>;
      const id = keyOf(record);
      const row = rows.get(id);
      rows.delete(id);
      if (!row) {
        found.push({ object: object.name, id, what: 'missing' });
        continue;
      }
      if (row['_freshet_delete_kind'] !== view.deleted)
        found.push({
          object: object.name,
          id,
          what: `marked ${String(row['_freshet_delete_kind'])}, is ${view.deleted}`,
        });
      // What only a record's own address shows is there where it was asked for, as by an audit.
      const listed = object.columns.filter((c) => object.single?.columns.includes(c.name) !== true);
      for (const column of listed) {
        const [want, have] = [comparable(record[column.name], column.type), comparable(row[column.name], column.type)];
        if (want !== have) found.push({ object: object.name, id, what: `${column.name}: ${have} instead of ${want}` });
      }
    }
    for (const [id, row] of rows)
      if (row['_freshet_deleted_at'] === null) found.push({ object: object.name, id, what: 'of no record' });
  }
  return found;
}
