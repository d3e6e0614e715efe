import type { ClientBase } from 'pg';
import { copy, escapeText } from './copy.ts';
import { quote } from './identifiers.ts';
import type { BatchToLoad, LoadRequest, Staged } from './request.ts';
import type { LiveColumn } from './rows.ts';
import type { Target } from './tables.ts';

export interface Merged {
  readonly batchId: string;
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
  readonly missing: number;
  readonly stale: number;
}

/**
 * Newest version of each key in; what is unchanged by its hash is dropped by a join before the upsert, because an
 * upsert locks and dirties a row even where its condition is false. The condition repeats the guard: a row never
 * goes back (I4).
 */
export async function merge(
  client: ClientBase,
  target: Target,
  request: LoadRequest,
  columns: readonly LiveColumn[],
  staged: readonly Staged[],
): Promise<readonly Merged[]> {
  if (staged.length === 0) return [];
  const newest = newestOf(request, columns, staged);
  await stage(client, target, request, columns, newest);
  const { primaryKey, version } = request.table;
  const keys = primaryKey.map(quote).join(', ');
  const names = [...columns.map((c) => quote(c.name)), ...STAGED_META].join(', ');
  const onKeys = primaryKey.map((k) => `t.${quote(k)} = n.${quote(k)}`).join(' and ');
  const age = (alias: string) => `(${version === null ? '' : `coalesce(${alias}.${quote(version)}, '-infinity'), `}${alias}._freshet_extracted_at)`;
  const changed = `from freshet_stage n left join ${target.sql} t on ${onKeys}
    where (t.${quote(primaryKey[0] as string)} is null or (t._freshet_hash is distinct from n._freshet_hash and ${age('n')} >= ${age('t')}))`;
  const sets = [...columns.filter((c) => !primaryKey.includes(c.name)).map((c) => quote(c.name)), ...STAGED_META.filter((m) => m !== '_freshet_deleted_at')]
    .map((name) => `${name} = excluded.${name}`)
    // Deleted since when it was first seen to be.
    .concat(
      '_freshet_deleted_at = case when excluded._freshet_deleted_at is null then null else coalesce(t._freshet_deleted_at, excluded._freshet_deleted_at) end',
    );
  // The stage has no statistics, and by the key is the only way that never reads the whole table.
  await client.query('set local enable_hashjoin = off; set local enable_mergejoin = off');
  const deletions = newest.some(({ row }) => row.deleted !== null)
    ? await client.query<{ batch_id: string; n: string }>(
        `select n._freshet_batch_id as batch_id, count(*) as n ${changed} and n._freshet_deleted_at is not null and t._freshet_deleted_at is null group by 1`,
      )
    : { rows: [] };
  const found = request.batches.some((b) => b.audit) ? await repaired(client, target, request, changed) : new Map<string, Repaired>();
  const { rows } = await client.query<{ batch_id: string; inserted: string; updated: string }>(`
    with merged as (
      insert into ${target.sql} as t (${names}, _freshet_loaded_at) select ${[...columns.map((c) => quote(c.name)), ...STAGED_META].map((c) => `n.${c}`).join(', ')}, now() ${changed}
      on conflict (${keys}) do update set ${sets.join(', ')}, _freshet_loaded_at = now()
      where t._freshet_hash is distinct from excluded._freshet_hash and ${age('excluded')} >= ${age('t')}
      returning _freshet_batch_id, xmax = 0 as inserted
    )
    select _freshet_batch_id as batch_id, count(*) filter (where inserted) as inserted, count(*) filter (where not inserted) as updated from merged group by 1`);
  await client.query('set local enable_hashjoin = on; set local enable_mergejoin = on');
  const deleted = new Map(deletions.rows.map((r) => [r.batch_id, Number(r.n)]));
  return rows.map((r) => ({
    batchId: r.batch_id,
    inserted: Number(r.inserted),
    updated: Number(r.updated),
    deleted: deleted.get(r.batch_id) ?? 0,
    missing: Number(found.get(r.batch_id)?.missing ?? 0),
    stale: Number(found.get(r.batch_id)?.stale ?? 0),
  }));
}

interface Repaired {
  readonly batch_id: string;
  readonly missing: string;
  readonly stale: string;
}

/**
 * What an audit's batches are about to repair. Missing: a record that exists, has no row or one marked as deleted, and is as
 * old as what the table is said to hold. Stale: one whose row differs, with the very version that it has.
 */
async function repaired(client: ClientBase, target: Target, request: LoadRequest, changed: string): Promise<ReadonlyMap<string, Repaired>> {
  const key = `t.${quote(request.table.primaryKey[0] as string)}`;
  const version = request.table.version === null ? null : quote(request.table.version);
  const isHeld =
    version === null
      ? 'true'
      : `(s.complete_as_of is null or n.${version} < s.complete_as_of) and (s.complete_back_to is null or n.${version} >= s.complete_back_to)`;
  const isSame = version === null ? 'true' : `n.${version} is not distinct from t.${version}`;
  const { rows } = await client.query<Repaired>(
    `select n._freshet_batch_id as batch_id,
       count(*) filter (where (${key} is null or (t._freshet_deleted_at is not null and ${isSame})) and ${isHeld}) as missing,
       count(*) filter (where ${key} is not null and t._freshet_deleted_at is null and ${isSame}) as stale
     ${changed.replace(' left join', ` cross join ${quote(target.schema)}._freshet_objects s left join`)}
       and s.table_name = $1 and n._freshet_deleted_at is null and n._freshet_batch_id = any($2::uuid[]) group by 1`,
    [target.name, request.batches.filter((b) => b.audit).map((b) => b.id)],
  );
  return new Map(rows.map((r) => [r.batch_id, r]));
}

/** One row of each key: the newest by version, then by time of reading, then by order; an upsert refuses to meet a key twice. */
function newestOf(request: LoadRequest, columns: readonly LiveColumn[], staged: readonly Staged[]): readonly Staged[] {
  const { primaryKey, version } = request.table;
  const keyAt = primaryKey.map((name) => columns.findIndex((c) => c.name === name));
  const versionAt = columns.findIndex((c) => c.name === version);
  const ageOf = ({ batch, row }: Staged): readonly [number, number] => [
    versionAt < 0 ? 0 : Date.parse(row.values[versionAt]?.replace(' ', 'T') ?? '') || Number.NEGATIVE_INFINITY,
    (request.batches[batch] as BatchToLoad).extractedAt.getTime(),
  ];
  const newest = new Map<string, Staged>();
  for (const candidate of staged) {
    const key = keyAt.length === 1 ? (candidate.row.values[keyAt[0] as number] as string) : JSON.stringify(keyAt.map((i) => candidate.row.values[i]));
    const known = newest.get(key);
    if (known) {
      const [a, b] = [ageOf(candidate), ageOf(known)];
      if (a[0] < b[0] || (a[0] === b[0] && a[1] < b[1])) continue;
    }
    newest.set(key, candidate);
  }
  return newest.size === staged.length ? staged : [...newest.values()];
}

const STAGED_META = [
  '_freshet_extra',
  '_freshet_batch_id',
  '_freshet_extracted_at',
  '_freshet_hash',
  '_freshet_deleted_at',
  '_freshet_delete_kind',
  '_freshet_notes',
] as const;

async function stage(client: ClientBase, target: Target, request: LoadRequest, columns: readonly LiveColumn[], staged: readonly Staged[]): Promise<void> {
  const names = [...columns.map((c) => quote(c.name)), ...STAGED_META].join(', ');
  await client.query(`create temp table freshet_stage on commit drop as select ${names} from ${target.sql} with no data`);
  await copy(client, `copy freshet_stage (${names}) from stdin`, copyLines(request, staged));
}

function* copyLines(request: LoadRequest, staged: readonly Staged[]): Generator<string> {
  const metas = request.batches.map((b) => ({ id: b.id, extractedAt: b.extractedAt.toISOString() }));
  for (const { batch, row } of staged) {
    const meta = metas[batch] as (typeof metas)[number];
    let line = '';
    for (const value of row.values) line += value === null ? '\\N\t' : `${escapeText(value)}\t`;
    line += row.extra === null ? '\\N\t' : `${escapeText(row.extra)}\t`;
    line += `${meta.id}\t${meta.extractedAt}\t\\\\x${row.hash.toString('hex')}\t`;
    line += row.deleted === null ? '\\N\t\\N\t' : `${meta.extractedAt}\t${escapeText(row.deleted)}\t`;
    line += row.notes === null ? '\\N\n' : `${escapeText(row.notes)}\n`;
    yield line;
  }
}
