import type { Table } from '@freshet/contracts';
import type { ClientBase } from 'pg';
import type postgres from 'postgres';
import type { AddressPolicy, WarehouseAddress } from './address.ts';
import { WarehouseConnections, type WarehouseTimeouts } from './connections.ts';
import { countRows, type ErasedRows, eraseRows, type RowCounts, type RowFilter } from './erase.ts';
import { loadBatches } from './load/load.ts';
import type { LoadRequest, LoadResult } from './load/request.ts';
import { planTables, type SchemaPlan } from './schema/plan.ts';
import { RefusedWidenings } from './schema/refused-widenings.ts';
import { quote } from './sql/identifiers.ts';
import { tableExists, toTargetTable } from './sql/target.ts';

export interface WarehouseTestResult {
  readonly serverVersion: string;
  /**
   * Whether the server's version is supported and the role has all privileges that a pipeline into
   * the schema needs.
   */
  readonly isUsable: boolean;
  /** The statements that grant the missing privileges. A privileged role must run them. */
  readonly missingGrants: readonly string[];
}

/** A table, and the period for which the table contains every change of its object. */
export interface TableCoverage {
  readonly object: string;
  readonly completeAsOf: Date;
  readonly completeBackTo: Date;
}

/** The oldest supported server version, in the notation of `server_version_num`. */
const SERVER_VERSION_MIN = 140000;

/**
 * A PostgreSQL warehouse. Every method throws AppError `warehouse_*` if the warehouse cannot be
 * used.
 */
export class Warehouse {
  readonly #connections: WarehouseConnections;
  readonly #username: string;
  /** Whether the server supports LZ4 compression; null: unknown. */
  #hasLz4: boolean | null = null;
  readonly #refusedWidenings = new RefusedWidenings();

  /** @param addressPolicy the hosts to which Freshet may connect; null: all hosts. */
  constructor(
    address: WarehouseAddress,
    connectionsMax = 2,
    addressPolicy: AddressPolicy | null = null,
    timeouts: Partial<WarehouseTimeouts> = {},
  ) {
    this.#username = address.username;
    this.#connections = new WarehouseConnections(address, { connectionsMax, addressPolicy, timeouts });
  }

  /** Resolves if the warehouse responds. */
  async ping(): Promise<void> {
    await this.#connections.useBriefly((client) => client.query('select 1'));
  }

  /**
   * Applies batches to a table exactly once.
   * @throws AppError `fenced` if the table's epoch is greater than the epoch of the request.
   */
  async load(request: LoadRequest): Promise<LoadResult> {
    return await this.#connections.use(async (client) => {
      this.#hasLz4 ??= await supportsLz4(client);
      const target = toTargetTable(request.schema, request.tablePrefix, request.table.name);
      return loadBatches(client, target, request, {
        hasLz4: this.#hasLz4,
        refusedWidenings: this.#refusedWidenings,
      });
    });
  }

  /** Tests the connection, the server's version and the role's privileges. Changes nothing. */
  async test(schema: string): Promise<WarehouseTestResult> {
    return await this.#connections.useBriefly((client) => testAccess(client, schema, this.#username));
  }

  /**
   * Lists the schema changes that loads of the tables would apply before they write rows. Does not
   * apply these changes.
   */
  async plan(schema: string, tablePrefix: string, tables: readonly Table[]): Promise<SchemaPlan> {
    return await this.#connections.useBriefly((client) =>
      planTables(
        client,
        tables.map((table) => ({ target: toTargetTable(schema, tablePrefix, table.name), table })),
      ),
    );
  }

  /**
   * Lists the coverage of the tables whose names start with `tablePrefix`. Omits tables whose
   * coverage has no start or no end. Returns an empty list if the schema has no ledger tables.
   */
  async listCoverage(schema: string, tablePrefix: string): Promise<TableCoverage[]> {
    const objects = `${quote(schema)}._freshet_objects`;
    return await this.#connections.useBriefly(async (client) => {
      if (!(await tableExists(client, objects))) return [];
      const { rows } = await client.query<TableCoverage>(
        `select substr(table_name, length($1) + 1) as object,
           complete_as_of as "completeAsOf", complete_back_to as "completeBackTo"
         from ${objects}
         where starts_with(table_name, $1) and complete_as_of is not null and complete_back_to is not null
         order by table_name`,
        [tablePrefix],
      );
      return rows;
    });
  }

  /**
   * Deletes the rows and the row versions that match the filter, and all remaining versions of the
   * deleted rows.
   * @throws AppError `fenced` if the table's epoch is greater than `epoch`.
   */
  async erase(filter: RowFilter, epoch: number): Promise<ErasedRows> {
    return await this.#connections.use((client) => eraseRows(client, filter, epoch));
  }

  /**
   * Runs `work` with a postgres.js client, and closes the connections of the client afterwards.
   * @param timeoutMs the maximum duration of `work`.
   */
  async useSql<T>(timeoutMs: number, work: (sql: postgres.Sql) => Promise<T>): Promise<T> {
    return await this.#connections.useSqlClient(timeoutMs, work);
  }

  /** Counts the rows and the row versions that match the filter. */
  async count(filter: RowFilter): Promise<RowCounts> {
    return await this.#connections.use((client) => countRows(client, filter));
  }

  async close(): Promise<void> {
    await this.#connections.close();
  }
}

async function testAccess(client: ClientBase, schema: string, username: string): Promise<WarehouseTestResult> {
  const { rows } = await client.query<{
    version: string;
    version_number: number;
    database: string;
    can_create_schema: boolean;
    schema_exists: boolean;
    can_use_schema: boolean;
    can_create_temp: boolean;
  }>(
    `select current_setting('server_version') as version, current_setting('server_version_num')::int as version_number,
       current_database() as database,
       has_database_privilege(current_database(), 'CREATE') as can_create_schema,
       exists (select from pg_namespace where nspname = $1) as schema_exists,
       coalesce((
         select has_schema_privilege(oid, 'CREATE') and has_schema_privilege(oid, 'USAGE')
         from pg_namespace where nspname = $1
       ), false) as can_use_schema,
       has_database_privilege(current_database(), 'TEMP') as can_create_temp`,
    [schema],
  );
  const access = rows[0] as (typeof rows)[number];
  const role = quote(username);
  const missingGrants: string[] = [];
  if (access.schema_exists && !access.can_use_schema)
    missingGrants.push(`GRANT USAGE, CREATE ON SCHEMA ${quote(schema)} TO ${role};`);
  if (!access.schema_exists && !access.can_create_schema)
    missingGrants.push(`CREATE SCHEMA ${quote(schema)} AUTHORIZATION ${role};`);
  if (!access.can_create_temp) missingGrants.push(`GRANT TEMPORARY ON DATABASE ${quote(access.database)} TO ${role};`);
  return {
    serverVersion: access.version,
    isUsable: missingGrants.length === 0 && access.version_number >= SERVER_VERSION_MIN,
    missingGrants,
  };
}

async function supportsLz4(client: ClientBase): Promise<boolean> {
  const { rows } = await client.query<{ supported: boolean }>(
    `select 'lz4' = any(enumvals) as supported from pg_settings where name = 'default_toast_compression'`,
  );
  return rows[0]?.supported ?? false;
}
