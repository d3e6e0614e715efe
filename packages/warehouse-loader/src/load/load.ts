import { AppError, type BatchCounts, type RejectedRecord, traced } from '@freshet/contracts';
import type { ClientBase } from 'pg';
import type { Identified } from '../records/identify.ts';
import { linesOf, type Prepared, type Rejected } from '../records/prepare.ts';
import { type BatchMeta, RowWriter, type Wishes, WRITTEN_META } from '../records/rows.ts';
import type { LiveColumn } from '../schema/columns.ts';
import { type Completion, finishCompletion } from '../schema/completion.ts';
import { keepVersions, switchHistory } from '../schema/history.ts';
import { quote } from '../schema/identifiers.ts';
import { changesOf, ensureTable, evolveTable, type TableState, type Target } from '../schema/tables.ts';
import { copyBytes } from './copy.ts';
import { findSuspects, markBelow, markMissing } from './deletions.ts';
import { type Merged, merge } from './merge.ts';
import type { BatchToLoad, LoadRequest, LoadResult } from './request.ts';

/**
 * Applies batches to a table, once, whatever is killed or repeated: new tables and columns in short transactions
 * of their own, then rows and ledger in one (I2).
 */
export async function loadBatches(
  client: ClientBase,
  target: Target,
  request: LoadRequest,
  lz4: boolean,
): Promise<LoadResult> {
  const { state: found, before } = await ensureTable(client, target, request.table);
  let state = found;
  const { prepared } = request;
  const rejected = [...prepared.rejected];
  let healthy = prepared.records;
  for (let grown = 0; ; ) {
    const attempt = new Attempt(request, state);
    try {
      const { again, ...applied } = await traced(
        'warehouse transaction',
        { kind: 'CLIENT', attributes: { 'db.system.name': 'postgresql', 'db.collection.name': target.name } },
        () => apply(client, target, request, attempt, prepared, healthy, rejected, lz4),
      );
      for (const [{ batch, line }, reason] of attempt.recount(again)) rejected.push({ batch, line, reason });
      return {
        ...applied,
        rejected: await rejectedRecords(prepared, rejected),
        reached: reachedIn(prepared),
        changes: changesOf(target, before, state),
        misfits: attempt.misfits,
      };
    } catch (error) {
      if (attempt.refused.size > 0) {
        for (const [{ batch, line }, reason] of attempt.refused) rejected.push({ batch, line, reason });
      } else if (attempt.wishes.widen.size > 0 || attempt.wishes.add.size > 0) {
        // Each time a wish is granted or a column fixed, and a column is widened three times at most.
        if (++grown > GROWN_MAX)
          throw new AppError(
            'bug',
            `Schema evolution of table ${target.name} did not converge after ${GROWN_MAX} attempts.`,
          );
        state = await evolveTable(client, target, request.table, state, attempt.wishes, healthy);
        continue;
      } else {
        // Values were checked, so this is a row that PostgreSQL refuses for a reason of its own: find it, load the rest.
        if (!isDataError(error) || healthy.length === 0) throw error;
        const found = await findPoison(client, target, attempt, healthy, lz4);
        if (found === null) throw error;
        rejected.push({
          batch: found.batch,
          line: found.line,
          reason: `refused_by_warehouse: ${(error as { code?: string }).code}`,
        });
      }
      const gone = new Set(rejected.map((r) => `${r.batch}/${r.line}`));
      healthy = healthy.filter((r) => !gone.has(`${r.batch}/${r.line}`));
    }
  }
}

const GROWN_MAX = 20;

/** One try to write the rows, and what stood in its way. */
class Attempt {
  readonly columns: readonly LiveColumn[];
  readonly wishes: Wishes = { widen: new Set(), add: new Map() };
  /** Records that cannot be rows, and why. */
  readonly refused = new Map<Identified, string>();
  readonly #writer: RowWriter;
  readonly #metas: readonly BatchMeta[];

  constructor({ table, policy, prepared: { batches } }: LoadRequest, { columns, fixed, kept }: TableState) {
    this.columns = columns;
    this.#writer = new RowWriter({ table, columns, policy, fixed, kept }, this.wishes);
    this.#metas = batches.map(({ id, extractedAt }) => ({ id, extractedAt: extractedAt.toISOString() }));
  }

  get misfits(): LoadResult['misfits'] {
    return this.#writer.misfits;
  }

  /**
   * Counts the misfits of records that an earlier load has written, whose result may have been lost.
   * @returns those that the earlier load refused, and why.
   */
  recount(records: readonly Identified[]): ReadonlyMap<Identified, string> {
    const refused = new Map<Identified, string>();
    for (const record of records) {
      const reason = this.#writer.write(record, this.#metas[record.batch] as BatchMeta);
      if (reason !== null) refused.set(record, reason);
      this.#writer.out.backTo(0);
    }
    return refused;
  }

  /** Made while they are sent. @throws Error at the end when the table has to change first, or records are refused: nothing of it may stay. */
  async *toRows(records: readonly Identified[]): AsyncGenerator<Buffer> {
    const { out } = this.#writer;
    // What a try that broke off had not sent is not this one's.
    out.backTo(0);
    for (const record of records) {
      const reason = this.#writer.write(record, this.#metas[record.batch] as BatchMeta);
      if (reason !== null) this.refused.set(record, reason);
      if (out.isChunk) yield out.take();
    }
    if (this.refused.size > 0 || this.wishes.widen.size > 0 || this.wishes.add.size > 0)
      throw new Error('to be tried again');
    if (out.length > 0) yield out.take();
  }
}

/** The transaction. Returns what was done with each batch: now, or when it was applied before. */
async function apply(
  client: ClientBase,
  target: Target,
  request: LoadRequest,
  attempt: Attempt,
  prepared: Prepared,
  records: readonly Identified[],
  rejected: readonly Rejected[],
  lz4: boolean,
): Promise<
  Pick<LoadResult, 'batches' | 'suspects' | 'notBelieved' | 'doubted' | 'completion'> & {
    readonly again: readonly Identified[];
  }
> {
  const s = quote(target.schema);
  const { columns } = attempt;
  await client.query('begin');
  try {
    await client.query(SESSION + (lz4 ? 'set local default_toast_compression = lz4;' : ''));
    // The fence: its row lock also makes the loaders of one table wait for each other.
    await client.query(`insert into ${s}._freshet_objects (table_name) values ($1) on conflict do nothing`, [
      target.name,
    ]);
    const fence = await client.query<{
      complete_as_of: Date | null;
      complete_back_to: Date | null;
      history: boolean;
      rewrite_before: string | null;
    }>(
      `update ${s}._freshet_objects set epoch = $2,
         -- By the warehouse's clock, as the rows' own times.
         rewrite_before = case when $3::timestamptz is distinct from restarted_at and $3 is not null then now() else rewrite_before end,
         restarted_at = coalesce($3, restarted_at)
       where table_name = $1 and epoch <= $2 returning complete_as_of, complete_back_to, history, rewrite_before::text`,
      [target.name, request.epoch, request.restartedAt],
    );
    const [held] = fence.rows;
    if (!held) {
      const { rows } = await client.query<{ epoch: string }>(
        `select epoch from ${s}._freshet_objects where table_name = $1`,
        [target.name],
      );
      throw fenced(target, Number(rows[0]?.epoch));
    }

    if (held.history !== request.history) await switchHistory(client, target, request);

    const rejectedIn = new Array<number>(request.prepared.batches.length).fill(0);
    for (const { batch } of rejected) rejectedIn[batch] = (rejectedIn[batch] as number) + 1;
    const fresh = await client.query<{ batch_id: string }>(
      `insert into ${s}._freshet_batches (batch_id, table_name, epoch, extracted_at, records, rejected)
       select b.id, $1, $2, b.extracted_at, b.records, b.rejected
       from unnest($3::uuid[], $4::timestamptz[], $5::bigint[], $6::bigint[]) as b(id, extracted_at, records, rejected)
       on conflict do nothing returning batch_id`,
      [
        target.name,
        request.epoch,
        request.prepared.batches.map((b) => b.id),
        request.prepared.batches.map((b) => b.extractedAt),
        prepared.recordsIn,
        rejectedIn,
      ],
    );
    const freshIds = new Set(fresh.rows.map((r) => r.batch_id));
    const isFresh = ({ batch }: { readonly batch: number }) =>
      freshIds.has((request.prepared.batches[batch] as BatchToLoad).id);
    let notBelieved: LoadResult['notBelieved'] = [];
    let doubted: LoadResult['doubted'] = [];
    if (freshIds.size > 0) {
      const reach = {
        completeAsOf: held.complete_as_of,
        completeBackTo: held.complete_back_to,
        rewriteBefore: held.rewrite_before,
      };
      const toRows = (some: readonly Identified[]) => attempt.toRows(some);
      const { merged, written } = await merge(
        client,
        target,
        request,
        columns,
        reach,
        freshIds.size === request.prepared.batches.length ? records : records.filter(isFresh),
        toRows,
      );
      const marked = await markMissing(client, target, request, columns, prepared, isFresh);
      const { gone } = marked;
      ({ notBelieved, doubted } = marked);
      const isGone = [...gone.values()].some((n) => n > 0);
      if (isGone) await markBelow(client, request);
      if (request.history && (isGone || written.length > 0))
        await keepVersions(client, target, request.table, isGone ? null : written);
      await account(client, target, request, prepared, merged, gone, freshIds);
    }
    if (prepared.reached !== null || prepared.audited !== null) await finishCompletion(client, target);
    const suspects = await findSuspects(client, target, request, columns, prepared);
    const ledger = await client.query<LedgerRow>(
      `select batch_id, records, inserted, updated, unchanged, rejected, deleted, missing, stale from ${s}._freshet_batches where batch_id = any($1::uuid[])`,
      [request.prepared.batches.map((b) => b.id)],
    );
    const { rows: incomplete } = await client.query<{ since: Date; reread: boolean }>(
      `select completing_since as since, reread_needed as reread from ${s}._freshet_objects where table_name = $1 and completing_since is not null`,
      [target.name],
    );
    const completion =
      incomplete.map(({ since, reread }): Completion => ({ since, isRereadNeeded: reread }))[0] ?? null;
    await traced('commit', {}, () => client.query('commit'));
    const batches = ledger.rows.map(({ batch_id, ...counts }) => ({
      batchId: batch_id,
      counts: Object.fromEntries(
        Object.entries(counts).map(([name, n]) => [name, Number(n)]),
      ) as unknown as BatchCounts,
    }));
    const again = freshIds.size === request.prepared.batches.length ? [] : records.filter((record) => !isFresh(record));
    return { batches, suspects, notBelieved, doubted, completion, again };
  } catch (error) {
    await client.query('rollback').catch(() => {
      // The connection is gone, and the transaction with it; the first error says why.
    });
    throw error;
  }
}

/** @param epoch whose the table is: a claim that is to load it needs a greater one. */
export function fenced({ name }: Target, epoch: number): AppError {
  return new AppError('fenced', `Another worker has taken ${name} over.`, { context: { epoch } });
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
  request: LoadRequest,
  prepared: Prepared,
  merged: readonly Merged[],
  gone: ReadonlyMap<string, number>,
  freshIds: ReadonlySet<string>,
): Promise<void> {
  const s = quote(target.schema);
  const ids = [...freshIds];
  const places = new Map(request.prepared.batches.map((b, i) => [b.id, i]));
  const of = (id: string) => merged[places.get(id) as number] as Merged;
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
      prepared.reached?.complete_as_of ?? null,
      prepared.reached?.complete_back_to ?? null,
      prepared.reached?.run_id ?? null,
      prepared.audited?.at ?? null,
    ],
  );
}

function reachedIn({ reached }: Prepared): LoadResult['reached'] {
  if (reached === null) return null;
  const time = (text: string | null) => (text === null ? null : new Date(text));
  return { completeAsOf: time(reached.complete_as_of), completeBackTo: time(reached.complete_back_to) };
}

async function rejectedRecords({ batches }: Prepared, rejected: readonly Rejected[]): Promise<RejectedRecord[]> {
  const records: RejectedRecord[] = [];
  for (const [place, batch] of batches.entries()) {
    const own = rejected.filter((r) => r.batch === place);
    if (own.length === 0) continue;
    const texts = await linesOf(batch, new Set(own.map((r) => r.line)));
    records.push(...own.map(({ line, reason }) => ({ batchId: batch.id, line, reason, raw: texts.get(line) ?? '' })));
  }
  return records;
}

function isDataError(error: unknown): boolean {
  const code = String((error as { code?: unknown }).code ?? '');
  return code.startsWith('22') || code.startsWith('54') || code.startsWith('23');
}

/** The first record that PostgreSQL refuses to stage, by halving; each trial is rolled back. */
async function findPoison(
  client: ClientBase,
  target: Target,
  attempt: Attempt,
  records: readonly Identified[],
  lz4: boolean,
): Promise<Identified | null> {
  const names = [...attempt.columns.map((c) => quote(c.name)), ...WRITTEN_META].join(', ');
  const refused = async (some: readonly Identified[]): Promise<boolean> => {
    await client.query('begin');
    try {
      await client.query(SESSION + (lz4 ? 'set local default_toast_compression = lz4;' : ''));
      await client.query(`create temp table freshet_trial (like ${target.sql} including constraints) on commit drop`);
      await copyBytes(client, `copy freshet_trial (${names}) from stdin`, attempt.toRows(some));
      return false;
    } catch (error) {
      if (!isDataError(error)) throw error;
      return true;
    } finally {
      await client.query('rollback');
    }
  };
  let suspects = records;
  if (!(await refused(suspects))) return null;
  while (suspects.length > 1) {
    const half = suspects.slice(0, Math.ceil(suspects.length / 2));
    suspects = (await refused(half)) ? half : suspects.slice(half.length);
  }
  return suspects[0] ?? null;
}
