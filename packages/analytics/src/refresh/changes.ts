import type postgres from 'postgres';
import { CHANGED_TICKETS } from '../install/bookkeeping.ts';
import type { Names } from '../sql.ts';

/** Temporary tables of a refresh. */
export const REFRESHED_TICKETS = 'pg_temp._freshet_tickets';
export const REFRESHED_DAYS = 'pg_temp._freshet_days';
const REFRESHED_MONTH_DAYS = 'pg_temp._freshet_month_days';
const FACTS_BEFORE = 'pg_temp._freshet_facts_before';
// PostgreSQL evaluates this condition in each part of the view, and a join only on all of its rows.
const IS_REFRESHED = `ticket_id = any (array(select ticket_id from ${REFRESHED_TICKETS}))`;

export interface RecordedChanges {
  /** The number of changed tickets. */
  readonly count: number;
  /** All tickets may have changed. */
  readonly hasEverything: boolean;
}

/**
 * Moves the recorded ids of changed tickets to a temporary table. Changes that commit after the
 * snapshot of this transaction stay recorded for the next refresh.
 */
export async function takeChangedTickets(sql: postgres.TransactionSql, names: Names): Promise<RecordedChanges> {
  await sql.unsafe('create temp table _freshet_tickets (ticket_id bigint primary key) on commit drop');
  const [row] = await sql.unsafe<{ count: string; has_everything: boolean }[]>(
    `with taken as (delete from ${names.relation(CHANGED_TICKETS)} returning ticket_id),
     ids as (
       insert into ${REFRESHED_TICKETS} select distinct ticket_id from taken where ticket_id is not null returning 1
     )
     select (select count(*) from ids) as count, exists (select from taken where ticket_id is null) as has_everything`,
  );
  await sql.unsafe(`analyze ${REFRESHED_TICKETS}`);
  return { count: Number(row?.count), hasEverything: row?.has_everything === true };
}

/** Stores the facts of the changed tickets before they are recomputed. */
export async function rememberFacts(sql: postgres.TransactionSql, names: Names): Promise<void> {
  await sql.unsafe(
    `create temp table _freshet_facts_before on commit drop as
     select * from ${names.relation('ticket_day_facts')} where ${IS_REFRESHED}`,
  );
}

/**
 * Collects the days with facts that differ from the remembered facts, and the days since
 * `lastDay`, in a temporary table.
 * @returns the number of days.
 */
export async function collectChangedDays(
  sql: postgres.TransactionSql,
  names: Names,
  lastDay: string | null,
): Promise<number> {
  const facts = `select ticket_id, day, fact from ${names.relation('ticket_day_facts')}
    where ${IS_REFRESHED}`;
  const before = `select ticket_id, day, fact from ${FACTS_BEFORE}`;
  await sql.unsafe('create temp table _freshet_days (day date primary key) on commit drop');
  const { count } = await sql.unsafe(
    `insert into ${REFRESHED_DAYS}
     select day from (
       (${before} except all ${facts}) union all (${facts} except all ${before})
     ) f where day is not null
     union
     select day from ${names.relation('account_days')} where day > $1::date`,
    [lastDay ?? 'infinity'],
  );
  await sql.unsafe(`analyze ${REFRESHED_DAYS}`);
  return count;
}

/** Collects all days of the months that contain changed days. @returns the table of these days. */
export async function collectMonthDays(sql: postgres.TransactionSql): Promise<string> {
  await sql.unsafe(
    `create temp table _freshet_month_days on commit drop as
     select (m.month + n)::date as day
     from (select distinct date_trunc('month', day)::date as month from ${REFRESHED_DAYS}) m
     cross join lateral generate_series(0, (m.month + interval '1 month')::date - m.month - 1) n`,
  );
  await sql.unsafe(`analyze ${REFRESHED_MONTH_DAYS}`);
  return REFRESHED_MONTH_DAYS;
}
