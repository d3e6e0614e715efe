import type { BatchToLoad } from '../records/batches.ts';
import { HASH_BYTES, type IdentifiedRecord } from '../records/identify.ts';
import { WRITTEN_METADATA } from '../records/row-writer.ts';
import type { WritableColumn } from '../records/writable-columns.ts';
import { copyChunks } from '../sql/copy.ts';
import { quote } from '../sql/identifiers.ts';
import { buildCoveredCondition, isCovered } from './coverage.ts';
import { buildExtractedAtExpression } from './extracted-at.ts';
import type { LockedTable, MergeCounts } from './ledger.ts';
import type { LoadRequest } from './request.ts';
import { getKeyColumns, indexBatches, type LoadTransaction } from './transaction.ts';

/** Encodes records as rows in COPY's text format. */
type RowEncoder = (records: readonly IdentifiedRecord[]) => AsyncIterable<Buffer>;

export interface MergeInput {
  readonly table: LockedTable;
  readonly records: readonly IdentifiedRecord[];
  readonly encodeRows: RowEncoder;
}

/**
 * Writes the newest version of each record to the table:
 *
 * 1. Looks up the existing rows and compares their hashes. Unchanged records are neither encoded
 *    nor written, unless their rows must be rewritten.
 * 2. Copies records without a row directly into the table. The caller holds the table's lock, so no
 *    concurrent load can insert the same records.
 * 3. Stages and upserts changed records. The condition of the upsert ensures that a row never
 *    reverts to an older version (I4).
 *
 * @returns the counts of each batch, in the order of the batches, and the primary keys of the rows
 *   that may have been written.
 */
export async function mergeRecords(
  load: LoadTransaction,
  { table, records, encodeRows }: MergeInput,
): Promise<{ readonly counts: readonly MergeCounts[]; readonly writtenKeys: readonly (readonly string[])[] }> {
  const { client, target, request, columns } = load;
  const { batches } = request.prepared;
  const counts = batches.map((): MergeCounts => ({ inserted: 0, updated: 0, deleted: 0, missing: 0, stale: 0 }));
  if (records.length === 0) return { counts, writtenKeys: [] };
  // The planner does not know that the lists of keys are short. Allow only nested loops, because
  // all other joins may read the complete table.
  await client.query('set local enable_hashjoin = off; set local enable_mergejoin = off');
  const { newRecords, changedRecords } = await classifyRecords(
    load,
    selectNewest(request, records),
    table.rewriteBefore,
  );
  if (newRecords.length > 0) {
    await copyChunks(client, `copy ${target.sql} (${buildColumnList(columns)}) from stdin`, encodeRows(newRecords));
    for (const record of newRecords) {
      const batchCounts = counts[record.batch] as MergeCounts;
      batchCounts.inserted++;
      const isExpected = request.table.versionColumn === null || isCovered(record.version, table.coverage);
      if (record.deleteKind !== null) batchCounts.deleted++;
      else if ((batches[record.batch] as BatchToLoad).isAudit && isExpected) batchCounts.missing++;
    }
  }
  if (changedRecords.length > 0) await upsertRecords(load, changedRecords, encodeRows, counts);
  await client.query('set local enable_hashjoin = on; set local enable_mergejoin = on');
  return { counts, writtenKeys: [...newRecords, ...changedRecords].map(({ key }) => key) };
}

/** Builds the list of the columns that a row encoder writes. */
export function buildColumnList(columns: readonly WritableColumn[]): string {
  return [...columns.map((c) => quote(c.name)), ...WRITTEN_METADATA].join(', ');
}

/**
 * Selects the newest record of each key, because an upsert must not contain a key twice. Compares
 * the records by version, then by time of extraction, then by their order in the load.
 */
function selectNewest({ prepared }: LoadRequest, records: readonly IdentifiedRecord[]): readonly IdentifiedRecord[] {
  const extractedAt = prepared.batches.map((b) => b.extractedAt.getTime());
  const newest = new Map<string, IdentifiedRecord>();
  for (const record of records) {
    const key = record.key.length === 1 ? (record.key[0] as string) : JSON.stringify(record.key);
    const other = newest.get(key);
    const isOlder =
      other !== undefined &&
      (record.version < other.version ||
        (record.version === other.version &&
          (extractedAt[record.batch] as number) < (extractedAt[other.batch] as number)));
    if (!isOlder) newest.set(key, record);
  }
  return newest.size === records.length ? records : [...newest.values()];
}

const [NEW, UNCHANGED, CHANGED] = [0, 1, 2] as const;

/**
 * Separates the records without a row from the records whose row differs or must be rewritten.
 * Omits all other records.
 */
async function classifyRecords(
  load: LoadTransaction,
  records: readonly IdentifiedRecord[],
  rewriteBefore: string | null,
): Promise<{ readonly newRecords: readonly IdentifiedRecord[]; readonly changedRecords: readonly IdentifiedRecord[] }> {
  const { client, target, request } = load;
  const { primaryKey } = request.table;
  const types = getKeyColumns(load).map(({ type }) => type);
  const keys = types.map((type, i) => {
    const texts = records.map((r) => r.key[i] as string);
    // Integers need no quotes, so the array literal is built without the driver's slower encoder.
    return type === 'bigint' ? `{${texts.join(',')}}` : texts;
  });
  const hashes = Buffer.from(records.map((r) => r.hash).join(''), 'hex');
  const hash = `substring($${keys.length + 1}::bytea from (k.ord::int - 1) * ${HASH_BYTES} + 1 for ${HASH_BYTES})`;
  const { rows } = await client.query<{ ord: string | null; same: boolean }>(
    `select string_agg(k.ord::text, ',') as ord, t._freshet_hash is not distinct from ${hash}
       and t._freshet_loaded_at >= coalesce($${keys.length + 2}::timestamptz, '-infinity') as same
     from unnest(${types.map((type, i) => `$${i + 1}::${type}[]`).join(', ')}) with ordinality
       as k(${types.map((_, i) => `k${i}`).join(', ')}, ord)
     join ${target.sql} t on ${primaryKey.map((name, i) => `t.${quote(name)} = k.k${i}`).join(' and ')}
     group by same`,
    [...keys, hashes, rewriteBefore],
  );
  const isRewrite = (index: number) =>
    (request.prepared.batches[(records[index] as IdentifiedRecord).batch] as BatchToLoad).isRewrite;
  const states = new Uint8Array(records.length);
  for (const { ord, same } of rows)
    for (const n of (ord ?? '').split(',')) {
      const index = Number(n) - 1;
      states[index] = same && !isRewrite(index) ? UNCHANGED : CHANGED;
    }
  return {
    newRecords: records.filter((_, i) => states[i] === NEW),
    changedRecords: records.filter((_, i) => states[i] === CHANGED),
  };
}

/** The counts of a batch in a query result. */
type CountRow = { readonly batch_id: string } & Partial<Record<keyof MergeCounts, string>>;

async function upsertRecords(
  load: LoadTransaction,
  records: readonly IdentifiedRecord[],
  encodeRows: RowEncoder,
  counts: readonly MergeCounts[],
): Promise<void> {
  const { client, target, request, columns } = load;
  const columnList = buildColumnList(columns);
  await client.query(
    `create temp table freshet_stage on commit drop as select ${columnList} from ${target.sql} with no data`,
  );
  await copyChunks(client, `copy freshet_stage (${columnList}) from stdin`, encodeRows(records));
  const { primaryKey, versionColumn } = request.table;
  const buildRecency = (alias: string) => {
    const version = versionColumn === null ? '' : `coalesce(${alias}.${quote(versionColumn)}, '-infinity'), `;
    return `(${version}${buildExtractedAtExpression(alias, request)})`;
  };
  const matchesKey = primaryKey.map((k) => `t.${quote(k)} = n.${quote(k)}`).join(' and ');
  const changedRows = {
    from: `freshet_stage n join ${target.sql} t on ${matchesKey}`,
    where: `${buildRecency('n')} >= ${buildRecency('t')}`,
  };
  const indexes = indexBatches(request);
  const addCounts = (rows: readonly CountRow[]) => {
    for (const { batch_id, ...rowCounts } of rows) {
      const batchCounts = counts[indexes.get(batch_id) as number] as MergeCounts;
      for (const [name, count] of Object.entries(rowCounts)) batchCounts[name as keyof MergeCounts] += Number(count);
    }
  };
  if (records.some(({ deleteKind: deleted }) => deleted !== null)) {
    const { rows } = await client.query<CountRow>(
      `select n._freshet_batch_id as batch_id, count(*) as deleted from ${changedRows.from}
       where ${changedRows.where} and n._freshet_deleted_at is not null and t._freshet_deleted_at is null group by 1`,
    );
    addCounts(rows);
  }
  if (records.some(({ batch }) => (request.prepared.batches[batch] as BatchToLoad).isAudit))
    addCounts(await countAuditFindings(load, changedRows));
  const assignments = [
    ...columns.filter((c) => !primaryKey.includes(c.name)).map((c) => quote(c.name)),
    ...WRITTEN_METADATA.filter((m) => m !== '_freshet_deleted_at'),
  ]
    .map((name) => `${name} = excluded.${name}`)
    // A deleted row retains the time at which its deletion was first detected.
    .concat(
      `_freshet_deleted_at = case when excluded._freshet_deleted_at is null then null
         else coalesce(t._freshet_deleted_at, excluded._freshet_deleted_at) end`,
    );
  const { rows } = await client.query<CountRow>(`
    with merged as (
      insert into ${target.sql} as t (${columnList}) select ${columnList} from freshet_stage
      on conflict (${primaryKey.map(quote).join(', ')}) do update set ${assignments.join(', ')}
        where ${buildRecency('excluded')} >= ${buildRecency('t')}
      returning _freshet_batch_id, xmax = 0 as inserted
    )
    select _freshet_batch_id as batch_id, count(*) filter (where inserted) as inserted,
      count(*) filter (where not inserted) as updated
    from merged group by 1`);
  addCounts(rows);
}

/**
 * Counts the rows that the batches of an audit will correct, by finding. `missing`: the row is
 * marked as deleted, although its record exists with the same version, and the time of this version
 * is within the coverage of the table. `stale`: the row differs from its record, although both have
 * the same version.
 * @param changedRows the FROM and WHERE clauses that select the staged records `n` and their rows
 *   `t`.
 */
async function countAuditFindings(
  { client, target, request }: LoadTransaction,
  changedRows: { readonly from: string; readonly where: string },
): Promise<CountRow[]> {
  const { versionColumn } = request.table;
  const isSameVersion =
    versionColumn === null ? 'true' : `n.${quote(versionColumn)} is not distinct from t.${quote(versionColumn)}`;
  const { rows } = await client.query<CountRow>(
    `select n._freshet_batch_id as batch_id,
       count(*) filter (
         where t._freshet_deleted_at is not null and ${isSameVersion}
           and ${buildCoveredCondition('s', 'n', versionColumn)}
       ) as missing,
       count(*) filter (
         where t._freshet_deleted_at is null and ${isSameVersion} and t._freshet_hash is distinct from n._freshet_hash
       ) as stale
     from ${changedRows.from} cross join ${quote(target.schema)}._freshet_objects s
     where ${changedRows.where}
       and s.table_name = $1 and n._freshet_deleted_at is null and n._freshet_batch_id = any($2::uuid[]) group by 1`,
    [target.name, request.prepared.batches.filter((b) => b.isAudit).map((b) => b.id)],
  );
  return rows;
}
