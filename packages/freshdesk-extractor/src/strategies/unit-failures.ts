import { AppError, type ErrorCode } from '@freshet/contracts';
import { TooSlowError } from '../http/timeouts.ts';
import type { ObjectReader } from '../object-reader.ts';
import type { FailedUnit } from '../page.ts';

/**
 * Tells a failing unit from a failing account. Freshdesk answers 500 for single damaged tickets, again and again, while every other
 * ticket can be read: such a unit is set aside, and its object continues. An outage looks the same for each single unit, but no unit
 * can be read during one: it must fail the slice, which is retried later, and no unit may be blamed for it.
 *
 * A failure is the unit's own once another unit has been read after it. After several failures in a row the judge reads a unit that is known to work.
 */
export class FailureJudge {
  readonly #readReference: () => Promise<boolean | null>;
  /** Failures in a row that are not judged yet. */
  #streak: FailedUnit[] = [];
  #firstError: AppError | null = null;

  /** @param readReference reads a unit that was read before. Resolves to whether that succeeded; null when no such unit is known. */
  constructor(readReference: () => Promise<boolean | null>) {
    this.#readReference = readReference;
  }

  /** Another unit was read. @returns the failures that are now known to be the units' own. */
  succeeded(): readonly FailedUnit[] {
    return this.#take();
  }

  /**
   * @returns the failures that are now known to be the units' own.
   * @throws AppError the first failure in a row, when it is the account that fails.
   */
  async failed(unit: FailedUnit, error: AppError): Promise<readonly FailedUnit[]> {
    this.#streak.push(unit);
    this.#firstError ??= error;
    if (this.#streak.length % STREAK_TO_CHECK !== 0) return [];
    return await this.#judge(this.#streak.length >= STREAK_WITHOUT_REFERENCE_MAX);
  }

  /** No unit is left. @returns and throws as {@link failed}. */
  async finished(): Promise<readonly FailedUnit[]> {
    if (this.#streak.length === 0) return [];
    const own = await this.#judge(false);
    return own.length > 0 ? own : this.#take();
  }

  async #judge(isTooLong: boolean): Promise<readonly FailedUnit[]> {
    const isReadable = await this.#readReference();
    if (isReadable === true) return this.#take();
    if (isReadable === false || isTooLong) throw this.#firstError as AppError;
    return [];
  }

  #take(): readonly FailedUnit[] {
    const own = this.#streak;
    this.#streak = [];
    this.#firstError = null;
    return own;
  }
}

/** So many failures in a row may be an outage: the account is checked before the next unit is blamed. */
const STREAK_TO_CHECK = 10;
/** Without a unit that is known to work, so many failures in a row count as an outage. */
const STREAK_WITHOUT_REFERENCE_MAX = 50;

const UNIT_ERRORS: ReadonlySet<ErrorCode> = new Set([
  'source_unavailable',
  'source_contract',
  'source_too_large',
  'source_invalid_request',
  'source_not_freshdesk',
]);

/** Whether an error may concern one unit only. A refused key, missing credits and the end of a time slice concern all of them. */
export function isUnitError(error: unknown): error is AppError {
  if (!(error instanceof AppError) || !UNIT_ERRORS.has(error.code)) return false;
  return !(error.cause instanceof TooSlowError && error.cause.isCutShort);
}

export function failedUnit(object: string, key: string, { code, message }: AppError): FailedUnit {
  return { object, key, code, message };
}

/** Whether a record can be read from its own address. */
export async function isReadable(reader: ObjectReader, key: string): Promise<boolean> {
  try {
    await reader.view(key);
    return true;
  } catch (error) {
    if (!isUnitError(error)) throw error;
    return false;
  }
}
