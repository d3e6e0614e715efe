import type { Sql } from './database.ts';

/** Days for which there is a partition before they come: so long may there be no scheduler. Later batches go where those of all other days are. */
const DAYS_AHEAD = 7;
/** Making and dropping one locks the whole table for a moment; who cannot have it tries again the next time. */
const LOCK_TIMEOUT = '2s';
const LOCK_NOT_AVAILABLE = '55P03';
/** Batches of that day are where those of all other days are: it stays so. */
const CHECK_VIOLATION = '23514';
/** Another scheduler has just made it. */
const DUPLICATES = ['42P07', '23505'];
const DAY_MS = 86_400_000;

/**
 * Makes the partitions of the days that come, and drops those of which nothing is needed: deleting so much row by row would leave its room to
 * be found, and a disk that a first sync has filled would stay as full.
 * @param olderThanDays what was loaded later than this is needed, as is what was not loaded, and what belongs to an open run.
 * @returns how many were dropped.
 */
export async function keepBatchPartitions(sql: Sql, olderThanDays: number): Promise<number> {
  const known = await sql<{ name: string }[]>`
    select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = 'freshet.batches'::regclass order by 1`;
  const names = new Set(known.map(({ name }) => name));
  const today = Math.floor(Date.now() / DAY_MS);
  for (let n = 0; n <= DAYS_AHEAD; n++) {
    const day = today + n;
    if (!names.has(nameOf(day))) {
      await changed(
        sql,
        `create table if not exists freshet.${nameOf(day)} partition of freshet.batches for values from ('${dateOf(day)}') to ('${dateOf(day + 1)}')`,
      );
    }
  }
  let dropped = 0;
  for (const name of names) {
    const day = dayOf(name);
    if (day === null || day >= today - olderThanDays) continue;
    const [needed] = await sql`
      select 1 from freshet.batches b where stored_on = ${dateOf(day)} and (
        loaded_at is null or loaded_at > now() - make_interval(days => ${olderThanDays})
        or exists (select from freshet.object_runs o where o.id = b.object_run_id and o.status in ('queued', 'running', 'waiting_for_credits'))
      ) limit 1`;
    if (!needed && (await changed(sql, `drop table if exists freshet.${name}`))) dropped += 1;
  }
  return dropped;
}

async function changed(sql: Sql, statement: string): Promise<boolean> {
  try {
    await sql.begin(async (tx) => {
      await tx.unsafe(`set local lock_timeout = '${LOCK_TIMEOUT}'`);
      await tx.unsafe(statement);
    });
    return true;
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === LOCK_NOT_AVAILABLE || code === CHECK_VIOLATION || DUPLICATES.includes(code ?? '')) return false;
    throw error;
  }
}

/** Null: it is not of one day. */
function dayOf(name: string): number | null {
  const [, year, month, day] = /^batches_(\d{4})(\d{2})(\d{2})$/.exec(name) ?? [];
  return year === undefined ? null : Date.parse(`${year}-${month}-${day}`) / DAY_MS;
}

const dateOf = (day: number) => new Date(day * DAY_MS).toISOString().slice(0, 10);
const nameOf = (day: number) => `batches_${dateOf(day).replaceAll('-', '')}`;
