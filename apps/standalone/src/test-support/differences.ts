import { isJsonObject, type Json, parseJson } from '@freshet/contracts';
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
    if (object.strategy.kind === 'daily-export') {
      differences.push(...(await findExportDifferences(simulator, warehouse, schema, object)));
      continue;
    }
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
          toComparable(getField(record, column.path ?? [column.name]), column.type),
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

function getField(record: Json, [name, ...rest]: readonly string[]): Json | undefined {
  if (name === undefined || !isJsonObject(record)) return record;
  const value = record[name];
  return rest.length === 0 || value === undefined ? value : getField(value, rest);
}

/**
 * Finds the activities of the days in the table that the account and the warehouse do not share.
 * The keys of the rows are not compared, because they are hashes.
 */
async function findExportDifferences(
  simulator: FreshdeskSimulator,
  warehouse: TestDatabase,
  schema: string,
  { name }: ObjectSpec,
): Promise<Difference[]> {
  const rows = await warehouse.sql.unsafe<{ day: string; entry: string }[]>(
    `select day::text, jsonb_build_array(ticket_id, extract(epoch from performed_at)::bigint, performer_type,
       performer_id, activity, position)::text as entry
     from ${schema}.${name}`,
  );
  const differences: Difference[] = [];
  for (const [day, found] of Map.groupBy(rows, (row) => row.day)) {
    const positions = new Map<string, number>();
    const countPosition = (moment: string) => {
      positions.set(moment, (positions.get(moment) ?? 0) + 1);
      return positions.get(moment);
    };
    const expected = simulator.account
      .listActivities(day)
      .map(({ ticketId, performedAt, performerType, performerId, activity }) => {
        const position = countPosition(`${ticketId}/${performedAt}`);
        return [ticketId, performedAt, performerType, performerId, activity, position];
      })
      .map(toSortedJson)
      .sort();
    const actual = found.map(({ entry }) => toSortedJson(JSON.parse(entry))).sort();
    if (JSON.stringify(actual) !== JSON.stringify(expected)) {
      const problem = `${actual.length} activities instead of ${expected.length}, or different activities`;
      differences.push({ object: name, id: day, problem });
    }
  }
  return differences;
}

/** Serializes a value with sorted keys. PostgreSQL does not keep the order of keys. */
function toSortedJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    isJsonObject(member) ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1))) : member,
  );
}
