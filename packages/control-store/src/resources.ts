import { AppError } from '@freshet/contracts';
import { and, desc, eq, lt, type SQL, sql } from 'drizzle-orm';
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';
import type { Database } from './database.ts';
import { decodeCursor, type List, type ListOptions, toList } from './page-lists.ts';

/** A table of the API's resources: what every one of them can do, in one place. */
export type ResourceTable = PgTable & { readonly id: PgColumn; readonly version: PgColumn; readonly updated_at: PgColumn };

export async function findResource<T extends ResourceTable>(db: Database, table: T, kind: string, id: string): Promise<T['$inferSelect']> {
  const [row] = await db
    .select()
    .from(table as PgTable)
    .where(eq(table.id, id));
  if (!row) throw new AppError('not_found', `There is no ${kind} ${id}.`);
  return row as T['$inferSelect'];
}

export async function listResources<T extends ResourceTable>(
  db: Database,
  table: T,
  options: ListOptions,
  where?: SQL,
): Promise<List<T['$inferSelect'] & { id: string }>> {
  const rows = await db
    .select()
    .from(table as PgTable)
    .where(and(where, options.cursor === null ? undefined : lt(table.id, decodeCursor(options.cursor))))
    .orderBy(desc(table.id))
    .limit(options.limit + 1);
  return toList(rows as (T['$inferSelect'] & { id: string })[], options.limit);
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
  await findResource(db, table, kind, id);
  throw new AppError('precondition_failed', `The ${kind} has been changed since; read it again and repeat the change.`);
}

/** The same for deleting. */
export async function deleteResource<T extends ResourceTable>(db: Database, table: T, kind: string, id: string, expected: number | null): Promise<void> {
  const deleted = await db
    .delete(table as PgTable)
    .where(and(eq(table.id, id), expected === null ? undefined : eq(table.version, expected)))
    .returning({ id: table.id });
  if (deleted.length > 0) return;
  await findResource(db, table, kind, id);
  throw new AppError('precondition_failed', `The ${kind} has been changed since; read it again before you delete it.`);
}

const UNIQUE_VIOLATION = '23505';
const FOREIGN_KEY_VIOLATION = '23503';

/** @param conflicts constraint name → what to say about it. */
export async function refuseConflicts<T>(work: Promise<T>, conflicts: Readonly<Record<string, AppError>>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const { code, constraint_name: constraint = '' } = ((error as { cause?: unknown }).cause ?? error) as { code?: string; constraint_name?: string };
    const said = conflicts[constraint];
    if ((code === UNIQUE_VIOLATION || code === FOREIGN_KEY_VIOLATION) && said) throw said;
    throw error;
  }
}
