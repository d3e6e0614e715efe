import { setTimeout as sleep } from 'node:timers/promises';
import { AppError, type ErrorCode, toAppError } from '@freshet/contracts';
import type { ControlStore } from '@freshet/control-store';
import type { OutboundPolicy } from '@freshet/runtime';
import { Warehouse } from '@freshet/warehouse-loader';

/**
 * The maximum number of open connection pools. The least recently used pool is closed when the
 * limit is exceeded.
 */
const POOLS_MAX = 20;
/**
 * How long a job waits for a ping that a different job has started. A healthy warehouse responds
 * within this time.
 */
const PING_WAIT_MS = 500;
/**
 * The delay before a job is retried if a different job's ping is still in progress. The ping has
 * usually finished by then.
 */
const PING_RETRY_MS = 5000;
/** The backoff after the first failed ping. It doubles with each consecutive failure. */
const BACKOFF_MS = 1000;
const BACKOFF_MAX_MS = 30_000;
/**
 * The number of consecutive failed pings after which the pending loads fail. Including the backoff,
 * these pings take about one minute, or about two minutes if each ping times out.
 */
const PINGS_MAX = 7;
/** Errors that affect all tables of a warehouse. */
export const WAREHOUSE_ERRORS: ReadonlySet<ErrorCode> = new Set(['warehouse_unavailable', 'warehouse_auth']);

interface WarehouseEntry {
  /** The versions of the destination and its credential. */
  readonly fingerprint: string;
  readonly warehouse: Warehouse;
  /** Whether the last ping succeeded and no job has reported a failure since. */
  isReachable: boolean;
  /** The ping in progress; null: none. */
  ping: Promise<void> | null;
  /** Consecutive failed pings. */
  failures: number;
  /** The earliest time of the next ping, in milliseconds since 1970. */
  retryAt: number;
  /** The error of the last ping; null: the ping succeeded, or no ping has finished yet. */
  error: AppError | null;
}

/**
 * Manages a connection pool for each warehouse, and opens a new pool when the destination or its
 * credential has changed. An unreachable warehouse blocks at most the job that pings the warehouse.
 * All other jobs postpone their loads.
 */
export class Warehouses {
  readonly #store: ControlStore;
  readonly #connectionsMax: number;
  readonly #outboundPolicy: OutboundPolicy;
  /** By destination id, least recently used first. */
  readonly #entries = new Map<string, WarehouseEntry>();

  /** @param connectionsMax the maximum number of connections to each warehouse. */
  constructor(store: ControlStore, connectionsMax: number, outboundPolicy: OutboundPolicy) {
    this.#store = store;
    this.#connectionsMax = connectionsMax;
    this.#outboundPolicy = outboundPolicy;
  }

  /**
   * Returns the warehouse of a destination. Pings the warehouse first, unless it is known to be
   * reachable.
   * @throws AppError `warehouse_*` if the warehouse cannot be used. `retryAfterMs` is the time
   *   after which the load can be retried. After the last failed ping, `retryAfterMs` is null, and
   *   `attemptsExhausted` is set in the error's context.
   */
  async open(destinationId: string): Promise<Warehouse> {
    const entry = await this.#getEntry(destinationId);
    // If the previous ping failed, do not wait for the current ping.
    if (!entry.isReachable && entry.ping !== null && entry.error === null)
      await Promise.race([entry.ping, sleep(PING_WAIT_MS)]);
    if (entry.isReachable) return entry.warehouse;
    const waitMs = entry.ping === null ? entry.retryAt - Date.now() : PING_RETRY_MS;
    if (waitMs > 0) {
      const error =
        entry.error ??
        new AppError('warehouse_unavailable', 'The warehouse connection is being checked. Try again shortly.');
      throw withRetryAfter(error, waitMs);
    }
    entry.ping = pingWarehouse(entry);
    await entry.ping;
    if (entry.error === null) return entry.warehouse;
    if (entry.failures < PINGS_MAX) throw withRetryAfter(entry.error, entry.retryAt - Date.now());
    entry.failures = 0;
    const { code, message } = entry.error;
    throw new AppError(code, message, { context: { attemptsExhausted: true }, cause: entry.error });
  }

  /**
   * Reports that the warehouse did not respond. One job pings the warehouse before any job uses it
   * again.
   */
  markUnreachable(destinationId: string): void {
    const entry = this.#entries.get(destinationId);
    if (entry !== undefined) entry.isReachable = false;
  }

  async #getEntry(destinationId: string): Promise<WarehouseEntry> {
    const destination = await this.#store.destinations.get(destinationId);
    const credential = await this.#store.credentials.get(destination.credential_id);
    const fingerprint = `${destination.version}/${credential.id}/${credential.version}`;
    const isCurrent = () => this.#entries.get(destinationId)?.fingerprint === fingerprint;
    const password = isCurrent() ? '' : await this.#store.credentials.reveal(credential.id, 'postgres_password');
    // Another job may have added the entry in the meantime.
    const existingEntry = this.#entries.get(destinationId);
    // Reinsert the entry, so that it becomes the most recently used entry.
    this.#entries.delete(destinationId);
    if (existingEntry?.fingerprint === fingerprint) {
      this.#entries.set(destinationId, existingEntry);
      return existingEntry;
    }
    // The outdated pool closes when its connections are released.
    if (existingEntry) void existingEntry.warehouse.close();
    const { host, port, database, username, ssl_mode: sslMode, ssl_ca: sslCa } = destination;
    const warehouse = new Warehouse(
      { host, port, database, username, password, sslMode, sslCa },
      this.#connectionsMax,
      this.#outboundPolicy,
    );
    const entry: WarehouseEntry = {
      fingerprint,
      warehouse,
      isReachable: false,
      ping: null,
      failures: 0,
      retryAt: 0,
      error: null,
    };
    this.#entries.set(destinationId, entry);
    this.#evictOldest();
    return entry;
  }

  #evictOldest(): void {
    const oldestEntry = this.#entries.entries().next().value;
    if (this.#entries.size <= POOLS_MAX || !oldestEntry) return;
    this.#entries.delete(oldestEntry[0]);
    void oldestEntry[1].warehouse.close();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#entries.values()].map(({ warehouse }) => warehouse.close()));
  }
}

async function pingWarehouse(entry: WarehouseEntry): Promise<void> {
  try {
    await entry.warehouse.ping();
    entry.isReachable = true;
    entry.failures = 0;
    entry.error = null;
  } catch (error) {
    entry.error = toAppError(error);
    entry.retryAt = Date.now() + Math.min(BACKOFF_MAX_MS, BACKOFF_MS * 2 ** entry.failures);
    entry.failures += 1;
  } finally {
    entry.ping = null;
  }
}

function withRetryAfter({ code, message }: AppError, retryAfterMs: number): AppError {
  return new AppError(code, message, { retryAfterMs });
}
