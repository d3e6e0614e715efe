import { listAnalyticsRelations } from '@freshet/analytics';
import { AppError } from '@freshet/contracts';
import type { Pipeline } from '@freshet/control-store';
import { catalogue } from '@freshet/freshdesk-extractor';
import { listRelations, type Relation, readRowCounts, type SqlTransaction } from '@freshet/warehouse-loader';
import { toAnalyticsTarget } from '../reports/run.ts';
import type { TableKind } from './schemas.ts';

/** A table or a view that a pipeline can have. It may not exist in the warehouse. */
export interface PipelineTable {
  readonly schema: string;
  readonly name: string;
  readonly kind: TableKind;
  /** The object whose records the table contains; null: none. */
  readonly object: string | null;
  /** Whether the table can change in any release. */
  readonly internal: boolean;
}

/** A table that exists in the warehouse. */
export interface ExistingTable extends PipelineTable {
  readonly relation: Relation;
  /** The number of rows that the loader has counted; null: the loader does not count the rows. */
  readonly countedRows: number | null;
}

const LEDGER_TABLES = ['_freshet_objects', '_freshet_batches'];

/**
 * Lists all tables and views that a pipeline can have. Other tables of the schemas belong to other
 * pipelines or to users, so the API does not read them.
 */
export function listPipelineTables(pipeline: Pipeline): PipelineTable[] {
  const { destination_schema: schema, table_prefix: prefix } = pipeline;
  const inSchema = { schema, internal: false };
  return [
    ...catalogue.map((o) => ({ ...inSchema, name: `${prefix}${o.name}`, kind: 'object' as const, object: o.name })),
    ...catalogue.map((o) => ({
      ...inSchema,
      name: `${prefix}${o.name}_history`,
      kind: 'history' as const,
      object: o.name,
    })),
    ...listAnalyticsRelations(toAnalyticsTarget(pipeline)).map((relation) => ({ ...relation, object: null })),
    ...LEDGER_TABLES.map((name) => ({ ...inSchema, name, kind: 'ledger' as const, object: null })),
  ];
}

/** Returns those of the tables that exist in the warehouse, with their descriptions. */
export async function findExistingTables(
  transaction: SqlTransaction,
  { destination_schema: schema }: Pipeline,
  tables: readonly PipelineTable[],
): Promise<ExistingTable[]> {
  const relations = await listRelations(transaction, tables);
  const counts = await readRowCounts(transaction, schema);
  return tables.flatMap((table) => {
    const relation = relations.find((r) => r.schema === table.schema && r.name === table.name);
    if (relation === undefined) return [];
    const countedRows = table.kind === 'object' ? (counts.get(table.name) ?? null) : null;
    return [{ ...table, relation, countedRows }];
  });
}

/**
 * Finds a table by its name or by its qualified name. A table of an object has precedence over a
 * model of the same name.
 * @throws AppError `not_found` if the pipeline cannot have such a table.
 */
export function getPipelineTable(pipeline: Pipeline, name: string): PipelineTable {
  const tables = listPipelineTables(pipeline);
  const table = tables.find((t) => t.name === name) ?? tables.find((t) => `${t.schema}.${t.name}` === name);
  if (table !== undefined) return table;
  throw new AppError(
    'not_found',
    `The pipeline has no table "${name}". GET /v1/pipelines/${pipeline.id}/tables lists its tables.`,
  );
}

/** Builds the error for a table that the warehouse does not contain. */
export function createMissingTableError({ schema, name, kind, object }: PipelineTable): AppError {
  const remedies: Readonly<Record<TableKind, string>> = {
    object: `Freshet creates the table when it loads the first records of the object ${object}. Include the object, and wait for the next run.`,
    history: `Enable the history of the object ${object}, and wait for the next run.`,
    model: 'Set analytics of the pipeline to true, and wait until the models were created.',
    settings: 'Set analytics of the pipeline to true, and wait until the models were created.',
    ledger: 'Freshet creates the table when it loads the first records of the pipeline.',
  };
  return new AppError(
    'table_not_ready',
    `The table ${schema}.${name} does not exist in the warehouse yet. ${remedies[kind]}`,
  );
}
