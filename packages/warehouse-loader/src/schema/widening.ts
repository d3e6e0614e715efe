import type { ColumnType } from '@freshet/contracts';
import type { ClientBase } from 'pg';
import { getErrorCode, SQL_STATES } from '../errors.ts';
import type { WritableColumn } from '../records/writable-columns.ts';
import { quote } from '../sql/identifiers.ts';
import { toQuery } from '../sql/query.ts';
import { type TargetTable, tableExists } from '../sql/target.ts';
import { recordWidening } from './completion.ts';
import {
  type DependentView,
  DependentViewError,
  dropDependentViews,
  readDependentViews,
  recreateDependentViews,
} from './dependent-views.ts';
import { toHistoryColumn, toHistoryTable } from './history-columns.ts';
import type { RefusedWidenings } from './refused-widenings.ts';
import { toCatalogTypeName } from './table-state.ts';
import { runSchemaChange } from './transaction.ts';

/**
 * The maximum size of a table whose columns are widened, and of its history. Widening rewrites both
 * tables. Up to this size, the rewrite of a table takes well under a second. The materialized views
 * that depend on the column have the same limit.
 */
export const REWRITE_BYTES_MAX = 64 * 1024 * 1024;

/**
 * The maximum wait for the lock of a view, or of a table with views. A reader may already read the
 * table when it opens a view that was dropped, so that the two sessions wait for each other. The
 * wait is shorter than the default `deadlock_timeout` (1 second) after which PostgreSQL aborts one
 * of the sessions, so that the widening ends and not the query of the reader.
 */
const VIEW_LOCK_TIMEOUT_MS = 500;

/** The maximum duration of a statement that creates a materialized view with its rows. */
const RECREATION_TIMEOUT_MS = 10_000;

/** Why a column keeps its type: a part of a sentence. */
class WideningRefusal extends Error {}

/**
 * SQLSTATEs of a change of a type that an object other than a view prevents, such as a policy, a
 * generated column or the expression of an index.
 */
const OBJECT_ERRORS: ReadonlySet<string> = new Set([
  SQL_STATES.featureNotSupported,
  SQL_STATES.cannotCoerce,
  SQL_STATES.undefinedFunction,
  SQL_STATES.ambiguousFunction,
  SQL_STATES.datatypeMismatch,
]);

export interface Widening {
  readonly target: TargetTable;
  readonly column: WritableColumn;
  readonly type: ColumnType;
  readonly refusedWidenings: RefusedWidenings;
}

/**
 * Widens a column of the table and of its history, in one short transaction. Views that depend on
 * the column are dropped and created again in the same transaction, so that readers see the views
 * either with the old type or with the new type.
 * @returns null, or the reason for which the column keeps its type: the table is too large, or an
 *   object of a user depends on the column and does not work with the new type.
 * @throws Error `warehouse_busy` if the column has no views and the table cannot be locked.
 */
export async function widenColumn(client: ClientBase, widening: Widening): Promise<string | null> {
  const { target, column, type, refusedWidenings } = widening;
  if ((await getTableBytes(client, target)) > REWRITE_BYTES_MAX) return 'the table is larger than 64 MB';
  const key = `${target.sql}.${quote(column.name)} ${type}`;
  let hasViews = false;
  let definitions = '';
  try {
    await runSchemaChange(client, target, async () => {
      // The definitions of views then contain qualified names.
      await client.query('set local search_path = pg_catalog, pg_temp');
      const tables = await listColumns(client, target, column.name);
      const views = await readDependentViews(
        toQuery(client),
        tables.map(({ sql, columnName }) => ({ relation: sql, column: columnName })),
      );
      hasViews = views.length > 0;
      definitions = JSON.stringify(views.map(({ statements }) => statements));
      const refusal = refusedWidenings.find(key, definitions);
      if (refusal !== null) throw new WideningRefusal(refusal);
      if (hasViews) await dropViews(client, views);
      for (const table of tables) await alterColumn(client, table, column, type);
      if (hasViews) {
        await client.query(`set local statement_timeout = ${RECREATION_TIMEOUT_MS}`);
        await recreateDependentViews(toQuery(client), views);
      }
      // PostgreSQL formats times and dates differently from Freshdesk. If they were converted to
      // text, do not store the widening, so that the rows are rewritten.
      if (column.type !== 'timestamptz' && !(column.type === 'date' && type === 'text'))
        await recordWidening(client, target, column.name, toCatalogTypeName(type));
    });
    return null;
  } catch (error) {
    const reason = toRefusal(error, type, hasViews);
    if (reason === null) throw error;
    const isRepeatable = error instanceof DependentViewError || getErrorCode(error) === SQL_STATES.queryCanceled;
    if (hasViews && isRepeatable) refusedWidenings.add(key, definitions, reason);
    return reason;
  }
}

/** Returns the size in bytes of the table or of its history, whichever is larger. */
export async function getTableBytes(client: ClientBase, target: TargetTable): Promise<number> {
  const { rows } = await client.query<{ bytes: string }>(
    'select greatest(pg_total_relation_size($1::regclass), pg_total_relation_size(to_regclass($2))) as bytes',
    [target.sql, toHistoryTable(target).sql],
  );
  return Number(rows[0]?.bytes);
}

async function dropViews(client: ClientBase, views: readonly DependentView[]): Promise<void> {
  const bytes = views.filter(({ isMaterialized }) => isMaterialized).reduce((sum, view) => sum + view.bytes, 0);
  if (bytes > REWRITE_BYTES_MAX)
    throw new WideningRefusal('the materialized views that depend on the column are larger than 64 MB');
  await client.query(`set local lock_timeout = ${VIEW_LOCK_TIMEOUT_MS}`);
  await dropDependentViews(toQuery(client), views);
}

/** Converts an error to the reason for which the column keeps its type. Null: no such reason. */
function toRefusal(error: unknown, type: ColumnType, hasViews: boolean): string | null {
  const code = getErrorCode(error);
  if (error instanceof WideningRefusal) return error.message;
  if (error instanceof DependentViewError)
    return `the view ${error.view} cannot be created again with the type ${type} (${error.message})`;
  if (OBJECT_ERRORS.has(code)) return `an object depends on the column (${(error as Error).message})`;
  if (!hasViews) return null;
  if (code === SQL_STATES.queryCanceled)
    return 'a materialized view that depends on the column takes too long to compute';
  const isLocked = code === SQL_STATES.lockNotAvailable || code === SQL_STATES.deadlockDetected;
  return isLocked ? 'another session uses the table or a view that depends on the column' : null;
}

/** The column of the table or of its history. */
interface TableColumn {
  /** The qualified, quoted name of the table or of its history. */
  readonly sql: string;
  /** The unquoted name of the column in that table. */
  readonly columnName: string;
  readonly isHistory: boolean;
}

async function listColumns(client: ClientBase, target: TargetTable, name: string): Promise<TableColumn[]> {
  const table = { sql: target.sql, columnName: name, isHistory: false };
  const history = toHistoryTable(target).sql;
  if (!(await tableExists(client, history))) return [table];
  return [table, { sql: history, columnName: toHistoryColumn(name), isHistory: true }];
}

async function alterColumn(
  client: ClientBase,
  table: TableColumn,
  { name, type: oldType, path }: WritableColumn,
  type: ColumnType,
): Promise<void> {
  const column = quote(table.columnName);
  const value =
    oldType === 'date' && type === 'timestamptz' ? `${column}::timestamp at time zone 'UTC'` : `${column}::${type}`;
  await client.query(`alter table ${table.sql} alter column ${column} type ${type} using ${value}`);
  await restoreExtraValues(client, table, { column, name, field: path.join('.'), type });
}

interface WidenedColumn {
  /** The quoted name of the column. */
  readonly column: string;
  /** The unquoted name of the column in the table, as in `_freshet_notes`. */
  readonly name: string;
  /** The path of the field, joined with dots, as in `_freshet_extra`. */
  readonly field: string;
  readonly type: ColumnType;
}

/**
 * Moves values from `_freshet_extra` to the widened column. Values that still do not fit, or that
 * may not be convertible, remain in `_freshet_extra` until their rows are rewritten.
 */
async function restoreExtraValues(
  client: ClientBase,
  { sql, isHistory }: TableColumn,
  { column, name, field, type }: WidenedColumn,
): Promise<void> {
  const fits =
    type === 'text' ? 'true' : type === 'numeric' ? `jsonb_typeof(_freshet_extra -> $2) = 'number'` : 'false';
  await client.query(
    `update ${sql} set ${column} = (_freshet_extra ->> $2)::${type}, _freshet_extra = nullif(_freshet_extra - $2, '{}'),
       _freshet_notes = nullif(
         case when _freshet_notes -> 'kept_in_extra' = jsonb_build_array($1::text) then _freshet_notes - 'kept_in_extra'
           else jsonb_set(_freshet_notes, '{kept_in_extra}', (_freshet_notes -> 'kept_in_extra') - $1) end,
         '{}'
       )
       ${isHistory ? '' : ', _freshet_loaded_at = now()'}
     where _freshet_notes -> 'kept_in_extra' ? $1 and _freshet_extra ? $2 and ${fits}`,
    [name, field],
  );
}
