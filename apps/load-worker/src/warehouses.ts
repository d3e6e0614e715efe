import { setTimeout as pause } from 'node:timers/promises';
import { AppError, toAppError } from '@freshet/contracts';
import type { ControlStore } from '@freshet/control-store';
import type { Outbound } from '@freshet/runtime';
import { Warehouse } from '@freshet/warehouse-loader';

/** Pools kept open; the one used longest ago is closed for a further one. */
const POOLS_MAX = 20;
/** Whoever finds a warehouse being tried waits so long for what comes of it: one that is well answers by then. */
const TRIAL_WAIT_MS = 500;
/** And else comes back when it should be known. */
const TRIAL_MS = 5000;
/** Pause after the first trial in a row that failed; doubled after each further one. */
const BACKOFF_MS = 1000;
const BACKOFF_MAX_MS = 30_000;
/** Trials in a row after which what waits for it is given up. With the pauses: about a minute, or two if it does not even refuse. */
const TRIALS_MAX = 7;

interface Opened {
  readonly fingerprint: string;
  readonly warehouse: Warehouse;
  /** It has answered, and nobody has found since that it does not. */
  answers: boolean;
  /** Somebody is finding out. */
  trial: Promise<void> | null;
  /** Trials in a row that failed. */
  failures: number;
  /** Nobody tries before then. */
  retryAt: number;
  error: AppError | null;
}

/**
 * Warehouses by destination, opened when needed, and anew when a destination or its password has changed. One that does not answer
 * holds one worker at most: the one that is trying it. The others leave it alone, and work for other pipelines.
 */
export class Warehouses {
  readonly #store: ControlStore;
  readonly #connections: number;
  readonly #reach: Outbound;
  readonly #opened = new Map<string, Opened>();

  constructor(store: ControlStore, connections: number, reach: Outbound) {
    this.#store = store;
    this.#connections = connections;
    this.#reach = reach;
  }

  /**
   * @throws AppError `warehouse_*` when it cannot be used: with `retryAfterMs` until it is tried again, or because somebody else is about
   * it; without when it was tried often enough to give up what waits for it (`isGivenUp` in its context).
   */
  async open(destinationId: string): Promise<Warehouse> {
    const opened = await this.#find(destinationId);
    // Of one that was found wanting before, nobody waits to hear it again.
    if (!opened.answers && opened.trial !== null && opened.error === null)
      await Promise.race([opened.trial, pause(TRIAL_WAIT_MS)]);
    if (opened.answers) return opened.warehouse;
    const waitMs = opened.trial === null ? opened.retryAt - Date.now() : TRIAL_MS;
    if (waitMs > 0)
      throw again(
        opened.error ?? new AppError('warehouse_unavailable', 'Whether the warehouse answers is being found out.'),
        waitMs,
      );
    opened.trial = tryOut(opened);
    await opened.trial;
    if (opened.error === null) return opened.warehouse;
    if (opened.failures < TRIALS_MAX) throw again(opened.error, opened.retryAt - Date.now());
    opened.failures = 0;
    const { code, message } = opened.error;
    throw new AppError(code, message, { context: { isGivenUp: true }, cause: opened.error });
  }

  /** Somebody has found that it does not answer: from now on it is tried by one before others use it. */
  doubt(destinationId: string): void {
    const opened = this.#opened.get(destinationId);
    if (opened !== undefined) opened.answers = false;
  }

  async #find(destinationId: string): Promise<Opened> {
    const destination = await this.#store.destinations.get(destinationId);
    const credential = await this.#store.credentials.get(destination.credential_id);
    const fingerprint = `${destination.version}/${credential.id}/${credential.version}`;
    const isKnown = () => this.#opened.get(destinationId)?.fingerprint === fingerprint;
    const password = isKnown() ? '' : await this.#store.credentials.reveal(credential.id, 'postgres_password');
    // Somebody else may have opened it meanwhile.
    const known = this.#opened.get(destinationId);
    this.#opened.delete(destinationId);
    if (known?.fingerprint === fingerprint) {
      this.#opened.set(destinationId, known);
      return known;
    }
    // In use or not, its pool ends when its connections are given back.
    if (known) void known.warehouse.close();
    const { host, port, database, username, ssl_mode: sslMode, ssl_ca: sslCa } = destination;
    const warehouse = new Warehouse(
      { host, port, database, username, password, sslMode, sslCa },
      this.#connections,
      this.#reach,
    );
    const opened: Opened = {
      fingerprint,
      warehouse,
      answers: false,
      trial: null,
      failures: 0,
      retryAt: 0,
      error: null,
    };
    this.#opened.set(destinationId, opened);
    const oldest = this.#opened.entries().next().value;
    if (this.#opened.size > POOLS_MAX && oldest) {
      this.#opened.delete(oldest[0]);
      void oldest[1].warehouse.close();
    }
    return opened;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#opened.values()].map(({ warehouse }) => warehouse.close()));
  }
}

async function tryOut(opened: Opened): Promise<void> {
  try {
    await opened.warehouse.ping();
    opened.answers = true;
    opened.failures = 0;
    opened.error = null;
  } catch (thrown) {
    opened.error = toAppError(thrown);
    opened.retryAt = Date.now() + Math.min(BACKOFF_MAX_MS, BACKOFF_MS * 2 ** opened.failures);
    opened.failures += 1;
  } finally {
    opened.trial = null;
  }
}

function again({ code, message }: AppError, retryAfterMs: number): AppError {
  return new AppError(code, message, { retryAfterMs });
}
