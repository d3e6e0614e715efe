import { AppError, type ErrorCode } from '@freshet/contracts';
import { TooSlowError } from '../http/timeouts.ts';
import type { ObjectReader } from './object-reader.ts';
import type { FailedUnit } from './page.ts';

/**
 * Distinguishes a failing unit from a failing account.
 *
 * Freshdesk may return status 500 for a single damaged ticket on every attempt, while all other
 * tickets can be read. Such a failed unit is reported, and its object continues. During an outage,
 * each unit fails in the same way, but no unit can be read. An outage must fail the slice, which is
 * then retried later, and must not be reported as failed units.
 *
 * A failure is attributed to its unit after a different unit has been read successfully. After
 * several consecutive failures, the classifier reads a unit that is known to work.
 */
export class FailureClassifier {
  readonly #readReference: () => Promise<boolean | null>;
  /** Consecutive failures that are not classified yet. */
  #pending: FailedUnit[] = [];
  #firstError: AppError | null = null;

  /**
   * @param readReference rereads a unit that was read successfully before. Resolves to true if the
   * reread succeeds, to false if it fails, or to null if no such unit is known.
   */
  constructor(readReference: () => Promise<boolean | null>) {
    this.#readReference = readReference;
  }

  /**
   * Registers a successful read of a unit.
   * @returns the failures that are attributed to their units.
   */
  recordSuccess(): readonly FailedUnit[] {
    return this.#takePending();
  }

  /**
   * Registers a failure.
   * @returns the failures that are attributed to their units.
   * @throws AppError the first of the consecutive failures, if the whole account fails.
   */
  async recordFailure(unit: FailedUnit, error: AppError): Promise<readonly FailedUnit[]> {
    this.#pending.push(unit);
    this.#firstError ??= error;
    if (this.#pending.length % FAILURES_PER_CHECK !== 0) return [];
    return await this.#classify(this.#pending.length >= FAILURES_WITHOUT_REFERENCE_MAX);
  }

  /**
   * Classifies the remaining failures after the last unit.
   * @returns the failures that are attributed to their units.
   * @throws AppError as {@link recordFailure} does.
   */
  async finish(): Promise<readonly FailedUnit[]> {
    if (this.#pending.length === 0) return [];
    const failedUnits = await this.#classify(false);
    return failedUnits.length > 0 ? failedUnits : this.#takePending();
  }

  async #classify(isOverLimit: boolean): Promise<readonly FailedUnit[]> {
    const isReadable = await this.#readReference();
    if (isReadable === true) return this.#takePending();
    if (isReadable === false || isOverLimit) throw this.#firstError as AppError;
    return [];
  }

  #takePending(): readonly FailedUnit[] {
    const failedUnits = this.#pending;
    this.#pending = [];
    this.#firstError = null;
    return failedUnits;
  }
}

/**
 * After this many consecutive failures, the account is checked, because the failures may mean an
 * outage.
 */
const FAILURES_PER_CHECK = 10;
/** This many consecutive failures count as an outage if no unit is known to work. */
const FAILURES_WITHOUT_REFERENCE_MAX = 50;

const UNIT_ERROR_CODES: ReadonlySet<ErrorCode> = new Set([
  'source_unavailable',
  'source_contract',
  'source_too_large',
  'source_invalid_request',
  'source_not_freshdesk',
]);

/**
 * Whether an error may concern a single unit. A rejected key, missing credits and the end of a time
 * slice concern all units.
 */
export function isUnitError(error: unknown): error is AppError {
  if (!(error instanceof AppError) || !UNIT_ERROR_CODES.has(error.code)) return false;
  return !(error.cause instanceof TooSlowError && error.cause.isCutShort);
}

export function createFailedUnit(object: string, key: string, { code, message }: AppError): FailedUnit {
  return { object, key, code, message };
}

/**
 * Whether a record can be read from its own endpoint.
 * @throws any error that does not concern a single unit.
 */
export async function canReadRecord(reader: ObjectReader, key: string): Promise<boolean> {
  try {
    await reader.getRecord(key);
    return true;
  } catch (error) {
    if (!isUnitError(error)) throw error;
    return false;
  }
}
