import { AppError, type Column, type FieldRules, type SchemaPolicy } from '@freshet/contracts';
import type { Sql, Tx } from '../database/database.ts';

/** The exclusive right of one load worker to a table, and the data that a slice requires. */
export interface TableLease {
  readonly pipelineId: string;
  readonly object: string;
  /**
   * The fencing token. Each later lease has a greater epoch, and the warehouse rejects writes with
   * a lower epoch.
   */
  readonly epoch: number;
  readonly destinationId: string;
  readonly schema: string;
  readonly tablePrefix: string;
  readonly schemaPolicy: SchemaPolicy;
  /** Whether a history table contains every version of each row. */
  readonly hasHistory: boolean;
  readonly fieldRules: FieldRules;
  /** When the object was last restarted. Null: never. */
  readonly restartedAt: Date | null;
  readonly customColumns: readonly Column[];
}

interface TableRow {
  readonly load_epoch: string;
  readonly custom_columns: Column[];
  readonly destination_id: string;
  readonly destination_schema: string;
  readonly table_prefix: string;
  readonly schema_policy: SchemaPolicy;
  readonly history: boolean;
  readonly field_rules: FieldRules;
  readonly restarted_at: Date | null;
}

/** Acquires the lease on a table. Null: the pipeline was deleted. */
export async function acquireTableLease(sql: Sql, pipelineId: string, object: string): Promise<TableLease | null> {
  const [row] = await sql<TableRow[]>`
    update freshet.pipeline_objects po set load_epoch = load_epoch + 1
    from freshet.pipelines p
    where p.id = po.pipeline_id and po.pipeline_id = ${pipelineId} and po.object = ${object}
    returning po.load_epoch, po.restarted_at, po.custom_columns, p.destination_id, p.destination_schema, p.table_prefix,
      p.schema_policy, coalesce((p.objects -> po.object ->> 'history')::boolean, false) as history,
      coalesce(p.objects -> po.object -> 'columns', '{}') as field_rules`;
  if (!row) return null;
  return {
    pipelineId,
    object,
    epoch: Number(row.load_epoch),
    destinationId: row.destination_id,
    schema: row.destination_schema,
    tablePrefix: row.table_prefix,
    schemaPolicy: row.schema_policy,
    hasHistory: row.history,
    fieldRules: row.field_rules,
    restartedAt: row.restarted_at,
    customColumns: row.custom_columns,
  };
}

/**
 * Verifies the lease, and locks the object until the transaction ends.
 * @throws AppError `fenced` when another worker holds the lease.
 */
export async function verifyTableLease(tx: Tx, { pipelineId, object, epoch }: TableLease): Promise<void> {
  const [row] = await tx`
    select 1 from freshet.pipeline_objects
    where pipeline_id = ${pipelineId} and object = ${object} and load_epoch = ${epoch} for no key update`;
  if (!row) throw new AppError('fenced', `Lost the lease on table ${object}: another worker took it over.`);
}
