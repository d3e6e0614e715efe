import { type DeletionCandidate, hasShrunk } from '@freshet/contracts';
import { type BatchToLoad, readRecords } from '../records/batches.ts';
import type { PreparedBatches } from '../records/prepare.ts';
import { toSqlText } from '../records/values.ts';
import type { WritableColumn } from '../records/writable-columns.ts';
import { copyLines } from '../sql/copy.ts';
import { escapeCopyText } from '../sql/copy-text.ts';
import { quote } from '../sql/identifiers.ts';
import { buildExtractedAtExpression } from './extracted-at.ts';
import type { LoadResult } from './request.ts';
import { getKeyColumns, type LoadTransaction } from './transaction.ts';

export type Generation = PreparedBatches['generations'][number];

/**
 * The SQL condition for rows `t` that a generation covers but does not contain. The condition
 * refers to `p.began_at`, the start of the generation.
 */
export interface MissingRows {
  readonly where: string;
  /** The first parameter is the start of the generation. */
  readonly parameters: string[];
}

/**
 * The maximum number of deletion candidates of an audit. Further candidates are left to the next
 * audit.
 */
const DELETION_CANDIDATES_MAX = 100_000;

/**
 * Copies the keys of a generation to a temporary table, and builds the condition for the rows that
 * the generation lacks.
 */
export async function stageGeneration(
  load: LoadTransaction,
  keyColumns: readonly WritableColumn[],
  generation: Generation,
): Promise<MissingRows> {
  const { client, target, request } = load;
  const keys = keyColumns.map((c) => quote(c.name));
  await client.query(`drop table if exists pg_temp.freshet_generation`);
  await client.query(
    `create temp table freshet_generation on commit drop as select ${keys.join(', ')} from ${target.sql} with no data`,
  );
  await copyLines(
    client,
    'copy freshet_generation from stdin',
    encodeKeys(request.readGeneration(generation.id), keyColumns),
  );
  await client.query('analyze freshet_generation');
  const { versionColumn } = request.table;
  const since = versionColumn === null ? undefined : generation.since;
  return {
    where: `t._freshet_deleted_at is null and ${buildExtractedAtExpression('t', request)} <= p.began_at
      ${since === undefined ? '' : `and t.${quote(versionColumn as string)} >= $2`}
      and not exists (select from freshet_generation k where ${keys.map((name) => `k.${name} = t.${name}`).join(' and ')})`,
    parameters: since === undefined ? [generation.began_at] : [generation.began_at, since],
  };
}

async function* encodeKeys(
  bodies: AsyncIterable<Buffer>,
  keyColumns: readonly WritableColumn[],
): AsyncGenerator<string> {
  for await (const body of bodies) {
    for await (const getField of readRecords(body)) {
      const key = keyColumns.map((c) => toSqlText(getField(c.name), c.type));
      if (key.every((part) => typeof part === 'string')) yield `${(key as string[]).map(escapeCopyText).join('\t')}\n`;
    }
  }
}

/**
 * Returns the number of missing rows if this number is implausibly high (`hasShrunk`, I7), and
 * otherwise 0.
 */
export async function countImplausiblyMissing(
  { client, target }: LoadTransaction,
  { where, parameters }: MissingRows,
): Promise<number> {
  const { rows } = await client.query<{ missing: number; total: number }>(
    `select count(*) filter (where ${where})::int as missing, count(*) filter (where t._freshet_deleted_at is null)::int as total
     from ${target.sql} t, (select $1::timestamptz as began_at) p`,
    parameters,
  );
  const { missing, total } = rows[0] ?? { missing: 0, total: 0 };
  return hasShrunk(total, total - missing) ? missing : 0;
}

/**
 * Lists the keys of the rows that the generations of audits lack, and the unused ids between the
 * keys. The function changes no rows, so a repeated load of applied batches returns the same
 * candidates.
 */
export async function findDeletionCandidates(load: LoadTransaction): Promise<LoadResult['deletionCandidates']> {
  const { client, target, request } = load;
  const { batches, generations } = request.prepared;
  const [keyColumn] = getKeyColumns(load);
  const candidates: LoadResult['deletionCandidates'][number][] = [];
  for (const generation of generations) {
    if (!generation.suspects || !keyColumn) continue;
    const batchId = (batches[generation.batch] as BatchToLoad).id;
    const add = (rows: readonly { key: string }[], reason: DeletionCandidate['reason']) =>
      candidates.push(...rows.map(({ key }) => ({ key, reason, batchId })));
    const missing = await stageGeneration(load, [keyColumn], generation);
    const key = quote(keyColumn.name);
    const { rows } = await client.query<{ key: string }>(
      `select t.${key}::text as key from ${target.sql} t, (select $1::timestamptz as began_at) p where ${missing.where}
       order by t.${key} desc limit ${DELETION_CANDIDATES_MAX}`,
      missing.parameters,
    );
    add(rows, 'unseen');
    if (generation.suspects.gaps) add(await findKeyGaps(load, keyColumn, DELETION_CANDIDATES_MAX - rows.length), 'gap');
  }
  return candidates;
}

/**
 * Lists gaps in the keys in descending order: positive numbers that are less than the greatest key,
 * but are not a key of any row. Returns at most `limit` numbers.
 */
async function findKeyGaps(
  { client, target }: LoadTransaction,
  keyColumn: WritableColumn,
  limit: number,
): Promise<{ key: string }[]> {
  const key = quote(keyColumn.name);
  const { rows } = await client.query<{ key: string }>(
    // Enumerate the numbers between neighboring keys in descending order, and stop at the limit.
    // Otherwise, all numbers below a single outlying key would be enumerated (I9).
    `select g::text as key from (
       select above, below, sum(above - below - 1) over (order by above desc) - (above - below - 1) as numbers_before
       from (
         select ${key} as above, lag(${key}, 1, 0::bigint) over (order by ${key}) as below
         from ${target.sql} where ${key} > 0
       ) neighbors
       where above - below > 1
     ) gaps cross join lateral generate_series(above - 1, greatest(below + 1, above - ${DELETION_CANDIDATES_MAX}), -1) g
     where numbers_before < ${DELETION_CANDIDATES_MAX} order by g desc limit ${limit}`,
  );
  return rows;
}
