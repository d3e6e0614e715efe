import { AppError } from '@freshet/contracts';
import type postgres from 'postgres';
import { type Names, quote } from '../sql.ts';
import { CHANGED_TICKETS } from './bookkeeping.ts';

/** The tables whose changes make a refresh recompute tickets, with the column of the ticket. */
const TRACKED_TABLES = [
  { table: 'tickets', column: 'id' },
  { table: 'conversations', column: 'ticket_id' },
  { table: 'satisfaction_ratings', column: 'ticket_id' },
  { table: 'time_entries', column: 'ticket_id' },
  { table: 'ticket_activities', column: 'ticket_id' },
] as const;

const EVENTS = [
  { event: 'insert', referencing: 'new table as changed_rows' },
  { event: 'update', referencing: 'new table as changed_rows old table as former_rows' },
  { event: 'delete', referencing: 'old table as changed_rows' },
  { event: 'truncate', referencing: null },
] as const;

type Event = (typeof EVENTS)[number]['event'];

/**
 * Creates the triggers that record the ids of changed tickets. A trigger function runs with the
 * rights of its owner, so that everyone who can write to a table can still do so.
 * @returns whether a trigger was created, so that earlier changes were not recorded.
 */
export async function createChangeTracking(sql: postgres.TransactionSql, names: Names): Promise<boolean> {
  let isNew = false;
  for (const { table, column } of TRACKED_TABLES) {
    for (const { event, referencing } of EVENTS) {
      if ((await findTable(sql, names, table)) === 'missing' || (await hasTrigger(sql, names, table, event))) continue;
      await checkPrivilege(sql, names, table);
      await sql.unsafe(buildFunction(names, column, event));
      await sql.unsafe(
        `create or replace trigger ${quote(toTriggerName(event))} after ${event} on ${names.source(table)}
         ${referencing === null ? '' : `referencing ${referencing}`}
         for each statement execute function ${getFunction(names, column, event)}()`,
      );
      isNew = true;
    }
  }
  return isNew;
}

/** Drops the triggers and their functions. */
export async function dropChangeTracking(sql: postgres.TransactionSql, names: Names): Promise<void> {
  for (const { table } of TRACKED_TABLES) {
    for (const { event } of EVENTS)
      if ((await findTable(sql, names, table)) === 'present' && (await hasTrigger(sql, names, table, event)))
        await sql.unsafe(`drop trigger ${quote(toTriggerName(event))} on ${names.source(table)}`);
  }
  for (const column of new Set(TRACKED_TABLES.map((tracked) => tracked.column)))
    for (const { event } of EVENTS) await sql.unsafe(`drop function if exists ${getFunction(names, column, event)}()`);
}

function toTriggerName(event: Event): string {
  return `_freshet_analytics_${event}`;
}

function getFunction(names: Names, column: string, event: Event): string {
  return names.relation(`_freshet_track_${column}_${event}`);
}

function buildFunction(names: Names, column: string, event: Event): string {
  const select = (rows: string) => `select c.${quote(column)} from ${rows} c where c.${quote(column)} is not null`;
  const ids = {
    insert: `select distinct i.* from (${select('changed_rows')}) i`,
    update: `${select('changed_rows')} union ${select('former_rows')}`,
    delete: `select distinct i.* from (${select('changed_rows')}) i`,
    truncate: 'values (null::bigint)',
  }[event];
  return `
    create or replace function ${getFunction(names, column, event)}() returns trigger
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $track$
    begin
      insert into ${names.relation(CHANGED_TICKETS)} (ticket_id) ${ids};
      return null;
    end $track$`;
}

async function findTable(sql: postgres.TransactionSql, names: Names, table: string): Promise<'present' | 'missing'> {
  const rows = await sql`
    select from pg_class where oid = to_regclass(${names.source(table)}) and relkind in ('r', 'p')`;
  return rows.length > 0 ? 'present' : 'missing';
}

async function hasTrigger(sql: postgres.TransactionSql, names: Names, table: string, event: Event): Promise<boolean> {
  const rows = await sql`
    select from pg_trigger t
    where t.tgrelid = to_regclass(${names.source(table)}) and t.tgname = ${toTriggerName(event)}
      and t.tgenabled in ('O', 'A') and t.tgfoid = to_regproc(${getFunction(names, getColumn(table), event)})`;
  return rows.length > 0;
}

function getColumn(table: string): string {
  return TRACKED_TABLES.find((tracked) => tracked.table === table)?.column as string;
}

async function checkPrivilege(sql: postgres.TransactionSql, names: Names, table: string): Promise<void> {
  const relation = names.source(table);
  const [access] = await sql<{ role: string; allowed: boolean }[]>`
    select current_user as role,
      has_table_privilege(${relation}, 'TRIGGER') and has_table_privilege(${relation}, 'SELECT') as allowed`;
  if (access?.allowed === false)
    throw new AppError(
      'warehouse_permission',
      `The warehouse role cannot record the changes of the table ${relation}. Run: GRANT SELECT, TRIGGER ON ${relation} TO ${quote(access.role)};`,
    );
}
