import { type LookupFunction, Socket } from 'node:net';
import { AppError, parseHost, toAppError } from '@freshet/contracts';
import pg from 'pg';
import { getErrorCode, toWarehouseError } from './errors.ts';

export interface WarehouseAddress {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly username: string;
  readonly password: string;
  /**
   * `require` encrypts without verifying the server; `verify-full` verifies the certificate and its
   * host name.
   */
  readonly sslMode: 'disable' | 'require' | 'verify-full';
  /**
   * Certificates (PEM) of the CAs that may have signed the server's certificate; null: the CAs that
   * Node.js trusts.
   */
  readonly sslCa?: string | null;
}

/** The hosts to which Freshet may connect. */
export interface AddressPolicy {
  /** @throws AppError if `host` is an IP address that is not allowed. */
  check(host: string): void;
  /** Resolves host names. Fails for names that resolve to addresses that are not allowed. */
  readonly lookup: LookupFunction;
}

export interface WarehouseTimeouts {
  /**
   * Milliseconds without any byte in either direction after which a connection in use is closed.
   * Must be longer than the server's `statement_timeout`.
   */
  readonly inactivityMs: number;
  /**
   * Total milliseconds for an interactive operation: a ping, a connection test or a schema plan.
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
 * has not responded by then does not respond at all.
 */
const DEFAULT_TIMEOUTS: WarehouseTimeouts = { inactivityMs: 660_000, checkMs: 60_000 };
const CONNECT_TIMEOUT_MS = 10_000;
/** A connection that was idle for longer is tested before it is used again. */
const IDLE_MS_MAX = 5000;
const IDLE_TEST_TIMEOUT_MS = 5000;

/**
 * A connection pool that never waits for an unresponsive server forever. It connects only to
 * allowed hosts and converts all errors to `warehouse_*` codes.
 */
export class WarehouseConnections {
  readonly #pool: pg.Pool;
  /** Connection → when it was last used. */
  readonly #lastUsedAt = new WeakMap<pg.PoolClient, number>();
  /** Why the host is invalid; null: it is valid. */
  readonly #hostProblem: string | null;
  readonly #timeouts: WarehouseTimeouts;

  constructor(address: WarehouseAddress, { connectionsMax, addressPolicy, timeouts }: ConnectionOptions) {
    const { host, problem } = validateHost(address);
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
      max: connectionsMax,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      // Keepalive probes detect a lost connection during a long statement.
      keepAlive: true,
      keepAliveInitialDelayMillis: IDLE_MS_MAX,
      application_name: 'freshet',
      ...(addressPolicy === null ? {} : { stream: () => new RestrictedSocket(addressPolicy) }),
    });
    // The pool replaces a lost idle connection when the next one is needed.
    this.#pool.on('error', () => {});
  }

  /**
   * Runs work with a connection.
   * @throws AppError `address_refused`, `warehouse_*`, or any AppError of `work`.
   */
  async use<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    if (this.#hostProblem !== null)
      throw new AppError(
        'address_refused',
        `The destination’s host is not allowed: ${this.#hostProblem} Change the destination’s host.`,
      );
    let client: pg.PoolClient;
    try {
      client = await this.#pool.connect();
    } catch (error) {
      throw toWarehouseError(error);
    }
    // The current statement also fails when the connection is lost, so this event needs no
    // handling.
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
   * Like `use`, with a limit on the total time (`checkMs`), because a user waits for the result.
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

  async close(): Promise<void> {
    await this.#pool.end();
  }

  /**
   * Tests a connection that was idle: a firewall may have dropped it silently, and TCP retransmits
   * for up to a quarter of an hour.
   */
  async #testIdleConnection(client: pg.PoolClient): Promise<void> {
    const lastUsedAt = this.#lastUsedAt.get(client);
    if (lastUsedAt === undefined || performance.now() - lastUsedAt < IDLE_MS_MAX) return;
    await client.query({ text: 'select 1', query_timeout: IDLE_TEST_TIMEOUT_MS } as pg.QueryConfig);
  }
}

/**
 * The driver would connect to a local socket for a path. Destinations may have been stored before
 * paths were rejected.
 */
function validateHost(address: WarehouseAddress): { readonly host: string; readonly problem: string | null } {
  try {
    return { host: parseHost(address.host), problem: null };
  } catch (error) {
    return { host: '', problem: toAppError(error).message };
  }
}

/**
 * Checks the address when it connects, so that neither an IP address nor a name that later resolves
 * differently bypasses the policy.
 */
class RestrictedSocket extends Socket {
  readonly #policy: AddressPolicy;

  constructor(policy: AddressPolicy) {
    super();
    this.#policy = policy;
  }

  // The driver calls it with a port and a host.
  override connect(...args: unknown[]): this {
    const [port, host] = args as [number, string];
    try {
      this.#policy.check(host);
    } catch (error) {
      return this.destroy(error as Error);
    }
    return super.connect({ port, host, lookup: this.#policy.lookup });
  }
}

/** The driver has this property, but its types omit it. */
function getSocket(client: pg.PoolClient): Socket {
  return (client as unknown as { readonly connection: { readonly stream: Socket } }).connection.stream;
}

/**
 * Closes the connection, which fails the current statement even if the server no longer responds.
 */
function disconnect(client: pg.PoolClient): void {
  getSocket(client).destroy(Object.assign(new Error('The server does not respond.'), { code: 'ETIMEDOUT' }));
}

/**
 * Whether the connection must not be used again after the error. Errors of statements and Freshet's
 * own errors do not break it.
 */
function isConnectionError(error: unknown): boolean {
  const isStatementError = /^(22|23|42|55|40|54)/.test(getErrorCode(error));
  return !isStatementError && (error as { name?: string } | null)?.name !== 'AppError';
}
