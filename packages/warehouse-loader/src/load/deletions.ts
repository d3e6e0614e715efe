import { hasShrunk, type Suspect } from '@freshet/contracts';
import type { ClientBase } from 'pg';
import { type Prepared, recordsOf } from '../records/prepare.ts';
import { MISFIT, toSqlText } from '../records/values.ts';
import type { LiveColumn } from '../schema/columns.ts';
import { keepVersionsBelow } from '../schema/history.ts';
import { quote } from '../schema/identifiers.ts';
import { type Target, targetOf } from '../schema/tables.ts';
import { copy, escapeText } from './copy.ts';
import { readingTime } from './reading-time.ts';
import type { BatchToLoad, LoadRequest, LoadResult } from './request.ts';

/**
 * Marks what complete readings no longer hold, unless it was read again after they began. Returns batch → rows marked, what was
 * not believed, and the parents whose lists were empty where the table has rows: they are to be asked again (I7).
 */
export async function markMissing(
  client: ClientBase,
  target: Target,
  request: LoadRequest,
  columns: readonly LiveColumn[],
  prepared: Prepared,
  isFresh: (item: { readonly batch: number }) => boolean,
): Promise<{ readonly gone: ReadonlyMap<string, number> } & Pick<LoadResult, 'notBelieved' | 'doubted'>> {
  const gone = new Map<string, number>();
  const notBelieved: LoadResult['notBelieved'][number][] = [];
  const doubted: string[] = [];
  const add = (batch: number, n: number) => {
    const { id } = request.prepared.batches[batch] as BatchToLoad;
    gone.set(id, (gone.get(id) ?? 0) + n);
  };
  const keyColumns = request.table.primaryKey.map((name) => columns.find((c) => c.name === name) as LiveColumn);
  const completes = prepared.completes.filter(isFresh);
  if (completes.length > 0) {
    const lookups = request.table.lookups;
    const lookupColumns = lookups.map((name) => columns.find((c) => c.name === name) as LiveColumn);
    const k = keyColumns.map((c) => quote(c.name));
    const l = lookups.map(quote);
    await client.query(
      `create temp table freshet_parents on commit drop as select ${l.join(', ')}, _freshet_extracted_at as began_at, 0 as batch, true as doubtful from ${target.sql} with no data`,
    );
    await client.query(
      `create temp table freshet_present on commit drop as select ${k.join(', ')} from ${target.sql} with no data`,
    );
    const sqlText = (text: string | undefined, c: LiveColumn) => {
      const value = toSqlText(text ?? null, c.type);
      return value === MISFIT || value === null ? '\\N' : escapeText(value);
    };
    // Of two readings of one parent in these batches, the later one counts.
    const last = new Map(completes.map((c) => [JSON.stringify(c.where), c]));
    await copy(
      client,
      `copy freshet_parents from stdin`,
      [...last.values()].map(
        (c) =>
          `${lookupColumns.map((column) => sqlText(c.where[column.name], column)).join('\t')}\t${c.began_at}\t${c.batch}\t${c.keys.length === 0 && c.confirmed !== true ? 't' : 'f'}\n`,
      ),
    );
    const present = [...last.values()].flatMap((c) =>
      c.keys.map((key) => `${keyColumns.map((column, i) => sqlText(key[i], column)).join('\t')}\n`),
    );
    if (present.length > 0) await copy(client, 'copy freshet_present from stdin', present);
    if ([...last.values()].some((c) => c.keys.length === 0 && c.confirmed !== true)) {
      // An outage may look like a list without anything in it.
      const { rows: empty } = await client.query<{ parent: string }>(`
        delete from freshet_parents p where p.doubtful and exists (
          select from ${target.sql} t where ${l.map((name) => `t.${name} = p.${name}`).join(' and ')} and t._freshet_deleted_at is null and ${readingTime('t', request)} <= p.began_at
        ) returning p.${l[0]}::text as parent`);
      doubted.push(...empty.map((row) => row.parent));
    }
    const { rows } = await client.query<{ batch: number; n: string }>(`
      with marked as (
        update ${target.sql} t set ${marking("'missing'")} from freshet_parents p
        where ${l.map((name) => `t.${name} = p.${name}`).join(' and ')} and t._freshet_deleted_at is null and ${readingTime('t', request)} <= p.began_at
          and not exists (select from freshet_present k where ${k.map((name) => `k.${name} = t.${name}`).join(' and ')})
        returning p.batch
      ) select batch, count(*) as n from marked group by 1`);
    for (const { batch, n } of rows) add(batch, Number(n));
  }
  for (const generation of prepared.generations.filter(isFresh)) {
    if (generation.suspects) continue;
    const unseen = await generationTable(client, target, request, keyColumns, generation);
    const lacking = generation.guarded ? await lackingRows(client, target, unseen) : 0;
    if (lacking > 0) {
      notBelieved.push({ batchId: (request.prepared.batches[generation.batch] as BatchToLoad).id, rows: lacking });
      continue;
    }
    const { rowCount } = await client.query(
      `update ${target.sql} t set ${marking("'missing'")} from (select $1::timestamptz as began_at) p where ${unseen.where}`,
      unseen.parameters,
    );
    add(generation.batch, rowCount ?? 0);
  }
  for (const { key, kind, at, batch } of prepared.gone.filter(isFresh)) {
    const matches = keyColumns.map((c, i) => `t.${quote(c.name)} = $${i + 3}::${c.type}`).join(' and ');
    const { rowCount } = await client.query(
      `update ${target.sql} t set ${marking('$2')} from (select $1::timestamptz as began_at) p
       where ${matches} and t._freshet_deleted_at is null and ${readingTime('t', request)} <= p.began_at`,
      [at, kind, ...key],
    );
    add(batch, rowCount ?? 0);
  }
  return { gone, notBelieved, doubted };
}

/** How many rows a generation lacks, if they are too many to be believed; else 0. */
async function lackingRows(
  client: ClientBase,
  target: Target,
  unseen: { readonly where: string; readonly parameters: string[] },
): Promise<number> {
  const { rows } = await client.query<{ lacking: number; alive: number }>(
    `select count(*) filter (where ${unseen.where})::int as lacking, count(*) filter (where t._freshet_deleted_at is null)::int as alive
     from ${target.sql} t, (select $1::timestamptz as began_at) p`,
    unseen.parameters,
  );
  const { lacking, alive } = rows[0] ?? { lacking: 0, alive: 0 };
  return hasShrunk(alive, alive - lacking) ? lacking : 0;
}

/** A worker asks for so many in one audit at most; the others wait for the next. Whole tables of them are an error elsewhere. */
const SUSPECTS_MAX = 100_000;

/**
 * What the generations that mark nothing did not hold. It only looks, so a repeat of batches that were applied before
 * gives the same answer.
 */
export async function findSuspects(
  client: ClientBase,
  target: Target,
  request: LoadRequest,
  columns: readonly LiveColumn[],
  prepared: Prepared,
): Promise<LoadResult['suspects']> {
  const [keyColumn] = request.table.primaryKey.map((name) => columns.find((c) => c.name === name) as LiveColumn);
  const suspects: LoadResult['suspects'][number][] = [];
  for (const generation of prepared.generations) {
    if (!generation.suspects || !keyColumn) continue;
    const batchId = (request.prepared.batches[generation.batch] as BatchToLoad).id;
    const found = (keys: readonly { key: string }[], reason: Suspect['reason']) =>
      suspects.push(...keys.map(({ key }) => ({ key, reason, batchId })));
    const unseen = await generationTable(client, target, request, [keyColumn], generation);
    const k = quote(keyColumn.name);
    const rows = await client.query<{ key: string }>(
      `select t.${k}::text as key from ${target.sql} t, (select $1::timestamptz as began_at) p where ${unseen.where}
       order by t.${k} desc limit ${SUSPECTS_MAX}`,
      unseen.parameters,
    );
    found(rows.rows, 'unseen');
    if (!generation.suspects.gaps) continue;
    const gaps = await client.query<{ key: string }>(
      // Between neighbouring keys, the greatest first: one outlying key must not enumerate every number below it.
      `select g::text as key from (
         select above, below, sum(above - below - 1) over (order by above desc) - (above - below - 1) as numbers_before
         from (select ${k} as above, lag(${k}, 1, 0::bigint) over (order by ${k}) as below from ${target.sql} where ${k} > 0) neighbours
         where above - below > 1
       ) gaps cross join lateral generate_series(above - 1, greatest(below + 1, above - ${SUSPECTS_MAX}), -1) g
       where numbers_before < ${SUSPECTS_MAX} order by g desc limit ${SUSPECTS_MAX - rows.rows.length}`,
    );
    found(gaps.rows, 'gap');
  }
  return suspects;
}

/** Puts a generation's keys into a table; returns the condition of a row `t` that it speaks of and does not hold. The first parameter is when it began. */
async function generationTable(
  client: ClientBase,
  target: Target,
  request: LoadRequest,
  keyColumns: readonly LiveColumn[],
  generation: Prepared['generations'][number],
): Promise<{ readonly where: string; readonly parameters: string[] }> {
  const k = keyColumns.map((c) => quote(c.name));
  await client.query(`drop table if exists pg_temp.freshet_generation`);
  await client.query(
    `create temp table freshet_generation on commit drop as select ${k.join(', ')} from ${target.sql} with no data`,
  );
  await copy(
    client,
    'copy freshet_generation from stdin',
    generationKeys(request.generation(generation.id), keyColumns),
  );
  await client.query('analyze freshet_generation');
  const { version } = request.table;
  const since = version === null ? undefined : generation.since;
  return {
    where: `t._freshet_deleted_at is null and ${readingTime('t', request)} <= p.began_at
      ${since === undefined ? '' : `and t.${quote(version as string)} >= $2`}
      and not exists (select from freshet_generation k where ${k.map((name) => `k.${name} = t.${name}`).join(' and ')})`,
    parameters: since === undefined ? [generation.began_at] : [generation.began_at, since],
  };
}

/**
 * What stood below a record that no longer exists does not exist either. Rows that this transaction has marked are told
 * by their time of loading, which is the transaction's.
 */
export async function markBelow(client: ClientBase, request: LoadRequest): Promise<void> {
  for (const { name, column, parent, parentKey } of request.below) {
    const child = targetOf(request.schema, request.tablePrefix, name);
    const above = targetOf(request.schema, request.tablePrefix, parent).sql;
    const { rows } = await client.query<{ there: boolean }>(
      'select to_regclass($1) is not null and to_regclass($2) is not null as there',
      [child.sql, above],
    );
    if (!rows[0]?.there) continue;
    const { rowCount } =
      await client.query(`update ${child.sql} t set ${marking("'missing'")} from (select ${quote(parentKey)} as key, _freshet_deleted_at as began_at from ${above}
      where _freshet_delete_kind in ('missing', 'not_found') and _freshet_loaded_at = now()) p where t.${quote(column)} = p.key and t._freshet_deleted_at is null`);
    if (rowCount !== 0) await keepVersionsBelow(client, child);
  }
}

/** The hash goes, so that the record counts as changed if it ever comes back. */
function marking(kind: string): string {
  return `_freshet_deleted_at = p.began_at, _freshet_delete_kind = ${kind}, _freshet_hash = null, _freshet_extracted_at = p.began_at, _freshet_loaded_at = now()`;
}

async function* generationKeys(
  bodies: AsyncIterable<Buffer>,
  keyColumns: readonly LiveColumn[],
): AsyncGenerator<string> {
  for await (const body of bodies) {
    for await (const fieldOf of recordsOf(body)) {
      const key = keyColumns.map((c) => toSqlText(fieldOf(c.name), c.type));
      if (key.every((part) => typeof part === 'string')) yield `${(key as string[]).map(escapeText).join('\t')}\n`;
    }
  }
}
