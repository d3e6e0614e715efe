import { type LookupFunction, Socket } from 'node:net';
import { AppError, parseHost, type Table, toAppError } from '@freshet/contracts';
import pg from 'pg';
import { countRows, type ErasedRows, eraseRows, type RowCounts, type RowsOf } from './erase.ts';
import { warehouseError } from './errors.ts';
import { loadBatches } from './load/load.ts';
import type { LoadRequest, LoadResult } from './load/request.ts';
import { quote } from './schema/identifiers.ts';
import { planTables, type SchemaPlan, targetOf } from './schema/tables.ts';

export interface WarehouseAddress {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly username: string;
  readonly password: string;
  /** `require` encrypts without checking who answers; `verify-full` checks the certificate and its name. */
  readonly sslMode: 'disable' | 'require' | 'verify-full';
  /** Certificates (PEM) of whoever may have signed the server's, instead of the well-known ones; null: those. */
  readonly sslCa?: string | null;
}

/** Which hosts may be connected to. */
export interface WarehouseReach {
  /** @throws AppError for an address that may not. */
  check(host: string): void;
  /** Resolves names, but not to addresses that may not. */
  readonly lookup: LookupFunction;
}

export interface WarehouseVerdict {
  readonly serverVersion: string;
  /** Whether the role may make what a pipeline needs in this schema. */
  readonly usable: boolean;
  /** The statements, for somebody with the right to run them, that would make it so. */
  readonly missingGrants: readonly string[];
}

/** A table that holds every change of an object between two moments. */
export interface ReachedTable {
  readonly object: string;
  readonly completeAsOf: Date;
  readonly completeBackTo: Date;
}

const SERVER_VERSION_MIN = 140000;
const CONNECT_TIMEOUT_MS = 10_000;
/** A connection that nobody has used for so long is asked whether it is still there, and answers within so long. */
const DOUBTED_AFTER_MS = 5000;
const ANSWER_TIMEOUT_MS = 5000;

export interface WarehouseTimeouts {
  /** Milliseconds without a byte in either direction, after which a connection in use is closed. Longer than the server's `statement_timeout`. */
  readonly silenceMs: number;
  /** Milliseconds that a check may take in all: a connection test, a plan, a ping. */
  readonly checkMs: number;
}

/** A statement is cancelled by the server after ten minutes (`SESSION` in `load.ts`). A server that does not even do that has stopped. */
const DEFAULT_TIMEOUTS: WarehouseTimeouts = { silenceMs: 660_000, checkMs: 60_000 };

/** One PostgreSQL warehouse: a small pool of connections, and what can be done through it. */
export class Warehouse {
  readonly #pool: pg.Pool;
  readonly #address: WarehouseAddress;
  readonly #usedAt = new WeakMap<pg.PoolClient, number>();
  /** Why the host of the address is not connected to; null: it is. */
  readonly #hostProblem: string | null;
  readonly #timeouts: WarehouseTimeouts;
  #lz4: boolean | null = null;

  /**
   * @param connections at most so many at once.
   * @param reach null: any host.
   */
  constructor(
    address: WarehouseAddress,
    connections = 2,
    reach: WarehouseReach | null = null,
    timeouts: Partial<WarehouseTimeouts> = {},
  ) {
    this.#address = address;
    const { host, problem } = hostOf(address);
    this.#hostProblem = problem;
    this.#timeouts = { ...DEFAULT_TIMEOUTS, ...timeouts };
    this.#pool = new pg.Pool({
      host,
      port: address.port,
      database: address.database,
      user: address.username,
      password: address.password,
      ssl:
        address.sslMode === 'disable'
          ? false
          : { rejectUnauthorized: address.sslMode === 'verify-full', ...(address.sslCa ? { ca: address.sslCa } : {}) },
      max: connections,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      // Whoever waits for an answer finds out that nobody is there any more.
      keepAlive: true,
      keepAliveInitialDelayMillis: DOUBTED_AFTER_MS,
      application_name: 'freshet',
      ...(reach === null ? {} : { stream: () => new ReachingSocket(reach) }),
    });
    // An idle connection that is lost is made again when it is needed.
    this.#pool.on('error', () => {});
  }

  /** Resolves if it answers. @throws AppError `warehouse_*`. */
  async ping(): Promise<void> {
    await this.#check((client) => client.query('select 1'));
  }

  /** @throws AppError `fenced`, `warehouse_*`. */
  async load(request: LoadRequest): Promise<LoadResult> {
    return await this.#with(async (client) => {
      this.#lz4 ??= await hasLz4(client);
      return loadBatches(client, targetOf(request.schema, request.tablePrefix, request.table.name), request, this.#lz4);
    });
  }

  /** Tries the connection, and whether the role may create and write in the schema, without leaving anything behind. */
  async test(schema: string): Promise<WarehouseVerdict> {
    return await this.#check(async (client) => {
      const { rows } = await client.query<{
        version: string;
        number: number;
        database: string;
        may_create_schema: boolean;
        exists: boolean;
        may_create: boolean;
        may_temp: boolean;
      }>(
        `select current_setting('server_version') as version, current_setting('server_version_num')::int as number, current_database() as database,
           has_database_privilege(current_database(), 'CREATE') as may_create_schema,
           exists (select from pg_namespace where nspname = $1) as exists,
           coalesce((select has_schema_privilege(oid, 'CREATE') and has_schema_privilege(oid, 'USAGE') from pg_namespace where nspname = $1), false) as may_create,
           has_database_privilege(current_database(), 'TEMP') as may_temp`,
        [schema],
      );
      const found = rows[0] as (typeof rows)[number];
      const role = quote(this.#address.username);
      const missingGrants: string[] = [];
      if (found.exists && !found.may_create)
        missingGrants.push(`GRANT USAGE, CREATE ON SCHEMA ${quote(schema)} TO ${role};`);
      if (!found.exists && !found.may_create_schema)
        missingGrants.push(`CREATE SCHEMA ${quote(schema)} AUTHORIZATION ${role};`);
      if (!found.may_temp) missingGrants.push(`GRANT TEMPORARY ON DATABASE ${quote(found.database)} TO ${role};`);
      return {
        serverVersion: found.version,
        usable: missingGrants.length === 0 && found.number >= SERVER_VERSION_MIN,
        missingGrants,
      };
    });
  }

  /** What loading these tables would change about the schema before the first rows. Changes nothing. */
  async plan(schema: string, tablePrefix: string, tables: readonly Table[]): Promise<SchemaPlan> {
    return await this.#check((client) =>
      planTables(
        client,
        tables.map((table) => ({ target: targetOf(schema, tablePrefix, table.name), table })),
      ),
    );
  }

  /** How fresh and deep tables are that were loaded before, by object; empty where there is nothing of Freshet's. @throws AppError `warehouse_*`. */
  async reached(schema: string, tablePrefix: string): Promise<ReachedTable[]> {
    return await this.#check(async (client) => {
      const { rows: found } = await client.query<{ there: boolean }>(`select to_regclass($1) is not null as there`, [
        `${quote(schema)}._freshet_objects`,
      ]);
      if (!found[0]?.there) return [];
      const { rows } = await client.query<ReachedTable>(
        `select substr(table_name, length($1) + 1) as object, complete_as_of as "completeAsOf", complete_back_to as "completeBackTo"
         from ${quote(schema)}._freshet_objects
         where starts_with(table_name, $1) and complete_as_of is not null and complete_back_to is not null order by table_name`,
        [tablePrefix],
      );
      return rows;
    });
  }

  /** Deletes rows for good, with their history. @throws AppError `fenced`, `warehouse_*`. */
  async erase(rows: RowsOf, epoch: number): Promise<ErasedRows> {
    return await this.#with((client) => eraseRows(client, rows, epoch));
  }

  /** How many such rows there are. @throws AppError `warehouse_*`. */
  async count(rows: RowsOf): Promise<RowCounts> {
    return await this.#with((client) => countRows(client, rows));
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  /** As `#with`, within a total time: somebody waits for the result. */
  async #check<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    return await this.#with(async (client) => {
      const timer = setTimeout(() => disconnect(client), this.#timeouts.checkMs);
      try {
        return await work(client);
      } finally {
        clearTimeout(timer);
      }
    });
  }

  async #with<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    if (this.#hostProblem !== null)
      throw new AppError(
        'address_refused',
        `The destination cannot be connected to. Change its host: ${this.#hostProblem}`,
      );
    let client: pg.PoolClient;
    try {
      client = await this.#pool.connect();
    } catch (error) {
      throw warehouseError(error);
    }
    // The error of a lost connection also comes as the failure of the statement under way.
    const lost = () => {};
    client.on('error', lost);
    let failed: unknown = null;
    const silent = () => disconnect(client);
    const socket = socketOf(client);
    socket.setTimeout(this.#timeouts.silenceMs);
    socket.on('timeout', silent);
    try {
      await this.#checkIdle(client);
      return await work(client);
    } catch (error) {
      failed = error;
      throw warehouseError(error);
    } finally {
      client.off('error', lost);
      socket.off('timeout', silent);
      socket.setTimeout(0);
      this.#usedAt.set(client, performance.now());
      client.release(isLost(failed));
    }
  }

  /** What the network has dropped without a word would be noticed when the first statement has been sent again for a quarter of an hour. */
  async #checkIdle(client: pg.PoolClient): Promise<void> {
    const usedAt = this.#usedAt.get(client);
    if (usedAt === undefined || performance.now() - usedAt < DOUBTED_AFTER_MS) return;
    await client.query({ text: 'select 1', query_timeout: ANSWER_TIMEOUT_MS } as pg.QueryConfig);
  }
}

/** The driver would connect to a socket of this machine for a path. Destinations may have been stored before that was refused. */
function hostOf(address: WarehouseAddress): { readonly host: string; readonly problem: string | null } {
  try {
    return { host: parseHost(address.host), problem: null };
  } catch (error) {
    return { host: '', problem: toAppError(error).message };
  }
}

/** Looks where it connects to at the moment that it does, so that neither a literal address nor a name that changes gets around it. */
class ReachingSocket extends Socket {
  readonly #reach: WarehouseReach;

  constructor(reach: WarehouseReach) {
    super();
    this.#reach = reach;
  }

  // As the driver calls it.
  override connect(...args: unknown[]): this {
    const [port, host] = args as [number, string];
    try {
      this.#reach.check(host);
    } catch (error) {
      return this.destroy(error as Error);
    }
    return super.connect({ port, host, lookup: this.#reach.lookup });
  }
}

/** The driver's own property: its types leave it out. */
function socketOf(client: pg.PoolClient): Socket {
  return (client as unknown as { readonly connection: { readonly stream: Socket } }).connection.stream;
}

/** Ends the connection, and with it every statement under way, which a server that has stopped would never end. */
function disconnect(client: pg.PoolClient): void {
  socketOf(client).destroy(Object.assign(new Error('The server does not respond.'), { code: 'ETIMEDOUT' }));
}

/** A connection after these is not to be used again. */
function isLost(error: unknown): boolean {
  if (error === null) return false;
  const code = String((error as { code?: unknown }).code ?? '');
  return !/^(22|23|42|55|40|54)/.test(code) && (error as { name?: string }).name !== 'AppError';
}

async function hasLz4(client: pg.ClientBase): Promise<boolean> {
  const { rows } = await client.query<{ ok: boolean }>(
    `select 'lz4' = any(enumvals) as ok from pg_settings where name = 'default_toast_compression'`,
  );
  return rows[0]?.ok ?? false;
}
