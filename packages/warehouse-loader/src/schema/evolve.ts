import type { ColumnType, Table } from '@freshet/contracts';
import type { ClientBase } from 'pg';
import { countFits, getCommonType, listWiderTypes } from '../records/column-types.ts';
import type { IdentifiedRecord } from '../records/identify.ts';
import type { SchemaChanges } from '../records/row-writer.ts';
import type { WritableColumn } from '../records/writable-columns.ts';
import { quote } from '../sql/identifiers.ts';
import type { TargetTable } from '../sql/target.ts';
import type { RefusedWidenings } from './refused-widenings.ts';
import { buildColumnStatements } from './statements.ts';
import { readColumnNames, type TableState, toTableState } from './table-state.ts';
import { runSchemaChange } from './transaction.ts';
import { getTableBytes, REWRITE_BYTES_MAX, widenColumn } from './widening.ts';

/**
 * The maximum number of columns that Freshet fills in a table. Further unknown fields get no
 * column, because a row with many more columns would exceed PostgreSQL's page size.
 */
const COLUMNS_MAX = 300;

export interface EvolutionInput {
  readonly target: TargetTable;
  readonly table: Table;
  readonly state: TableState;
  readonly changes: SchemaChanges;
  /** The records of the load. */
  readonly records: readonly IdentifiedRecord[];
  readonly refusedWidenings: RefusedWidenings;
}

/**
 * Adds columns, and widens columns if widening is quick and safe (`chooseWiderType`,
 * `widenColumn`).
 * @returns the new state. `fixedColumns` also contains the columns that were not widened,
 *   `wideningRefusals` the reasons, and `extraFields` also the fields that got no column.
 */
export async function evolveTable(client: ClientBase, evolution: EvolutionInput): Promise<TableState> {
  const { target, table, state, changes, refusedWidenings } = evolution;
  const fixedColumns = new Set(state.fixedColumns);
  const extraFields = new Map(state.extraFields);
  const refusals = new Map(state.wideningRefusals);
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
    const refusal = type === null ? null : await widenColumn(client, { target, column, type, refusedWidenings });
    if (type === null || refusal !== null) fixedColumns.add(name);
    if (refusal !== null) refusals.set(name, refusal);
  }
  const nextState = toTableState(await readColumnNames(client, target, table));
  return {
    ...nextState,
    fixedColumns,
    extraFields: new Map([...extraFields, ...nextState.extraFields]),
    wideningRefusals: refusals,
  };
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
