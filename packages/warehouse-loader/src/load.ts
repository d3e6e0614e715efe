import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { zstdDecompressSync } from 'node:zlib';
import {
  AppError,
  type BatchCounts,
  type BatchLine,
  type CompleteLine,
  type GenerationLine,
  parseJson,
  type ReachedLine,
  type RecordLine,
  type RejectedRecord,
  type SchemaPolicy,
  type Table,
  type TableBelow,
} from '@freshet/contracts';
import type { ClientBase } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { quote } from './identifiers.ts';
import { type LiveColumn, type Row, type RowContext, toRow, type Wishes } from './rows.ts';
import { ensureTable, evolveTable, type TableState, type Target, targetOf } from './tables.ts';
import { MISFIT, toSqlText } from './values.ts';

export interface LoadRequest {
  readonly schema: string;
  readonly tablePrefix: string;
  readonly table: Table;
  /** Tables of the same schema whose rows exist only below this one's, level by level. */
  readonly below: readonly TableBelow[];
  /** A worker whose epoch is lower than one that the warehouse has seen changes nothing. */
  readonly epoch: number;
  readonly policy: SchemaPolicy;
  /** In the order of their storing. */
  readonly batches: readonly BatchToLoad[];
  /** The bodies of all batches of a generation, for the one that a batch completes. */
  readonly generation: (id: string) => AsyncIterable<Buffer>;
}

export interface BatchToLoad {
  readonly id: string;
  readonly extractedAt: Date;
  readonly body: Buffer;
}

export interface LoadResult {
  readonly batches: readonly { readonly batchId: string; readonly counts: BatchCounts }[];
  readonly rejected: readonly RejectedRecord[];
  /** How fresh and how deep the table is with these batches; null: they do not say. */
  readonly reached: { readonly completeAsOf: Date | null; readonly completeBackTo: Date | null } | null;
}

/** A record on its way into the table. */
interface Staged {
  readonly batch: number;
  readonly line: number;
  readonly row: Row;
}

interface Decoded {
  readonly records: readonly { readonly batch: number; readonly line: number; readonly record: RecordLine; readonly text: string }[];
  readonly completes: readonly (CompleteLine['complete'] & { readonly batch: number })[];
  readonly generations: readonly (GenerationLine['generation'] & { readonly batch: number })[];
  readonly reached: ReachedLine['reached'] | null;
}

/**
 * Applies batches to a table, once, whatever is killed or repeated: new tables and columns in short transactions
 * of their own, then rows and ledger in one (I2).
 */
export async function loadBatches(client: ClientBase, target: Target, request: LoadRequest, lz4: boolean): Promise<LoadResult> {
  const decoded = decode(request.batches);
  const state = await ensureTable(client, target, request.table);
  const shaped = await shape(client, target, request, state, decoded);
  const poison = new Map<Staged, string>();
  for (;;) {
    const healthy = shaped.staged.filter((s) => !poison.has(s));
    const rejected = [...shaped.rejected, ...[...poison].map(([s, reason]) => ({ batch: s.batch, line: s.line, reason }))];
    try {
      const batches = await apply(client, target, request, shaped.columns, decoded, healthy, rejected, lz4);
      return {
        batches,
        rejected: rejected.map(({ batch, line, reason }) => rejectedRecord(request, decoded, batch, line, reason)),
        reached: reachedIn(decoded),
      };
    } catch (error) {
      // Values were checked, so this is a row that PostgreSQL refuses for a reason of its own: find it, load the rest.
      if (!isDataError(error) || healthy.length === 0) throw error;
      const found = await findPoison(client, target, shaped.columns, healthy, lz4);
      if (found === null) throw error;
      poison.set(found, `refused_by_warehouse: ${(error as { code?: string }).code}`);
    }
  }
}

function decode(batches: readonly BatchToLoad[]): Decoded {
  const records: Decoded['records'][number][] = [];
  const completes: Decoded['completes'][number][] = [];
  const generations: Decoded['generations'][number][] = [];
  let reached: Decoded['reached'] = null;
  batches.forEach(({ body }, batch) => {
    let n = 0;
    for (const text of linesOf(body)) {
      const line = parseJson(text) as unknown as BatchLine;
      if ('record' in line) records.push({ batch, line: n, record: line, text });
      else if ('complete' in line) completes.push({ ...line.complete, batch });
      else if ('generation' in line) generations.push({ ...line.generation, batch });
      else reached = line.reached;
      n++;
    }
  });
  return { records, completes, generations, reached };
}

function linesOf(body: Buffer): string[] {
  const text = zstdDecompressSync(body).toString('utf8');
  return text === '' ? [] : text.split('\n');
}

interface Shaped {
  readonly columns: readonly LiveColumn[];
  readonly staged: readonly Staged[];
  readonly rejected: readonly { readonly batch: number; readonly line: number; readonly reason: string }[];
}

/** Records as rows of the table; the table grows first where they need it to. */
async function shape(client: ClientBase, target: Target, request: LoadRequest, from: TableState, decoded: Decoded): Promise<Shaped> {
  let state = from;
  for (let pass = 1; ; pass++) {
    const context: RowContext = { table: request.table, columns: state.columns, policy: request.policy, fixed: state.fixed };
    const wishes: Wishes = { widen: new Map(), add: new Map() };
    const staged: Staged[] = [];
    const rejected: Shaped['rejected'][number][] = [];
    for (const { batch, line, record, text } of decoded.records) {
      const result = toRow(record, text, context, wishes);
      if ('row' in result) staged.push({ batch, line, row: result.row });
      else rejected.push({ batch, line, reason: result.rejected });
    }
    if (wishes.widen.size === 0 && wishes.add.size === 0) return { columns: state.columns, staged, rejected };
    // Each pass grants a wish or fixes a column, and a column is widened three times at most.
    if (pass > 10) throw new AppError('bug', `The columns of ${target.name} do not settle.`);
    state = await evolveTable(client, target, request.table, state, wishes);
  }
}

/** The transaction. Returns what was done with each batch: now, or when it was applied before. */
async function apply(
  client: ClientBase,
  target: Target,
  request: LoadRequest,
  columns: readonly LiveColumn[],
  decoded: Decoded,
  staged: readonly Staged[],
  rejected: Shaped['rejected'],
  lz4: boolean,
): Promise<LoadResult['batches']> {
  const s = quote(target.schema);
  await client.query('begin');
  try {
    await client.query(SESSION + (lz4 ? 'set local default_toast_compression = lz4;' : ''));
    // The fence: its row lock also makes the loaders of one table wait for each other.
    await client.query(`insert into ${s}._freshet_objects (table_name) values ($1) on conflict do nothing`, [target.name]);
    const fence = await client.query(`update ${s}._freshet_objects set epoch = $2 where table_name = $1 and epoch <= $2`, [target.name, request.epoch]);
    if (fence.rowCount === 0) throw new AppError('fenced', `Another worker has taken ${target.name} over.`);

    const recordsIn = countBy(request.batches.length, decoded.records);
    const rejectedIn = countBy(request.batches.length, rejected);
    const fresh = await client.query<{ batch_id: string }>(
      `insert into ${s}._freshet_batches (batch_id, table_name, epoch, extracted_at, records, rejected)
       select b.id, $1, $2, b.extracted_at, b.records, b.rejected
       from unnest($3::uuid[], $4::timestamptz[], $5::bigint[], $6::bigint[]) as b(id, extracted_at, records, rejected)
       on conflict do nothing returning batch_id`,
      [target.name, request.epoch, request.batches.map((b) => b.id), request.batches.map((b) => b.extractedAt), recordsIn, rejectedIn],
    );
    const freshIds = new Set(fresh.rows.map((r) => r.batch_id));
    const isFresh = ({ batch }: { readonly batch: number }) => freshIds.has((request.batches[batch] as BatchToLoad).id);
    if (freshIds.size > 0) {
      const merged = await merge(client, target, request, columns, staged.filter(isFresh));
      const gone = await markMissing(client, target, request, columns, decoded, isFresh);
      if ([...gone.values()].some((n) => n > 0)) await markBelow(client, request);
      await account(client, target, request, decoded, merged, gone, freshIds);
    }
    const ledger = await client.query<LedgerRow>(
      `select batch_id, records, inserted, updated, unchanged, rejected, deleted from ${s}._freshet_batches where batch_id = any($1::uuid[])`,
      [request.batches.map((b) => b.id)],
    );
    await client.query('commit');
    return ledger.rows.map(({ batch_id, ...counts }) => ({
      batchId: batch_id,
      counts: Object.fromEntries(Object.entries(counts).map(([name, n]) => [name, Number(n)])) as unknown as BatchCounts,
    }));
  } catch (error) {
    await client.query('rollback').catch(() => {
      // The connection is gone, and the transaction with it; the first error says why.
    });
    throw error;
  }
}

const SESSION = `set local search_path = pg_catalog, pg_temp; set local timezone = 'UTC'; set local lock_timeout = '10s';
  set local statement_timeout = '10min'; set local idle_in_transaction_session_timeout = '2min'; set local synchronous_commit = on;`;

interface LedgerRow {
  batch_id: string;
  records: string;
  inserted: string;
  updated: string;
  unchanged: string;
  rejected: string;
  deleted: string;
}

interface Merged {
  readonly batchId: string;
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
}

/**
 * Newest version of each key in; what is unchanged by its hash is dropped by a join before the upsert, because an
 * upsert locks and dirties a row even where its condition is false. The condition repeats the guard: a row never
 * goes back (I4).
 */
async function merge(
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
  return rows.map((r) => ({ batchId: r.batch_id, inserted: Number(r.inserted), updated: Number(r.updated), deleted: deleted.get(r.batch_id) ?? 0 }));
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

const SPECIAL = /[\\\n\r\t]/;
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function escapeText(text: string): string {
  return SPECIAL.test(text) ? text.replace(/[\\\n\r\t]/g, (c) => ESCAPES[c] as string) : text;
}

/** Larger chunks cost memory and gain nothing; smaller ones cost a system call each. */
const CHUNK_CHARS = 64 * 1024;

async function copy(client: ClientBase, statement: string, lines: Iterable<string> | AsyncIterable<string>): Promise<void> {
  async function* chunks(): AsyncGenerator<string> {
    let chunk = '';
    for await (const line of lines) {
      chunk += line;
      if (chunk.length >= CHUNK_CHARS) {
        yield chunk;
        chunk = '';
      }
    }
    if (chunk !== '') yield chunk;
  }
  await pipeline(Readable.from(chunks()), client.query(copyFrom(statement)));
}

/** Marks what complete readings no longer hold, unless it was read again after they began. Returns batch → rows marked. */
async function markMissing(
  client: ClientBase,
  target: Target,
  request: LoadRequest,
  columns: readonly LiveColumn[],
  decoded: Decoded,
  isFresh: (item: { readonly batch: number }) => boolean,
): Promise<ReadonlyMap<string, number>> {
  const gone = new Map<string, number>();
  const add = (batch: number, n: number) => {
    const { id } = request.batches[batch] as BatchToLoad;
    gone.set(id, (gone.get(id) ?? 0) + n);
  };
  const keyColumns = request.table.primaryKey.map((name) => columns.find((c) => c.name === name) as LiveColumn);
  const completes = decoded.completes.filter(isFresh);
  if (completes.length > 0) {
    const lookups = request.table.lookups;
    const lookupColumns = lookups.map((name) => columns.find((c) => c.name === name) as LiveColumn);
    const k = keyColumns.map((c) => quote(c.name));
    const l = lookups.map(quote);
    await client.query(
      `create temp table freshet_parents on commit drop as select ${l.join(', ')}, _freshet_extracted_at as began_at, 0 as batch from ${target.sql} with no data`,
    );
    await client.query(`create temp table freshet_present on commit drop as select ${k.join(', ')} from ${target.sql} with no data`);
    const sqlText = (text: string | undefined, c: LiveColumn) => {
      const value = toSqlText(text ?? null, c.type);
      return value === MISFIT || value === null ? '\\N' : escapeText(value);
    };
    // Of two readings of one parent in these batches, the later one counts.
    const last = new Map(completes.map((c) => [JSON.stringify(c.where), c]));
    await copy(
      client,
      `copy freshet_parents from stdin`,
      [...last.values()].map((c) => `${lookupColumns.map((column) => sqlText(c.where[column.name], column)).join('\t')}\t${c.began_at}\t${c.batch}\n`),
    );
    const present = [...last.values()].flatMap((c) => c.keys.map((key) => `${keyColumns.map((column, i) => sqlText(key[i], column)).join('\t')}\n`));
    if (present.length > 0) await copy(client, 'copy freshet_present from stdin', present);
    const { rows } = await client.query<{ batch: number; n: string }>(`
      with marked as (
        update ${target.sql} t set ${MISSING} from freshet_parents p
        where ${l.map((name) => `t.${name} = p.${name}`).join(' and ')} and t._freshet_deleted_at is null and t._freshet_extracted_at <= p.began_at
          and not exists (select from freshet_present k where ${k.map((name) => `k.${name} = t.${name}`).join(' and ')})
        returning p.batch
      ) select batch, count(*) as n from marked group by 1`);
    for (const { batch, n } of rows) add(batch, Number(n));
  }
  for (const generation of decoded.generations.filter(isFresh)) {
    const k = keyColumns.map((c) => quote(c.name));
    await client.query(`drop table if exists pg_temp.freshet_generation`);
    await client.query(`create temp table freshet_generation on commit drop as select ${k.join(', ')} from ${target.sql} with no data`);
    await copy(client, 'copy freshet_generation from stdin', generationKeys(request.generation(generation.id), keyColumns));
    await client.query('analyze freshet_generation');
    const { rowCount } = await client.query(
      `update ${target.sql} t set ${MISSING} from (select $1::timestamptz as began_at) p
       where t._freshet_deleted_at is null and t._freshet_extracted_at <= p.began_at
         and not exists (select from freshet_generation k where ${k.map((name) => `k.${name} = t.${name}`).join(' and ')})`,
      [generation.began_at],
    );
    add(generation.batch, rowCount ?? 0);
  }
  return gone;
}

/**
 * What stood below a record that no longer exists does not exist either. Rows that this transaction has marked are told
 * by their time of loading, which is the transaction's.
 */
async function markBelow(client: ClientBase, request: LoadRequest): Promise<void> {
  for (const { name, column, parent, parentKey } of request.below) {
    const child = targetOf(request.schema, request.tablePrefix, name).sql;
    const above = targetOf(request.schema, request.tablePrefix, parent).sql;
    const { rows } = await client.query<{ there: boolean }>('select to_regclass($1) is not null and to_regclass($2) is not null as there', [child, above]);
    if (!rows[0]?.there) continue;
    await client.query(`update ${child} t set ${MISSING} from (select ${quote(parentKey)} as key, _freshet_deleted_at as began_at from ${above}
      where _freshet_delete_kind = 'missing' and _freshet_loaded_at = now()) p where t.${quote(column)} = p.key and t._freshet_deleted_at is null`);
  }
}

/** The hash goes, so that the record counts as changed if it ever comes back. */
const MISSING = `_freshet_deleted_at = p.began_at, _freshet_delete_kind = 'missing', _freshet_hash = null, _freshet_extracted_at = p.began_at, _freshet_loaded_at = now()`;

async function* generationKeys(bodies: AsyncIterable<Buffer>, keyColumns: readonly LiveColumn[]): AsyncGenerator<string> {
  for await (const body of bodies) {
    for (const text of linesOf(body)) {
      const line = parseJson(text) as unknown as BatchLine;
      if (!('record' in line)) continue;
      const key = keyColumns.map((c) => toSqlText(line.record[c.name], c.type));
      if (key.every((part) => typeof part === 'string')) yield `${(key as string[]).map(escapeText).join('\t')}\n`;
    }
  }
}

/** Completes the ledger, and says how fresh and deep the table is. */
async function account(
  client: ClientBase,
  target: Target,
  _request: LoadRequest,
  decoded: Decoded,
  merged: readonly Merged[],
  gone: ReadonlyMap<string, number>,
  freshIds: ReadonlySet<string>,
): Promise<void> {
  const s = quote(target.schema);
  const ids = [...freshIds];
  const of = (id: string) => merged.find((m) => m.batchId === id) ?? { inserted: 0, updated: 0, deleted: 0 };
  await client.query(
    `update ${s}._freshet_batches l set inserted = c.inserted, updated = c.updated, deleted = c.deleted,
       unchanged = l.records - l.rejected - c.inserted - c.updated
     from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[]) as c(id, inserted, updated, deleted) where l.batch_id = c.id`,
    [ids, ids.map((id) => of(id).inserted), ids.map((id) => of(id).updated), ids.map((id) => of(id).deleted + (gone.get(id) ?? 0))],
  );
  const inserted = merged.reduce((sum, m) => sum + m.inserted, 0);
  await client.query(
    `update ${s}._freshet_objects set row_count = row_count + $2, last_loaded_at = now(),
       complete_as_of = coalesce($3, complete_as_of), complete_back_to = coalesce($4, complete_back_to), last_run_id = coalesce($5, last_run_id)
     where table_name = $1`,
    [target.name, inserted, decoded.reached?.complete_as_of ?? null, decoded.reached?.complete_back_to ?? null, decoded.reached?.run_id ?? null],
  );
}

function reachedIn({ reached }: Decoded): LoadResult['reached'] {
  if (reached === null) return null;
  const time = (text: string | null) => (text === null ? null : new Date(text));
  return { completeAsOf: time(reached.complete_as_of), completeBackTo: time(reached.complete_back_to) };
}

function countBy(length: number, items: readonly { readonly batch: number }[]): number[] {
  const counts = new Array<number>(length).fill(0);
  for (const { batch } of items) counts[batch] = (counts[batch] as number) + 1;
  return counts;
}

function rejectedRecord(request: LoadRequest, decoded: Decoded, batch: number, line: number, reason: string): RejectedRecord {
  const raw = decoded.records.find((r) => r.batch === batch && r.line === line)?.text ?? '';
  return { batchId: (request.batches[batch] as BatchToLoad).id, line, reason, raw };
}

function isDataError(error: unknown): boolean {
  const code = String((error as { code?: unknown }).code ?? '');
  return code.startsWith('22') || code.startsWith('54') || code.startsWith('23');
}

/** The first row that PostgreSQL refuses to stage or insert, by halving; each trial is rolled back. */
async function findPoison(client: ClientBase, target: Target, columns: readonly LiveColumn[], staged: readonly Staged[], lz4: boolean): Promise<Staged | null> {
  const names = columns.map((c) => quote(c.name)).join(', ');
  const refused = async (some: readonly Staged[]): Promise<boolean> => {
    await client.query('begin');
    try {
      await client.query(SESSION + (lz4 ? 'set local default_toast_compression = lz4;' : ''));
      await client.query(`create temp table freshet_trial (like ${target.sql} including constraints) on commit drop`);
      await copy(
        client,
        `copy freshet_trial (${names}) from stdin`,
        some.map(({ row }) => `${row.values.map((v) => (v === null ? '\\N' : escapeText(v))).join('\t')}\n`),
      );
      return false;
    } catch (error) {
      if (!isDataError(error)) throw error;
      return true;
    } finally {
      await client.query('rollback');
    }
  };
  let suspects = staged;
  if (!(await refused(suspects))) return null;
  while (suspects.length > 1) {
    const half = suspects.slice(0, Math.ceil(suspects.length / 2));
    suspects = (await refused(half)) ? half : suspects.slice(half.length);
  }
  return suspects[0] ?? null;
}
