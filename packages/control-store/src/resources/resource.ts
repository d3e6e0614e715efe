import { AppError } from '@freshet/contracts';
import { and, eq, sql } from 'drizzle-orm';
import { getTableConfig, type PgColumn, type PgTable } from 'drizzle-orm/pg-core';
import { columnsOf, type Database, type Fragment, type Sql } from '../database/database.ts';
import { decodeCursor, type List, type ListOptions, toList } from '../database/pagination.ts';

/** A table of the API's resources: what every one of them can do, in one place. */
export type ResourceTable = PgTable & {
  readonly id: PgColumn;
  readonly version: PgColumn;
  readonly updated_at: PgColumn;
};

/*
 * Reading goes by SQL of its own: building a statement takes drizzle longer than PostgreSQL needs to answer it
 * (bench/src/api.ts), and these are what most requests do.
 */

export async function findResource<T extends ResourceTable>(
  sql: Sql,
  table: T,
  kind: string,
  id: string,
): Promise<T['$inferSelect']> {
  const [row] = await sql`select ${columnsOf(sql, table)} from ${sql(nameOf(table))} where id = ${id}`;
  if (!row) throw new AppError('not_found', `There is no ${kind} ${id}.`);
  return row as T['$inferSelect'];
}

/** @param filter columns and what they must be; those that are undefined may be anything. */
export async function listResources<T extends ResourceTable>(
  sql: Sql,
  table: T,
  { limit, cursor }: ListOptions,
  filter: { readonly [C in keyof T['$inferSelect']]?: string | undefined } = {},
): Promise<List<T['$inferSelect'] & { id: string }>> {
  const asked = Object.entries(filter).filter(([, value]) => value !== undefined) as [string, string][];
  const where = asked.reduce<Fragment>((so, [column, value]) => sql`${so} and ${sql(column)} = ${value}`, sql`true`);
  const rows = await sql<(T['$inferSelect'] & { id: string })[]>`
    select ${columnsOf(sql, table)} from ${sql(nameOf(table))} where ${where} ${cursor === null ? sql`` : sql`and id < ${decodeCursor(cursor)}`}
    order by id desc limit ${limit + 1}`;
  return toList(rows, limit);
}

function nameOf(table: PgTable): string {
  return `freshet.${getTableConfig(table).name}`;
}

/**
 * @param expected the version that the caller has seen; null: any.
 * @throws AppError `precondition_failed` when somebody else has changed it since.
 */
export async function changeResource<T extends ResourceTable>(
  db: Database,
  table: T,
  kind: string,
  id: string,
  changes: Partial<T['$inferInsert']>,
  expected: number | null,
): Promise<T['$inferSelect']> {
  const [row] = (await db
    .update(table as PgTable)
    .set({ ...changes, version: sql`${table.version} + 1`, updated_at: sql`now()` })
    .where(and(eq(table.id, id), expected === null ? undefined : eq(table.version, expected)))
    .returning()) as T['$inferSelect'][];
  if (row) return row;
  throw await refusal(db, table, kind, id);
}

/** The same for deleting. */
export async function deleteResource<T extends ResourceTable>(
  db: Database,
  table: T,
  kind: string,
  id: string,
  expected: number | null,
): Promise<void> {
  const deleted = await db
    .delete(table as PgTable)
    .where(and(eq(table.id, id), expected === null ? undefined : eq(table.version, expected)))
    .returning({ id: table.id });
  if (deleted.length > 0) return;
  throw await refusal(db, table, kind, id);
}

/** Why nothing was changed: it is not there, or somebody was faster. */
async function refusal(db: Database, table: ResourceTable, kind: string, id: string): Promise<AppError> {
  const [row] = await db
    .select({ id: table.id })
    .from(table as PgTable)
    .where(eq(table.id, id));
  if (!row) return new AppError('not_found', `There is no ${kind} ${id}.`);
  return new AppError(
    'precondition_failed',
    `The ${kind} has been changed since; read it again and repeat what you want.`,
  );
}

const UNIQUE_VIOLATION = '23505';
const FOREIGN_KEY_VIOLATION = '23503';

/** @param conflicts constraint name → what to say about it. */
export async function refuseConflicts<T>(work: Promise<T>, conflicts: Readonly<Record<string, AppError>>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const { code, constraint_name: constraint = '' } = ((error as { cause?: unknown }).cause ?? error) as {
      code?: string;
      constraint_name?: string;
    };
    const said = conflicts[constraint];
    if ((code === UNIQUE_VIOLATION || code === FOREIGN_KEY_VIOLATION) && said) throw said;
    throw error;
  }
}
