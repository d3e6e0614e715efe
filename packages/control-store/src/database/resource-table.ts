import { AppError } from '@freshet/contracts';
import { and, eq, getTableName, sql } from 'drizzle-orm';
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';
import type postgres from 'postgres';
import { buildColumnList, type Database, type Fragment, type Sql } from './database.ts';
import { decodeCursor, type List, type ListOptions, toList } from './pagination.ts';

/**
 * A table of API resources: an id, a version that serves as the ETag, and the time of the last
 * update.
 */
export type ResourceTable = PgTable & {
  readonly id: PgColumn;
  readonly version: PgColumn;
  readonly updated_at: PgColumn;
};

/** A kind of API resource. */
export interface ResourceType<T extends ResourceTable> {
  readonly table: T;
  /** The name of the resource in error messages. */
  readonly name: string;
}

/*
 * The functions that get and list resources use plain SQL, because most requests only get or list
 * resources. Drizzle takes longer to build such a statement than PostgreSQL takes to execute it
 * (see bench/src/api.ts).
 */

/** @param sql the client for lookups. @throws AppError `not_found`. */
export async function getResource<T extends ResourceTable>(
  sql: Sql,
  { table, name }: ResourceType<T>,
  id: string,
): Promise<T['$inferSelect']> {
  const [row] = await sql`select ${buildColumnList(sql, table)} from ${getQualifiedName(sql, table)} where id = ${id}`;
  if (!row) throw createNotFoundError(name, id);
  return row as T['$inferSelect'];
}

/**
 * Lists resources, newest first.
 * @param filter column → required value; undefined: any value.
 * @param furtherCondition a further condition that starts with `and`.
 */
export async function listResources<T extends ResourceTable>(
  sql: Sql,
  { table }: ResourceType<T>,
  { limit, cursor }: ListOptions,
  filter: { readonly [C in keyof T['$inferSelect']]?: string | undefined } = {},
  furtherCondition: Fragment = sql``,
): Promise<List<T['$inferSelect'] & { id: string }>> {
  const required = Object.entries(filter).filter(([, value]) => value !== undefined) as [string, string][];
  const condition = required.reduce<Fragment>(
    (conditions, [column, value]) => sql`${conditions} and ${sql(column)} = ${value}`,
    sql`true`,
  );
  const rows = await sql<(T['$inferSelect'] & { id: string })[]>`
    select ${buildColumnList(sql, table)} from ${getQualifiedName(sql, table)}
    where ${condition} ${furtherCondition} ${cursor === null ? sql`` : sql`and id < ${decodeCursor(cursor)}`}
    order by id desc limit ${limit + 1}`;
  return toList(rows, limit);
}

/** Returns the escaped name of a table, with its schema. */
function getQualifiedName(sql: Sql, table: PgTable) {
  const name = qualifiedNames.get(table) ?? sql(`freshet.${getTableName(table)}`);
  qualifiedNames.set(table, name);
  return name;
}

const qualifiedNames = new WeakMap<PgTable, postgres.Helper<string>>();

/**
 * Updates a resource, and increments its version.
 * @param expected the expected version. Null: any.
 * @throws AppError `not_found`, or `precondition_failed` when the version differs.
 */
export async function updateResource<T extends ResourceTable>(
  db: Database,
  { table, name }: ResourceType<T>,
  id: string,
  { changes, expected }: { readonly changes: Partial<T['$inferInsert']>; readonly expected: number | null },
): Promise<T['$inferSelect']> {
  const [row] = (await db
    .update(table as PgTable)
    .set({ ...changes, version: sql`${table.version} + 1`, updated_at: sql`now()` })
    .where(and(eq(table.id, id), expected === null ? undefined : eq(table.version, expected)))
    .returning()) as T['$inferSelect'][];
  if (row) return row;
  throw await createMismatchError(db, { table, name }, id);
}

/**
 * Deletes a resource.
 * @param expected the expected version. Null: any.
 * @throws AppError `not_found`, or `precondition_failed` when the version differs.
 */
export async function deleteResource<T extends ResourceTable>(
  db: Database,
  { table, name }: ResourceType<T>,
  id: string,
  expected: number | null,
): Promise<void> {
  const deleted = await db
    .delete(table as PgTable)
    .where(and(eq(table.id, id), expected === null ? undefined : eq(table.version, expected)))
    .returning({ id: table.id });
  if (deleted.length > 0) return;
  throw await createMismatchError(db, { table, name }, id);
}

/**
 * Creates the error for a statement that matched no row: the resource does not exist, or its
 * version differs.
 */
async function createMismatchError<T extends ResourceTable>(
  db: Database,
  { table, name }: ResourceType<T>,
  id: string,
): Promise<AppError> {
  const [row] = await db
    .select({ id: table.id })
    .from(table as PgTable)
    .where(eq(table.id, id));
  if (!row) return createNotFoundError(name, id);
  return new AppError(
    'precondition_failed',
    `The ${name} was changed in the meantime. Get its current version and repeat the request.`,
  );
}

function createNotFoundError(name: string, id: string): AppError {
  return new AppError('not_found', `${name[0]?.toUpperCase()}${name.slice(1)} ${id} does not exist.`);
}

/** Creates the error for a name that another resource of the same kind already has. */
export function createNameConflict(kind: string): AppError {
  return new AppError('conflict', `name is already used by another ${kind}. Choose a different name.`, {
    context: { pointer: '/name' },
  });
}

const UNIQUE_VIOLATION = '23505';
const FOREIGN_KEY_VIOLATION = '23503';

/**
 * Converts errors about violated unique and foreign key constraints to the given errors.
 * @param errors name of the constraint → error to throw.
 */
export async function mapConstraintErrors<T>(work: Promise<T>, errors: Readonly<Record<string, AppError>>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const { code, constraint_name: constraint = '' } = ((error as { cause?: unknown }).cause ?? error) as {
      code?: string;
      constraint_name?: string;
    };
    const mapped = errors[constraint];
    if ((code === UNIQUE_VIOLATION || code === FOREIGN_KEY_VIOLATION) && mapped) throw mapped;
    throw error;
  }
}
