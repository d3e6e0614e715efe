import type { Table } from '@freshet/contracts';
import type { ClientBase } from 'pg';
import { quote } from '../sql/identifiers.ts';
import type { TargetTable } from '../sql/target.ts';
import { buildLedgerStatements, buildMissingColumnStatements, buildTableStatements } from './statements.ts';
import { readColumns } from './table-state.ts';

/** The schema changes that loads would apply before they write rows. */
export interface SchemaPlan {
  /** The SQL statements that create the schema and the ledger tables; empty: they exist. */
  readonly statements: readonly string[];
  readonly tables: readonly TablePlan[];
}

interface TablePlan {
  readonly table: string;
  readonly exists: boolean;
  /** The SQL statements in their order of execution; empty: the table is up to date. */
  readonly statements: readonly string[];
}

/**
 * Lists the schema changes that loads of the tables would apply before they write rows. Does not
 * apply these changes.
 */
export async function planTables(
  client: ClientBase,
  targets: readonly { readonly target: TargetTable; readonly table: Table }[],
): Promise<SchemaPlan> {
  const tables: TablePlan[] = [];
  const schemaStatements = new Set<string>();
  for (const { target, table } of targets) {
    const { columns, hasLedger } = await readColumns(client, target);
    if (!hasLedger)
      schemaStatements.add(
        `create schema if not exists ${quote(target.schema)};${buildLedgerStatements(target.schema)}`,
      );
    const statements =
      columns === null ? buildTableStatements(target, table) : buildMissingColumnStatements(target, table, columns);
    tables.push({ table: target.name, exists: columns !== null, statements });
  }
  return { statements: [...schemaStatements], tables };
}
