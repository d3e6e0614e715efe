import type { ClientBase } from 'pg';
import { quote } from './identifiers.ts';

/** A warehouse table, identified by its names in SQL. */
export interface TargetTable {
  readonly schema: string;
  /** The unquoted name, with the pipeline's table prefix. */
  readonly name: string;
  /** The qualified, quoted name: `"schema"."name"`. */
  readonly sql: string;
}

/** Returns the names of an object's warehouse table. */
export function toTargetTable(schema: string, prefix: string, object: string): TargetTable {
  const name = `${prefix}${object}`;
  return { schema, name, sql: `${quote(schema)}.${quote(name)}` };
}

/** @param sql the qualified, quoted name of a table. */
export async function tableExists(client: ClientBase, sql: string): Promise<boolean> {
  const { rows } = await client.query<{ exists: boolean }>('select to_regclass($1) is not null as exists', [sql]);
  return rows[0]?.exists === true;
}
