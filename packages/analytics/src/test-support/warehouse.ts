import type postgres from 'postgres';
import { loadSources } from '../models/sources.ts';
import { quote } from '../sql.ts';

/** A row of a table of the pipeline, by column. */
export type SourceRow = Readonly<Record<string, unknown>>;

export interface TestWarehouseOptions {
  readonly schema?: string;
  readonly tablePrefix?: string;
  /** The tables that do not exist. */
  readonly missing?: readonly string[];
}

/** The tables of a pipeline in a test database, as the loader creates them. */
export class TestWarehouse {
  readonly #sql: postgres.Sql;
  readonly schema: string;
  readonly tablePrefix: string;

  private constructor(sql: postgres.Sql, schema: string, tablePrefix: string) {
    this.#sql = sql;
    this.schema = schema;
    this.tablePrefix = tablePrefix;
  }

  /** Creates the schema with the tables that the models read. */
  static async create(
    sql: postgres.Sql,
    { schema = 'acme', tablePrefix = '', missing = [] }: TestWarehouseOptions = {},
  ): Promise<TestWarehouse> {
    const warehouse = new TestWarehouse(sql, schema, tablePrefix);
    await sql.unsafe(`drop schema if exists ${quote(schema)} cascade`);
    await sql.unsafe(`drop schema if exists ${quote(`${schema}_analytics`)} cascade`);
    await sql.unsafe(`create schema ${quote(schema)}`);
    for (const { name, kind } of loadSources().values())
      if (kind === 'freshdesk' && !missing.includes(name)) await warehouse.createTable(name);
    return warehouse;
  }

  get target(): { readonly schema: string; readonly tablePrefix: string; readonly timeZone: null } {
    return { schema: this.schema, tablePrefix: this.tablePrefix, timeZone: null };
  }

  table(name: string): string {
    return `${quote(this.schema)}.${quote(`${this.tablePrefix}${name}`)}`;
  }

  model(name: string): string {
    return `${quote(`${this.schema}_analytics`)}.${quote(`${this.tablePrefix}${name}`)}`;
  }

  async createTable(name: string): Promise<void> {
    const columns = loadSources().get(name)?.columns ?? [];
    const key = columns.some((c) => c.name === 'valid_from') ? ['id', 'valid_from'] : ['id'];
    const hasKey = key.every((column) => columns.some((c) => c.name === column));
    const definitions = [
      ...columns.map((c) => `${quote(c.name)} ${c.type}`),
      ...(hasKey ? [`primary key (${key.map(quote).join(', ')})`] : []),
    ];
    await this.#sql.unsafe(`create table ${this.table(name)} (${definitions.join(', ')})`);
    if (columns.some((c) => c.name === 'ticket_id'))
      await this.#sql.unsafe(`create index on ${this.table(name)} (ticket_id)`);
  }

  /** Inserts rows. JSON columns take JavaScript values. */
  async insert(table: string, rows: readonly SourceRow[]): Promise<void> {
    if (rows.length === 0) return;
    await this.#sql.unsafe(
      `insert into ${this.table(table)} select * from jsonb_populate_recordset(null::${this.table(table)}, $1::jsonb)`,
      [rows as never],
    );
  }

  /** Returns rows as text by column. */
  async query(query: string): Promise<Record<string, unknown>[]> {
    return [...(await this.#sql.unsafe<Record<string, unknown>[]>(query))];
  }
}
