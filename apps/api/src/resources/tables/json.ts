import { HISTORY_DESCRIPTIONS, LEDGER_DESCRIPTIONS, METADATA_DESCRIPTIONS } from '@freshet/warehouse-loader';
import type { ExistingTable } from './pipeline-tables.ts';

/**
 * @param tables all tables of the pipeline. A column of a history without a comment has the
 *   description of the column in the table of the object.
 */
export function toTableJson(table: ExistingTable, tables: readonly ExistingTable[]) {
  const { schema, name, kind, object, internal, relation, countedRows } = table;
  const current =
    kind === 'history' ? tables.find((other) => other.kind === 'object' && other.object === object) : undefined;
  const estimate = relation.estimatedRows === null ? null : Math.round(relation.estimatedRows);
  return {
    schema,
    name,
    kind,
    view: relation.isView,
    object,
    internal,
    description: relation.description,
    row_count: countedRows ?? estimate,
    row_count_exact: countedRows !== null,
    size_bytes: relation.bytes,
    key: [...relation.key],
    columns: relation.columns.map((column) => ({
      name: column.name,
      type: column.type,
      nullable: column.isNullable,
      description:
        column.description ??
        current?.relation.columns.find((other) => other.name === column.name)?.description ??
        getDefaultDescriptions(table)[column.name] ??
        null,
    })),
  };
}

function getDefaultDescriptions({ kind }: ExistingTable): Readonly<Record<string, string>> {
  if (kind === 'object') return METADATA_DESCRIPTIONS;
  if (kind === 'history') return { ...METADATA_DESCRIPTIONS, ...HISTORY_DESCRIPTIONS };
  return kind === 'ledger' ? LEDGER_DESCRIPTIONS : {};
}
