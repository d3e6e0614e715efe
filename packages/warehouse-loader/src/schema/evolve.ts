import type { ColumnType, Table } from '@freshet/contracts';
import type { ClientBase } from 'pg';
import { getErrorCode, SQL_STATES } from '../errors.ts';
import { countFits, getCommonType, listWiderTypes } from '../records/column-types.ts';
import type { IdentifiedRecord } from '../records/identify.ts';
import type { SchemaChanges } from '../records/row-writer.ts';
import type { WritableColumn } from '../records/writable-columns.ts';
import { quote } from '../sql/identifiers.ts';
import { type TargetTable, tableExists } from '../sql/target.ts';
import { recordWidening } from './completion.ts';
import { toHistoryColumn, toHistoryTable } from './history-columns.ts';
import { buildColumnStatements } from './statements.ts';
import { readColumnNames, type TableState, toCatalogTypeName, toTableState } from './table-state.ts';
import { runSchemaChange } from './transaction.ts';

/**
 * The maximum number of columns that Freshet fills in a table. Further unknown fields get no
 * column, because a row with many more columns would exceed PostgreSQL's page size.
 */
const COLUMNS_MAX = 300;

/**
 * The maximum size of a table whose columns are widened, and of its history. Widening rewrites both
 * tables. Up to this size, the rewrite of a table takes well under a second.
 */
const REWRITE_BYTES_MAX = 64 * 1024 * 1024;

export interface EvolutionInput {
  readonly target: TargetTable;
  readonly table: Table;
  readonly state: TableState;
  readonly changes: SchemaChanges;
  /** The records of the load. */
  readonly records: readonly IdentifiedRecord[];
}

/**
 * Adds columns, and widens columns if widening is quick and safe (`chooseWiderType`,
 * `widenColumn`).
 * @returns the new state. `fixedColumns` also contains the columns that were not widened, and
 *   `extraFields` also contains the fields that got no column.
 */
export async function evolveTable(client: ClientBase, evolution: EvolutionInput): Promise<TableState> {
  const { target, table, state, changes } = evolution;
  const fixedColumns = new Set(state.fixedColumns);
  const extraFields = new Map(state.extraFields);
  // Sort by field, so that column names do not depend on the order in which fields arrive.
  const fields = [...changes.fieldsToAdd].sort(([a], [b]) => (a < b ? -1 : 1));
  const capacity = Math.max(0, COLUMNS_MAX - state.columns.length);
  for (const [field] of fields.slice(capacity)) extraFields.set(field, null);
  if (fields.length > 0 && capacity > 0) {
    const additions = fields.slice(0, capacity).map(([, { path, types }]) => ({ path, types }));
    await runSchemaChange(client, target, () => addColumns(client, target, table, additions));
  }
  for (const name of changes.columnsToWiden) {
    const column = state.columns.find((c) => c.name === name) as WritableColumn;
    const type = await chooseWiderType(client, evolution, column);
    if (type === null || !(await widenColumn(client, target, column, type))) fixedColumns.add(name);
  }
  const nextState = toTableState(await readColumnNames(client, target, table));
  return { ...nextState, fixedColumns, extraFields: new Map([...extraFields, ...nextState.extraFields]) };
}

async function addColumns(
  client: ClientBase,
  target: TargetTable,
  table: Table,
  additions: readonly { readonly path: readonly string[]; readonly types: ReadonlySet<ColumnType> }[],
): Promise<void> {
  // Assign names under the lock, because another loader may have added columns in the meantime.
  const names = await readColumnNames(client, target, table);
  const statements = additions.map(({ path, types }) =>
    buildColumnStatements(target, {
      name: names.getName(path),
      path,
      type: [...types].reduce(getCommonType),
      description: '',
    }),
  );
  await client.query(statements.join('\n'));
}

/**
 * Chooses a wider type for a column with values that do not fit; null: the column is not widened.
 *
 * If the account's definition of the field declares a wider type, the column gets this type.
 * Otherwise, the type depends on the values in the table and in the records of the load. The column
 * is widened only if most of these values do not fit, so that an outlier does not change the
 * column. The new type is the narrowest type that at least half of the values fit.
 */
async function chooseWiderType(
  client: ClientBase,
  { target, state: { names }, records }: EvolutionInput,
  { name, path, type }: WritableColumn,
): Promise<ColumnType | null> {
  const declaredType = names.getDeclaration(name)?.type;
  if (declaredType !== undefined && listWiderTypes(type).includes(declaredType)) return declaredType;
  // The columns of a table above the maximum size are not widened, so do not count the values.
  if ((await getTableBytes(client, target)) > REWRITE_BYTES_MAX) return null;
  const { rows } = await client.query<{ fitting: string; extra: string; extra_numbers: string }>(
    `select count(${quote(name)}) as fitting, count(*) filter (where _freshet_notes -> 'kept_in_extra' ? $1) as extra,
       count(*) filter (
         where _freshet_notes -> 'kept_in_extra' ? $1 and jsonb_typeof(_freshet_extra -> $2) = 'number'
       ) as extra_numbers
     from ${target.sql}`,
    [name, path.join('.')],
  );
  const fittingCount = Number(rows[0]?.fitting);
  const extraCount = Number(rows[0]?.extra);
  const extraNumberCount = Number(rows[0]?.extra_numbers);
  const mostValuesFit = (candidate: ColumnType) => {
    const { fits, misfits } = countFits(records, path, candidate);
    const fittingExtra = candidate === 'numeric' ? extraNumberCount : 0;
    return misfits + extraCount - fittingExtra <= fits + fittingCount + fittingExtra;
  };
  if (mostValuesFit(type)) return null;
  return listWiderTypes(type).find((wider) => wider === 'text' || mostValuesFit(wider)) ?? null;
}

/** Returns the size in bytes of the table or of its history, whichever is larger. */
async function getTableBytes(client: ClientBase, target: TargetTable): Promise<number> {
  const { rows } = await client.query<{ bytes: string }>(
    'select greatest(pg_total_relation_size($1::regclass), pg_total_relation_size(to_regclass($2))) as bytes',
    [target.sql, toHistoryTable(target).sql],
  );
  return Number(rows[0]?.bytes);
}

/**
 * Widens a column of the table and of its history.
 * @returns false if the table is too large or a view depends on the column.
 */
async function widenColumn(
  client: ClientBase,
  target: TargetTable,
  { name, type: oldType, path }: WritableColumn,
  type: ColumnType,
): Promise<boolean> {
  if ((await getTableBytes(client, target)) > REWRITE_BYTES_MAX) return false;
  const history = toHistoryTable(target);
  try {
    await runSchemaChange(client, target, async () => {
      for (const { sql } of (await tableExists(client, history.sql)) ? [target, history] : [target]) {
        const isHistory = sql === history.sql;
        const column = quote(isHistory ? toHistoryColumn(name) : name);
        const value =
          oldType === 'date' && type === 'timestamptz'
            ? `${column}::timestamp at time zone 'UTC'`
            : `${column}::${type}`;
        await client.query(`alter table ${sql} alter column ${column} type ${type} using ${value}`);
        await restoreExtraValues(client, { sql, column, name, field: path.join('.'), type, isHistory });
      }
      // PostgreSQL formats times and dates differently from Freshdesk. If they were converted to
      // text, do not store the widening, so that the rows are rewritten.
      if (oldType !== 'timestamptz' && !(oldType === 'date' && type === 'text'))
        await recordWidening(client, target, name, toCatalogTypeName(type));
    });
    return true;
  } catch (error) {
    // A user's view depends on the column, so neither the column nor the view is changed.
    if (getErrorCode(error) === SQL_STATES.featureNotSupported) return false;
    throw error;
  }
}

interface WidenedColumn {
  /** The qualified, quoted name of the table or of its history. */
  readonly sql: string;
  /** The quoted name of the column in that table. */
  readonly column: string;
  /** The unquoted name of the column in the table, as in `_freshet_notes`. */
  readonly name: string;
  /** The path of the field, joined with dots, as in `_freshet_extra`. */
  readonly field: string;
  readonly type: ColumnType;
  readonly isHistory: boolean;
}

/**
 * Moves values from `_freshet_extra` to the widened column. Values that still do not fit, or that
 * may not be convertible, remain in `_freshet_extra` until their rows are rewritten.
 */
async function restoreExtraValues(
  client: ClientBase,
  { sql, column, name, field, type, isHistory }: WidenedColumn,
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
