import type { Sql } from './database.ts';

/**
 * The number of days for which partitions are created in advance. If no scheduler runs for longer
 * than this, new batches are stored in the default partition.
 */
const DAYS_AHEAD = 7;
/**
 * The longest time that creating or dropping a partition waits for the lock on the table. If the
 * lock is not available, the next call tries again.
 */
const LOCK_TIMEOUT = '2s';
const LOCK_NOT_AVAILABLE = '55P03';
/**
 * The error code when a partition cannot be created because the default partition contains batches
 * of its day.
 */
const CHECK_VIOLATION = '23514';
/** The error codes when another scheduler has just created the partition. */
const DUPLICATES = ['42P07', '23505'];
const DAY_MS = 86_400_000;

/**
 * Creates the partitions of the coming days, and drops old partitions. Dropping a partition returns
 * its disk space to the operating system, but deleting rows would not.
 * @param olderThanDays the partitions of the last `olderThanDays` days are retained. An older
 * partition is retained if a batch in it is pending, was loaded within this many days, or belongs
 * to an open object run.
 * @returns the number of dropped partitions.
 */
export async function maintainBatchPartitions(sql: Sql, olderThanDays: number): Promise<number> {
  const partitions = await sql<{ name: string }[]>`
    select c.relname as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'freshet.batches'::regclass order by 1`;
  const names = new Set(partitions.map(({ name }) => name));
  const today = Math.floor(Date.now() / DAY_MS);
  for (let day = today; day <= today + DAYS_AHEAD; day++) {
    const name = toPartitionName(day);
    if (names.has(name)) continue;
    await executeWithLockTimeout(
      sql,
      `create table if not exists freshet.${name} partition of freshet.batches
        for values from ('${toIsoDate(day)}') to ('${toIsoDate(day + 1)}')`,
    );
  }
  let dropped = 0;
  for (const name of names) {
    const day = parseDay(name);
    if (day === null || day >= today - olderThanDays) continue;
    if (await isRequired(sql, day, olderThanDays)) continue;
    if (await executeWithLockTimeout(sql, `drop table if exists freshet.${name}`)) dropped += 1;
  }
  return dropped;
}

/** Whether a batch of the day must be retained. */
async function isRequired(sql: Sql, day: number, olderThanDays: number): Promise<boolean> {
  const [required] = await sql`
    select 1 from freshet.batches b where stored_on = ${toIsoDate(day)} and (
      loaded_at is null or loaded_at > now() - make_interval(days => ${olderThanDays})
      or exists (
        select from freshet.object_runs o
        where o.id = b.object_run_id and o.status in ('queued', 'running', 'waiting_for_credits')
      )
    ) limit 1`;
  return required !== undefined;
}

/**
 * Executes a statement that locks the table.
 * @returns false when the statement could not be executed now, or was not necessary.
 */
async function executeWithLockTimeout(sql: Sql, statement: string): Promise<boolean> {
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

/** Parses the day of a partition from its name, in days since 1970. Null: the default partition. */
function parseDay(name: string): number | null {
  const [, year, month, day] = /^batches_(\d{4})(\d{2})(\d{2})$/.exec(name) ?? [];
  return year === undefined ? null : Date.parse(`${year}-${month}-${day}`) / DAY_MS;
}

const toIsoDate = (day: number): string => new Date(day * DAY_MS).toISOString().slice(0, 10);
const toPartitionName = (day: number): string => `batches_${toIsoDate(day).replaceAll('-', '')}`;
