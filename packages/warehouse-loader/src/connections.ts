import type { Socket } from 'node:net';
import { AppError, parseHost, toAppError } from '@freshet/contracts';
import pg from 'pg';
import type postgres from 'postgres';
import { type AddressPolicy, RestrictedSocket, toTlsOptions, type WarehouseAddress } from './address.ts';
import { getErrorCode, toWarehouseError } from './errors.ts';
import { withSqlClient } from './sql-client.ts';

export interface WarehouseTimeouts {
  /**
   * A connection in use is closed if no byte is sent or received for this many milliseconds. Must
   * be longer than the `statement_timeout` of a load.
   */
  readonly inactivityMs: number;
  /**
   * The maximum duration of a short operation, in milliseconds. The short operations are pings,
   * connection tests, schema plans and lists of coverage.
   */
  readonly checkMs: number;
}

export interface ConnectionOptions {
  /** The maximum number of connections. */
  readonly connectionsMax: number;
  /** Null: all hosts are allowed. */
  readonly addressPolicy: AddressPolicy | null;
  readonly timeouts: Partial<WarehouseTimeouts>;
}

/**
 * The server cancels a statement of a load after ten minutes (`load/transaction.ts`). A server that
 * sends nothing for eleven minutes is therefore unresponsive.
 */
const DEFAULT_TIMEOUTS: WarehouseTimeouts = { inactivityMs: 660_000, checkMs: 60_000 };
const CONNECT_TIMEOUT_MS = 10_000;
/** A connection that has been idle for this long is tested before it is reused. */
const IDLE_MS_MAX = 5000;
const IDLE_TEST_TIMEOUT_MS = 5000;

/**
 * A connection pool that does not wait indefinitely for an unresponsive server. It connects only to
 * allowed hosts and converts the errors of the driver to `warehouse_*` codes.
 */
export class WarehouseConnections {
  readonly #pool: pg.Pool;
  /** Connection → when it was last used. */
  readonly #lastUsedAt = new WeakMap<pg.PoolClient, number>();
  /** Why the host is invalid; null: the host is valid. */
  readonly #hostProblem: string | null;
  readonly #timeouts: WarehouseTimeouts;
  readonly #address: WarehouseAddress;
  readonly #addressPolicy: AddressPolicy | null;

  constructor(address: WarehouseAddress, { connectionsMax, addressPolicy, timeouts }: ConnectionOptions) {
    const { host, problem } = validateHost(address);
    this.#hostProblem = problem;
    this.#timeouts = { ...DEFAULT_TIMEOUTS, ...timeouts };
    this.#address = { ...address, host };
    this.#addressPolicy = addressPolicy;
    this.#pool = new pg.Pool({
      host,
      port: address.port,
      database: address.database,
      user: address.username,
      password: address.password,
      ssl: toTlsOptions(address),
      max: connectionsMax,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      // Keepalive probes detect a lost connection during a long statement.
      keepAlive: true,
      keepAliveInitialDelayMillis: IDLE_MS_MAX,
      application_name: 'freshet',
      ...(addressPolicy === null ? {} : { stream: () => new RestrictedSocket(addressPolicy) }),
    });
    // The pool removes an idle connection that is lost, so this event needs no handling.
    this.#pool.on('error', () => {});
  }

  /**
   * Runs `work` with a connection of the pool.
   * @throws AppError `address_refused`, `warehouse_*`, or any AppError of `work`.
   */
  async use<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    if (this.#hostProblem !== null) throw createHostError(this.#hostProblem);
    let client: pg.PoolClient;
    try {
      client = await this.#pool.connect();
    } catch (error) {
      throw toWarehouseError(error);
    }
    // A lost connection also makes the current statement fail, so this event needs no handling.
    const ignoreError = () => {};
    client.on('error', ignoreError);
    const socket = getSocket(client);
    const closeInactive = () => disconnect(client);
    socket.setTimeout(this.#timeouts.inactivityMs);
    socket.on('timeout', closeInactive);
    let isBroken = false;
    try {
      await this.#testIdleConnection(client);
      return await work(client);
    } catch (error) {
      isBroken = isConnectionError(error);
      throw toWarehouseError(error);
    } finally {
      client.off('error', ignoreError);
      socket.off('timeout', closeInactive);
      socket.setTimeout(0);
      this.#lastUsedAt.set(client, performance.now());
      client.release(isBroken);
    }
  }

  /**
   * Does the same as `use`, but closes the connection if `work` takes longer than `checkMs`,
   * because a user or a job waits for the result.
   */
  async useBriefly<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    return await this.use(async (client) => {
      const timer = setTimeout(() => disconnect(client), this.#timeouts.checkMs);
      try {
        return await work(client);
      } finally {
        clearTimeout(timer);
      }
    });
  }

  /**
   * Runs `work` with a postgres.js client, whose connections do not belong to the pool.
   * @param timeoutMs the maximum duration of `work`.
   * @throws AppError `address_refused`, `warehouse_*`, or any AppError of `work`.
   */
  async useSqlClient<T>(timeoutMs: number, work: (sql: postgres.Sql) => Promise<T>): Promise<T> {
    if (this.#hostProblem !== null) throw createHostError(this.#hostProblem);
    try {
      return await withSqlClient(this.#address, { addressPolicy: this.#addressPolicy, timeoutMs }, work);
    } catch (error) {
      throw toWarehouseError(error);
    }
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }

  /**
   * Tests a connection that was idle. A firewall may have dropped the connection silently. A
   * statement would then fail only after TCP has retransmitted for up to a quarter of an hour.
   */
  async #testIdleConnection(client: pg.PoolClient): Promise<void> {
    const lastUsedAt = this.#lastUsedAt.get(client);
    if (lastUsedAt === undefined || performance.now() - lastUsedAt < IDLE_MS_MAX) return;
    await client.query({ text: 'select 1', query_timeout: IDLE_TEST_TIMEOUT_MS } as pg.QueryConfig);
  }
}

function createHostError(problem: string): AppError {
  return new AppError(
    'address_refused',
    `The destination’s host is not allowed: ${problem} Change the destination’s host.`,
  );
}

/**
 * Validates the host of a stored destination. The host may be a path, because earlier releases
 * accepted paths. The driver would interpret a path as a local socket.
 */
function validateHost(address: WarehouseAddress): { readonly host: string; readonly problem: string | null } {
  try {
    return { host: parseHost(address.host), problem: null };
  } catch (error) {
    return { host: '', problem: toAppError(error).message };
  }
}

/** Returns the socket of a connection. The type declarations of the driver omit this property. */
function getSocket(client: pg.PoolClient): Socket {
  return (client as unknown as { readonly connection: { readonly stream: Socket } }).connection.stream;
}

/**
 * Closes the connection. The current statement then fails, even if the server no longer responds.
 */
function disconnect(client: pg.PoolClient): void {
  getSocket(client).destroy(Object.assign(new Error('The server does not respond.'), { code: 'ETIMEDOUT' }));
}

/**
 * Whether a connection is unusable after an error. A rejected statement or an `AppError` leaves the
 * connection usable.
 */
function isConnectionError(error: unknown): boolean {
  const isStatementError = /^(22|23|42|55|40|54)/.test(getErrorCode(error));
  return !isStatementError && (error as { name?: string } | null)?.name !== 'AppError';
}
