import type { BatchToLoad } from '../records/batches.ts';
import type { PreparedBatches } from '../records/prepare.ts';
import { MISFIT, toSqlText } from '../records/values.ts';
import type { WritableColumn } from '../records/writable-columns.ts';
import { recordChildVersions } from '../schema/history.ts';
import { copyLines } from '../sql/copy.ts';
import { escapeCopyText } from '../sql/copy-text.ts';
import { quote } from '../sql/identifiers.ts';
import { tableExists, toTargetTable } from '../sql/target.ts';
import { buildExtractedAtExpression } from './extracted-at.ts';
import { countImplausiblyMissing, stageGeneration } from './generations.ts';
import type { LoadResult } from './request.ts';
import { getKeyColumns, type LoadTransaction } from './transaction.ts';

export interface MarkedDeletions extends Pick<LoadResult, 'rejectedGenerations' | 'unconfirmedDeletions'> {
  /** Batch id → number of rows that the batch marked as deleted. */
  readonly counts: ReadonlyMap<string, number>;
}

/** Adds `count` to the number of deletions of the batch with the index `batch`. */
type AddCount = (batch: number, count: number) => void;

/**
 * Marks a row as deleted if a complete list or a generation lacks its record, or if a request for
 * the record found it to be deleted. A row that was extracted after the list, generation or request
 * began is not marked. An unconfirmed empty list marks no rows, and neither does a generation that
 * is marked `guarded` and lacks implausibly many rows (I7). A generation with `suspects` also marks
 * no rows: the rows that it lacks become deletion candidates.
 * @param isNew whether this transaction applies the batch of a list, generation or deletion.
 */
export async function markDeletions(
  load: LoadTransaction,
  isNew: (item: { readonly batch: number }) => boolean,
): Promise<MarkedDeletions> {
  const { batches, completeLists, generations, deletions } = load.request.prepared;
  const getBatchId = (batch: number) => (batches[batch] as BatchToLoad).id;
  const counts = new Map<string, number>();
  const addCount: AddCount = (batch, count) => {
    const id = getBatchId(batch);
    counts.set(id, (counts.get(id) ?? 0) + count);
  };
  const newLists = completeLists.filter(isNew);
  const unconfirmedDeletions = newLists.length === 0 ? [] : await markMissingChildren(load, newLists, addCount);
  const rejectedGenerations: LoadResult['rejectedGenerations'][number][] = [];
  for (const generation of generations.filter(isNew)) {
    if (generation.suspects) continue;
    const missing = await stageGeneration(load, getKeyColumns(load), generation);
    const implausibleRows = generation.guarded ? await countImplausiblyMissing(load, missing) : 0;
    if (implausibleRows > 0) {
      rejectedGenerations.push({ batchId: getBatchId(generation.batch), rows: implausibleRows });
      continue;
    }
    const { rowCount } = await load.client.query(
      `update ${load.target.sql} t set ${buildDeletionAssignments("'missing'")}
       from (select $1::timestamptz as began_at) p where ${missing.where}`,
      missing.parameters,
    );
    addCount(generation.batch, rowCount ?? 0);
  }
  await markDeletedRecords(load, deletions.filter(isNew), addCount);
  return { counts, rejectedGenerations, unconfirmedDeletions };
}

/**
 * Marks a child as deleted if the complete list of its parent's children lacks the child.
 * @returns the ids of parents whose list of children is empty but not confirmed, although the table
 *   contains children of these parents. These children are not marked.
 */
async function markMissingChildren(
  load: LoadTransaction,
  lists: PreparedBatches['completeLists'],
  addCount: AddCount,
): Promise<string[]> {
  const { client, target, request } = load;
  const { hasUnconfirmed } = await stageCompleteLists(load, lists);
  const parentColumns = request.table.lookupColumns.map(quote);
  const matchesParent = parentColumns.map((name) => `t.${name} = p.${name}`).join(' and ');
  const isUnchangedRow = `t._freshet_deleted_at is null and ${buildExtractedAtExpression('t', request)} <= p.began_at`;
  const unconfirmedParents: string[] = [];
  if (hasUnconfirmed) {
    // An outage can cause an empty list, so a second empty list must confirm the first one.
    const { rows } = await client.query<{ parent: string }>(`
      delete from freshet_parents p where p.unconfirmed and exists (
        select from ${target.sql} t where ${matchesParent} and ${isUnchangedRow}
      ) returning p.${parentColumns[0]}::text as parent`);
    unconfirmedParents.push(...rows.map((row) => row.parent));
  }
  const matchesKey = request.table.primaryKey.map((name) => `k.${quote(name)} = t.${quote(name)}`).join(' and ');
  const { rows } = await client.query<{ batch: number; n: string }>(`
    with marked as (
      update ${target.sql} t set ${buildDeletionAssignments("'missing'")} from freshet_parents p
      where ${matchesParent} and ${isUnchangedRow} and not exists (select from freshet_present k where ${matchesKey})
      returning p.batch
    ) select batch, count(*) as n from marked group by 1`);
  for (const { batch, n } of rows) addCount(batch, Number(n));
  return unconfirmedParents;
}

/**
 * Copies complete lists to temporary tables: the parents to `freshet_parents`, and the keys in the
 * lists to `freshet_present`.
 */
async function stageCompleteLists(
  load: LoadTransaction,
  lists: PreparedBatches['completeLists'],
): Promise<{ readonly hasUnconfirmed: boolean }> {
  const { client, target, request, columns } = load;
  const keyColumns = getKeyColumns(load);
  const parentColumns = request.table.lookupColumns.map(
    (name) => columns.find((c) => c.name === name) as WritableColumn,
  );
  await client.query(
    `create temp table freshet_parents on commit drop as
     select ${parentColumns.map((c) => quote(c.name)).join(', ')}, _freshet_extracted_at as began_at, 0 as batch,
       true as unconfirmed
     from ${target.sql} with no data`,
  );
  await client.query(
    `create temp table freshet_present on commit drop as
     select ${keyColumns.map((c) => quote(c.name)).join(', ')} from ${target.sql} with no data`,
  );
  const encode = (text: string | undefined, column: WritableColumn) => {
    const value = toSqlText(text ?? null, column.type);
    return value === MISFIT || value === null ? '\\N' : escapeCopyText(value);
  };
  // If the batches contain several lists of a parent, only the last list is used.
  const latestLists = [...new Map(lists.map((list) => [JSON.stringify(list.where), list])).values()];
  const isUnconfirmed = ({ keys, confirmed }: (typeof lists)[number]) => keys.length === 0 && confirmed !== true;
  await copyLines(
    client,
    `copy freshet_parents from stdin`,
    latestLists.map((list) => {
      const parent = parentColumns.map((column) => encode(list.where[column.name], column)).join('\t');
      return `${parent}\t${list.began_at}\t${list.batch}\t${isUnconfirmed(list) ? 't' : 'f'}\n`;
    }),
  );
  const presentKeys = latestLists.flatMap(({ keys }) =>
    keys.map((key) => `${keyColumns.map((column, i) => encode(key[i], column)).join('\t')}\n`),
  );
  if (presentKeys.length > 0) await copyLines(client, 'copy freshet_present from stdin', presentKeys);
  return { hasUnconfirmed: latestLists.some(isUnconfirmed) };
}

async function markDeletedRecords(
  load: LoadTransaction,
  deletions: PreparedBatches['deletions'],
  addCount: AddCount,
): Promise<void> {
  const { client, target, request } = load;
  const matchesKey = getKeyColumns(load)
    .map((c, i) => `t.${quote(c.name)} = $${i + 3}::${c.type}`)
    .join(' and ');
  for (const { key, kind, at, batch } of deletions) {
    const { rowCount } = await client.query(
      `update ${target.sql} t set ${buildDeletionAssignments('$2')} from (select $1::timestamptz as began_at) p
       where ${matchesKey} and t._freshet_deleted_at is null and ${buildExtractedAtExpression('t', request)} <= p.began_at`,
      [at, kind, ...key],
    );
    addCount(batch, rowCount ?? 0);
  }
}

/**
 * Marks the descendants of rows that this transaction has marked as `missing` or `not_found`, level
 * by level. In rows that this transaction has written, `_freshet_loaded_at` is the time of the
 * transaction.
 */
export async function markChildRows({ client, request }: LoadTransaction): Promise<void> {
  for (const { name, column, parent, parentKey } of request.childTables) {
    const child = toTargetTable(request.schema, request.tablePrefix, name);
    const parentTable = toTargetTable(request.schema, request.tablePrefix, parent);
    if (!(await tableExists(client, child.sql)) || !(await tableExists(client, parentTable.sql))) continue;
    const { rowCount } = await client.query(`
      update ${child.sql} t set ${buildDeletionAssignments("'missing'")}
      from (
        select ${quote(parentKey)} as key, _freshet_deleted_at as began_at from ${parentTable.sql}
        where _freshet_delete_kind in ('missing', 'not_found') and _freshet_loaded_at = now()
      ) p where t.${quote(column)} = p.key and t._freshet_deleted_at is null`);
    if (rowCount !== 0) await recordChildVersions(client, child);
  }
}

/**
 * Builds the assignments that mark a row as deleted. They reset the hash, so that the record counts
 * as changed if a later batch contains it.
 */
function buildDeletionAssignments(kind: string): string {
  return `_freshet_deleted_at = p.began_at, _freshet_delete_kind = ${kind}, _freshet_hash = null,
    _freshet_extracted_at = p.began_at, _freshet_loaded_at = now()`;
}
