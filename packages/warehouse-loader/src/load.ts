import { AppError, type BatchCounts, type RejectedRecord } from '@freshet/contracts';
import type { ClientBase } from 'pg';
import { copy, escapeText } from './copy.ts';
import { type Decoded, decode } from './decode.ts';
import { quote } from './identifiers.ts';
import { type Merged, merge } from './merge.ts';
import { findSuspects, markBelow, markMissing } from './missing.ts';
import type { BatchToLoad, LoadRequest, LoadResult, Staged } from './request.ts';
import { type LiveColumn, type RowContext, toRow, type Wishes } from './rows.ts';
import { ensureTable, evolveTable, type TableState, type Target } from './tables.ts';

/**
 * Applies batches to a table, once, whatever is killed or repeated: new tables and columns in short transactions
 * of their own, then rows and ledger in one (I2).
 */
export async function loadBatches(client: ClientBase, target: Target, request: LoadRequest, lz4: boolean): Promise<LoadResult> {
  const decoded = decode(request.batches);
  const state = await ensureTable(client, target, request.table);
  const shaped = await shape(client, target, request, state, decoded);
  const poison = new Map<Staged, string>();
  const unread = decoded.rejected.map(({ batch, line, reason }) => ({ batch, line, reason }));
  for (;;) {
    const healthy = shaped.staged.filter((s) => !poison.has(s));
    const rejected = [...unread, ...shaped.rejected, ...[...poison].map(([s, reason]) => ({ batch: s.batch, line: s.line, reason }))];
    try {
      const applied = await apply(client, target, request, shaped.columns, decoded, healthy, rejected, lz4);
      return {
        ...applied,
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
): Promise<Pick<LoadResult, 'batches' | 'suspects' | 'notBelieved'>> {
  const s = quote(target.schema);
  await client.query('begin');
  try {
    await client.query(SESSION + (lz4 ? 'set local default_toast_compression = lz4;' : ''));
    // The fence: its row lock also makes the loaders of one table wait for each other.
    await client.query(`insert into ${s}._freshet_objects (table_name) values ($1) on conflict do nothing`, [target.name]);
    const fence = await client.query(`update ${s}._freshet_objects set epoch = $2 where table_name = $1 and epoch <= $2`, [target.name, request.epoch]);
    if (fence.rowCount === 0) throw new AppError('fenced', `Another worker has taken ${target.name} over.`);

    const recordsIn = countBy(request.batches.length, [...decoded.records, ...decoded.rejected]);
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
    let notBelieved: LoadResult['notBelieved'] = [];
    if (freshIds.size > 0) {
      const merged = await merge(client, target, request, columns, staged.filter(isFresh));
      const { gone, notBelieved: doubted } = await markMissing(client, target, request, columns, decoded, isFresh);
      notBelieved = doubted;
      if ([...gone.values()].some((n) => n > 0)) await markBelow(client, request);
      await account(client, target, request, decoded, merged, gone, freshIds);
    }
    const suspects = await findSuspects(client, target, request, columns, decoded);
    const ledger = await client.query<LedgerRow>(
      `select batch_id, records, inserted, updated, unchanged, rejected, deleted, missing, stale from ${s}._freshet_batches where batch_id = any($1::uuid[])`,
      [request.batches.map((b) => b.id)],
    );
    await client.query('commit');
    const batches = ledger.rows.map(({ batch_id, ...counts }) => ({
      batchId: batch_id,
      counts: Object.fromEntries(Object.entries(counts).map(([name, n]) => [name, Number(n)])) as unknown as BatchCounts,
    }));
    return { batches, suspects, notBelieved };
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
  missing: string;
  stale: string;
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
  const of = (id: string) => merged.find((m) => m.batchId === id) ?? { inserted: 0, updated: 0, deleted: 0, missing: 0, stale: 0 };
  await client.query(
    `update ${s}._freshet_batches l set inserted = c.inserted, updated = c.updated, deleted = c.deleted,
       missing = c.missing, stale = c.stale, unchanged = l.records - l.rejected - c.inserted - c.updated
     from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[]) as c(id, inserted, updated, deleted, missing, stale) where l.batch_id = c.id`,
    [
      ids,
      ids.map((id) => of(id).inserted),
      ids.map((id) => of(id).updated),
      ids.map((id) => of(id).deleted + (gone.get(id) ?? 0)),
      ids.map((id) => of(id).missing),
      ids.map((id) => of(id).stale),
    ],
  );
  const inserted = merged.reduce((sum, m) => sum + m.inserted, 0);
  await client.query(
    `update ${s}._freshet_objects set row_count = row_count + $2, last_loaded_at = now(),
       complete_as_of = coalesce($3, complete_as_of), complete_back_to = coalesce($4, complete_back_to), last_run_id = coalesce($5, last_run_id),
       last_audit_at = coalesce($6, last_audit_at)
     where table_name = $1`,
    [
      target.name,
      inserted,
      decoded.reached?.complete_as_of ?? null,
      decoded.reached?.complete_back_to ?? null,
      decoded.reached?.run_id ?? null,
      decoded.audited?.at ?? null,
    ],
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
  const raw = [...decoded.records, ...decoded.rejected].find((r) => r.batch === batch && r.line === line)?.text ?? '';
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
