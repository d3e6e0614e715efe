import type { ClientBase } from 'pg';
import { HASH_BYTES, type Identified } from '../records/identify.ts';
import { WRITTEN_META } from '../records/rows.ts';
import type { LiveColumn } from '../schema/columns.ts';
import { quote } from '../schema/identifiers.ts';
import type { Target } from '../schema/tables.ts';
import { copyBytes } from './copy.ts';
import { readingTime } from './reading-time.ts';
import type { BatchToLoad, LoadRequest } from './request.ts';

/** What was done with the records of one batch, as far as they reached the table. */
export interface Merged {
  inserted: number;
  updated: number;
  deleted: number;
  missing: number;
  stale: number;
}

/** How far the table is said to reach: an audit's record within it should have been there; and which rows are written again. */
export interface Held {
  readonly completeAsOf: Date | null;
  readonly completeBackTo: Date | null;
  /** PostgreSQL's text of a time: rows that were last written before it count as changed. Null: none does. */
  readonly rewriteBefore: string | null;
}

/** Records as rows in COPY's format. */
export type ToRows = (records: readonly Identified[]) => AsyncIterable<Buffer>;

/**
 * Brings the newest version of each key into the table. First the table is asked which rows it has, and whether they are the
 * same by their hash: those need not be touched, nor even be made. Records without a row are copied straight into the table,
 * which nobody else writes meanwhile. What differs is staged and upserted; the condition there is the guard that a row never
 * goes back (I4).
 *
 * @returns what was done with the records of each batch, by its place, and the keys of the rows that may have been written.
 */
export async function merge(
  client: ClientBase,
  target: Target,
  request: LoadRequest,
  columns: readonly LiveColumn[],
  held: Held,
  records: readonly Identified[],
  toRows: ToRows,
): Promise<{ readonly merged: readonly Merged[]; readonly written: readonly (readonly string[])[] }> {
  const merged = request.prepared.batches.map(
    (): Merged => ({ inserted: 0, updated: 0, deleted: 0, missing: 0, stale: 0 }),
  );
  if (records.length === 0) return { merged, written: [] };
  const newest = newestOf(request, records);
  // By the key is the only way that never reads the whole table, and nothing tells the planner how few rows these are.
  await client.query('set local enable_hashjoin = off; set local enable_mergejoin = off');
  const { fresh, differing } = await lookUp(client, target, request, columns, newest, held.rewriteBefore);
  if (fresh.length > 0) {
    await copyBytes(client, `copy ${target.sql} (${namesOf(columns)}) from stdin`, toRows(fresh));
    for (const record of fresh) {
      const counts = merged[record.batch] as Merged;
      counts.inserted++;
      if (record.deleted !== null) counts.deleted++;
      else if ((request.prepared.batches[record.batch] as BatchToLoad).audit && isHeld(record, request, held))
        counts.missing++;
    }
  }
  if (differing.length > 0) await upsert(client, target, request, columns, differing, toRows, merged);
  await client.query('set local enable_hashjoin = on; set local enable_mergejoin = on');
  return { merged, written: [...fresh, ...differing].map(({ key }) => key) };
}

function namesOf(columns: readonly LiveColumn[]): string {
  return [...columns.map((c) => quote(c.name)), ...WRITTEN_META].join(', ');
}

/** Records that have no row, and those whose row is not the same. */
async function lookUp(
  client: ClientBase,
  target: Target,
  request: LoadRequest,
  columns: readonly LiveColumn[],
  records: readonly Identified[],
  rewriteBefore: string | null,
): Promise<{ readonly fresh: readonly Identified[]; readonly differing: readonly Identified[] }> {
  const types = request.table.primaryKey.map((name) => (columns.find((c) => c.name === name) as LiveColumn).type);
  const keys = types.map((type, i) => {
    const texts = records.map((r) => r.key[i] as string);
    // Digits need no quotes, and an array of them no driver to write it.
    return type === 'bigint' ? `{${texts.join(',')}}` : texts;
  });
  const hashes = Buffer.from(records.map((r) => r.hash).join(''), 'hex');
  const hash = `substring($${keys.length + 1}::bytea from (k.ord::int - 1) * ${HASH_BYTES} + 1 for ${HASH_BYTES})`;
  const { rows } = await client.query<{ ord: string | null; same: boolean }>(
    `select string_agg(k.ord::text, ',') as ord, t._freshet_hash is not distinct from ${hash}
       and t._freshet_loaded_at >= coalesce($${keys.length + 2}::timestamptz, '-infinity') as same
     from unnest(${types.map((type, i) => `$${i + 1}::${type}[]`).join(', ')}) with ordinality as k(${types.map((_, i) => `k${i}`).join(', ')}, ord)
     join ${target.sql} t on ${request.table.primaryKey.map((name, i) => `t.${quote(name)} = k.k${i}`).join(' and ')}
     group by same`,
    [...keys, hashes, rewriteBefore],
  );
  const found = new Uint8Array(records.length);
  const isSame = (n: number) => !(request.prepared.batches[(records[n] as Identified).batch] as BatchToLoad).rewrite;
  for (const { ord, same } of rows)
    for (const n of (ord ?? '').split(',')) found[Number(n) - 1] = same && isSame(Number(n) - 1) ? SAME : DIFFERS;
  return { fresh: records.filter((_, i) => found[i] === 0), differing: records.filter((_, i) => found[i] === DIFFERS) };
}

const [SAME, DIFFERS] = [1, 2];

async function upsert(
  client: ClientBase,
  target: Target,
  request: LoadRequest,
  columns: readonly LiveColumn[],
  records: readonly Identified[],
  toRows: ToRows,
  merged: readonly Merged[],
): Promise<void> {
  const names = namesOf(columns);
  await client.query(
    `create temp table freshet_stage on commit drop as select ${names} from ${target.sql} with no data`,
  );
  await copyBytes(client, `copy freshet_stage (${names}) from stdin`, toRows(records));
  const { primaryKey, version } = request.table;
  const onKeys = primaryKey.map((k) => `t.${quote(k)} = n.${quote(k)}`).join(' and ');
  const age = (alias: string) =>
    `(${version === null ? '' : `coalesce(${alias}.${quote(version)}, '-infinity'), `}${readingTime(alias, request)})`;
  const changed = `from freshet_stage n join ${target.sql} t on ${onKeys} where ${age('n')} >= ${age('t')}`;
  const places = new Map(request.prepared.batches.map((b, i) => [b.id, i]));
  const count = (counted: readonly ({ readonly batch_id: string } & Partial<Record<keyof Merged, string>>)[]) => {
    for (const { batch_id, ...counts } of counted) {
      const into = merged[places.get(batch_id) as number] as Merged;
      for (const [name, n] of Object.entries(counts)) into[name as keyof Merged] += Number(n);
    }
  };
  if (records.some(({ deleted }) => deleted !== null)) {
    const { rows } = await client.query<{ batch_id: string; deleted: string }>(
      `select n._freshet_batch_id as batch_id, count(*) as deleted ${changed} and n._freshet_deleted_at is not null and t._freshet_deleted_at is null group by 1`,
    );
    count(rows);
  }
  if (records.some(({ batch }) => (request.prepared.batches[batch] as BatchToLoad).audit))
    count(await repaired(client, target, request, changed));
  const sets = [
    ...columns.filter((c) => !primaryKey.includes(c.name)).map((c) => quote(c.name)),
    ...WRITTEN_META.filter((m) => m !== '_freshet_deleted_at'),
  ]
    .map((name) => `${name} = excluded.${name}`)
    // Deleted since when it was first seen to be.
    .concat(
      '_freshet_deleted_at = case when excluded._freshet_deleted_at is null then null else coalesce(t._freshet_deleted_at, excluded._freshet_deleted_at) end',
    );
  const { rows } = await client.query<{ batch_id: string; inserted: string; updated: string }>(`
    with merged as (
      insert into ${target.sql} as t (${names}) select ${names} from freshet_stage
      on conflict (${primaryKey.map(quote).join(', ')}) do update set ${sets.join(', ')} where ${age('excluded')} >= ${age('t')}
      returning _freshet_batch_id, xmax = 0 as inserted
    )
    select _freshet_batch_id as batch_id, count(*) filter (where inserted) as inserted, count(*) filter (where not inserted) as updated from merged group by 1`);
  count(rows);
}

/**
 * What an audit's batches are about to repair in rows that there are. Missing: a record that exists, whose row is marked as
 * deleted with the very version that it has. Stale: one whose row differs, with the very version that it has.
 */
async function repaired(
  client: ClientBase,
  target: Target,
  request: LoadRequest,
  changed: string,
): Promise<{ batch_id: string; missing: string; stale: string }[]> {
  const version = request.table.version === null ? null : quote(request.table.version);
  const isHeldSql =
    version === null
      ? 'true'
      : `(s.complete_as_of is null or n.${version} < s.complete_as_of) and (s.complete_back_to is null or n.${version} >= s.complete_back_to)`;
  const isSame = version === null ? 'true' : `n.${version} is not distinct from t.${version}`;
  const { rows } = await client.query<{ batch_id: string; missing: string; stale: string }>(
    `select n._freshet_batch_id as batch_id,
       count(*) filter (where t._freshet_deleted_at is not null and ${isSame} and ${isHeldSql}) as missing,
       count(*) filter (where t._freshet_deleted_at is null and ${isSame} and t._freshet_hash is distinct from n._freshet_hash) as stale
     ${changed.replace(' join', ` cross join ${quote(target.schema)}._freshet_objects s join`)}
       and s.table_name = $1 and n._freshet_deleted_at is null and n._freshet_batch_id = any($2::uuid[]) group by 1`,
    [target.name, request.prepared.batches.filter((b) => b.audit).map((b) => b.id)],
  );
  return rows;
}

/** Whether a record that has no row is one that the table is said to hold. */
function isHeld({ version }: Identified, { table }: LoadRequest, { completeAsOf, completeBackTo }: Held): boolean {
  if (table.version === null) return true;
  return (
    (completeAsOf === null || version < completeAsOf.getTime()) &&
    (completeBackTo === null || version >= completeBackTo.getTime())
  );
}

/** One record of each key: the newest by version, then by time of reading, then by order; an upsert refuses to meet a key twice. */
function newestOf(request: LoadRequest, records: readonly Identified[]): readonly Identified[] {
  const readAt = request.prepared.batches.map((b) => b.extractedAt.getTime());
  const newest = new Map<string, Identified>();
  for (const record of records) {
    const key = record.key.length === 1 ? (record.key[0] as string) : JSON.stringify(record.key);
    const known = newest.get(key);
    const isOlder =
      known !== undefined &&
      (record.version < known.version ||
        (record.version === known.version && (readAt[record.batch] as number) < (readAt[known.batch] as number)));
    if (!isOlder) newest.set(key, record);
  }
  return newest.size === records.length ? records : [...newest.values()];
}
