import type postgres from 'postgres';
import type { Definition, Definitions } from '../install/definitions.ts';
import type { InstallPlan } from '../install/plan.ts';
import type { WarehouseTables } from '../models/warehouse-tables.ts';
import type { Names } from '../sql.ts';
import {
  collectChangedDays,
  collectMonthDays,
  REFRESHED_DAYS,
  REFRESHED_TICKETS,
  type RecordedChanges,
  rememberFacts,
} from './changes.ts';
import type { ModelWriter } from './tables.ts';

interface RecomputeInput {
  readonly definitions: Definitions;
  readonly plan: InstallPlan;
  readonly writer: ModelWriter;
  readonly tables: WarehouseTables;
  readonly changes: RecordedChanges;
  /** The first day that the previous refresh covered; null: none. */
  readonly firstDay: string | null;
  /** The calendar of the previous refresh; null: none. */
  readonly calendar: string | null;
  readonly mustRebuild: boolean;
}

export interface Recomputation {
  readonly mode: 'rebuilt' | 'refreshed' | 'unchanged';
  /** The number of tickets whose rows were computed. */
  readonly tickets: number;
  readonly firstDay: string;
  /** Identifies the days and the time zones from which models with `isCalendar` are computed. */
  readonly calendar: string;
}

/**
 * If at least this part of the tickets has changed, computing all tickets takes less time than
 * replacing the rows of the changed tickets.
 */
const REBUILD_PART = 0.3;
/** Below this number of changed tickets, their rows are always replaced. */
const REBUILD_TICKETS_MIN = 20_000;

/** Computes the rows of all models that have to change. */
export async function recompute(
  sql: postgres.TransactionSql,
  names: Names,
  input: RecomputeInput,
): Promise<Recomputation> {
  const { definitions, changes } = input;
  const firstDay = await findFirstDay(sql, input);
  const calendar = await readCalendar(sql, firstDay);
  const state = { ...input, firstDay, hasNewCalendar: calendar !== input.calendar, changedModels: new Set<string>() };
  const lastDay = input.mustRebuild ? null : await readLastDay(sql, names);
  // The warnings also read the rows of tickets, so they come last.
  const isEarly = (definition: Definition) => !readsTickets(definition, definitions.list);
  let needsRebuild = input.mustRebuild || (await isRebuildFaster(sql, names, changes));
  for (const definition of definitions.list.filter(isEarly))
    needsRebuild = (await writeEarly(definition, state)) || needsRebuild;
  const rest = definitions.list.filter((definition) => !isEarly(definition));
  if (needsRebuild) {
    for (const definition of rest) await writeAll(definition, input, firstDay);
    return { mode: 'rebuilt', tickets: await countTickets(sql, names), firstDay, calendar };
  }
  for (const definition of rest.filter(({ model }) => model.materialized === 'view'))
    await writeView(definition, input);
  const days = await replaceChangedRows(sql, names, input, { rest, lastDay });
  for (const definition of rest.filter(({ model }) => model.materialized === 'table'))
    await writeEarly(definition, state);
  return {
    mode: changes.count > 0 || days > 0 ? 'refreshed' : 'unchanged',
    tickets: changes.count,
    firstDay,
    calendar,
  };
}

/** The state of a refresh while small tables are computed. */
interface EarlyState extends RecomputeInput {
  readonly firstDay: string;
  readonly hasNewCalendar: boolean;
  /** The names of the tables whose rows have changed. */
  readonly changedModels: Set<string>;
}

/** Writes a view, or a small table. @returns whether all tickets must be recomputed. */
async function writeEarly(definition: Definition, input: EarlyState): Promise<boolean> {
  const { model } = definition;
  if (model.materialized === 'view') {
    await writeView(definition, input);
    return false;
  }
  const action = input.plan.actions.get(model.name) ?? 'create';
  if (action === 'keep') {
    if (isCurrent(definition, input)) return false;
    if (!(await input.writer.updateSmallTable(definition, input.firstDay))) return false;
  } else await input.writer.writeTable(definition, action, input.firstDay);
  input.changedModels.add(model.name);
  return model.affectsTickets;
}

/** Whether the rows of a table are known to be up to date without being computed. */
function isCurrent({ model }: Definition, { mustRebuild, hasNewCalendar, changedModels }: EarlyState): boolean {
  if (mustRebuild || hasNewCalendar || !model.isCalendar) return false;
  return !model.references.some((name) => changedModels.has(name));
}

async function writeView(definition: Definition, { plan, writer }: RecomputeInput): Promise<void> {
  if (plan.actions.get(definition.model.name) !== 'keep') await writer.writeView(definition);
}

async function writeAll(definition: Definition, input: RecomputeInput, firstDay: string): Promise<void> {
  const { model } = definition;
  if (model.materialized === 'view') await writeView(definition, input);
  else await input.writer.writeTable(definition, input.plan.actions.get(model.name) ?? 'create', firstDay);
}

/**
 * Replaces the rows of changed tickets, and then those of changed days.
 * @returns the number of changed days.
 */
async function replaceChangedRows(
  sql: postgres.TransactionSql,
  names: Names,
  { changes, writer }: RecomputeInput,
  { rest, lastDay }: { readonly rest: readonly Definition[]; readonly lastDay: string | null },
): Promise<number> {
  await rememberFacts(sql, names);
  const selection = { changedTickets: REFRESHED_TICKETS, changedDays: null, firstDay: null };
  if (changes.count > 0)
    for (const definition of rest.filter(({ model }) => model.refresh === 'ticket'))
      await writer.replaceRows(definition, selection);
  const days = await collectChangedDays(sql, names, lastDay);
  if (days === 0) return 0;
  const monthDays = await collectMonthDays(sql);
  for (const definition of rest.filter(({ model }) => model.refresh === 'day'))
    await writer.replaceRows(definition, { changedTickets: null, changedDays: REFRESHED_DAYS, firstDay: null });
  for (const definition of rest.filter(({ model }) => model.refresh === 'month'))
    await writer.replaceRows(definition, { changedTickets: null, changedDays: monthDays, firstDay: null });
  return days;
}

/** Whether a model reads the rows of tickets, directly or through other models. */
function readsTickets({ model }: Definition, definitions: readonly Definition[]): boolean {
  if (model.materialized === 'incremental') return true;
  return definitions
    .filter((candidate) => model.references.includes(candidate.model.name))
    .some((candidate) => readsTickets(candidate, definitions));
}

/** Finds the first day of the year of the oldest ticket, as `YYYY-MM-DD`. */
async function findFirstDay(
  sql: postgres.TransactionSql,
  { tables, changes, firstDay, mustRebuild }: RecomputeInput,
): Promise<string> {
  const tickets = tables.buildRelation('tickets');
  const isComplete = mustRebuild || firstDay === null;
  const [row] =
    isComplete || changes.count > 0
      ? await sql.unsafe<{ day: string | null }[]>(
          `select date_trunc('year', min(coalesce(t.created_at, t.updated_at)))::date::text as day from ${tickets} t
           ${isComplete ? '' : `where t.id in (select ticket_id from ${REFRESHED_TICKETS})`}`,
        )
      : [];
  const days = [row?.day, isComplete ? null : firstDay].filter((day): day is string => typeof day === 'string');
  return days.sort()[0] ?? `${new Date().getUTCFullYear()}-01-01`;
}

/** The release of the server is part of the calendar, because it can change the time zones. */
async function readCalendar(sql: postgres.TransactionSql, firstDay: string): Promise<string> {
  const [row] = await sql.unsafe<{ today: string }[]>(
    `select concat_ws(' ', now()::date, current_setting('server_version')) as today`,
  );
  return `${firstDay} ${row?.today}`;
}

async function readLastDay(sql: postgres.TransactionSql, names: Names): Promise<string | null> {
  const [row] = await sql.unsafe<{ day: string | null }[]>(
    `select max(day)::text as day from ${names.relation('account_days')}`,
  );
  return row?.day ?? null;
}

async function isRebuildFaster(
  sql: postgres.TransactionSql,
  names: Names,
  { count }: RecordedChanges,
): Promise<boolean> {
  if (count < REBUILD_TICKETS_MIN) return false;
  return count > REBUILD_PART * (await countTickets(sql, names));
}

async function countTickets(sql: postgres.TransactionSql, names: Names): Promise<number> {
  const [row] = await sql.unsafe<{ count: string }[]>(
    `select count(*) as count from ${names.relation('ticket_metrics')}`,
  );
  return Number(row?.count);
}
