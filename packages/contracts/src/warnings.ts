import type { ColumnType } from './tables.ts';

/** The codes of conditions that an object run reports but that do not make it fail. */
export const WARNING_CODES = [
  /** Values did not fit the type of their column. */
  'values_misfit',
  /**
   * No API key has been able to read the object yet, and the user did not include the object by
   * name.
   */
  'object_unavailable',
  /**
   * The clocks of the account, of this deployment and of the worker disagree, or a wrong clock has
   * set a stored position.
   */
  'clock_skew',
] as const;
export type WarningCode = (typeof WARNING_CODES)[number];

/**
 * A warning of an object run, as it is stored. One object run has at most one warning of each code
 * and subject.
 */
export interface Warning {
  readonly code: WarningCode;
  /**
   * The subject of the warning, such as a column, if one object run can have several warnings with
   * this code. Otherwise null.
   */
  readonly subject: string | null;
  /**
   * Cause, effect and action, in English. Contains names and counts, but never a value of a record.
   */
  readonly message: string;
  /** How often the condition occurred. */
  readonly count: number;
}

/** A warning to be added. Its message is built from the total count of the object run. */
export interface NewWarning extends Omit<Warning, 'message'> {
  readonly message: (count: number) => string;
}

/**
 * Merges warnings that have the same code and subject. Their counts are added, and the message
 * states the sum.
 */
export function mergeWarnings(warnings: readonly Warning[], added: readonly NewWarning[]): Warning[] {
  const merged = [...warnings];
  for (const { code, subject, count, message } of added) {
    const at = merged.findIndex((w) => w.code === code && w.subject === subject);
    const total = count + (merged[at]?.count ?? 0);
    merged[at < 0 ? merged.length : at] = { code, subject, count: total, message: message(total) };
  }
  return merged;
}

/** The values of one column that did not fit its type, in the written rows of one batch. */
export interface Misfits {
  readonly batchId: string;
  readonly column: string;
  /** The column's type; null: Freshet does not support the type. */
  readonly type: ColumnType | null;
  /**
   * The note in the rows. The schema policy determines whether the values are kept in
   * `_freshet_extra` or discarded.
   */
  readonly note: 'kept_in_extra' | 'discarded';
  readonly count: number;
  /**
   * Why the column was not widened, as a part of a sentence. Undefined: no widening was attempted.
   */
  readonly wideningRefusal?: string;
}

const SINGULAR: Readonly<Record<ColumnType, string>> = {
  bigint: 'a valid integer',
  numeric: 'a valid number',
  boolean: 'a valid boolean',
  text: 'valid text',
  timestamptz: 'a valid timestamp',
  date: 'a valid date',
  jsonb: 'valid JSON',
};
const PLURAL: Readonly<Record<ColumnType, string>> = {
  bigint: 'valid integers',
  numeric: 'valid numbers',
  boolean: 'valid booleans',
  text: 'valid text',
  timestamptz: 'valid timestamps',
  date: 'valid dates',
  jsonb: 'valid JSON',
};

/** Creates the warning for values that do not fit the type of their column. */
export function createMisfitsWarning(
  object: string,
  { column, type, note, count, wideningRefusal }: Misfits,
): NewWarning {
  const refusal = wideningRefusal === undefined ? '' : ` The column was not widened: ${wideningRefusal}.`;
  const message = (n: number): string => {
    const where = note === 'kept_in_extra' ? 'kept in _freshet_extra' : 'discarded';
    if (type === null)
      return `${object}.${column} has a type that Freshet does not write, so ${n} ${n === 1 ? 'value was' : 'values were'} ${where}. Change the type back to the documented type.`;
    return n === 1
      ? `1 value of ${object}.${column} is not ${SINGULAR[type]}. It was ${where}.${refusal}`
      : `${n} values of ${object}.${column} are not ${PLURAL[type]}. They were ${where}.${refusal}`;
  };
  return { code: 'values_misfit', subject: column, count, message };
}

/** Creates the warning for an object that the API key has never been able to read. */
export function createUnavailableWarning(object: string, reason: string): NewWarning {
  const message = () =>
    `${object} was not read: ${reason} The status of the run ignores this object. Use the API key of an admin, change the plan, or exclude the object.`;
  return { code: 'object_unavailable', subject: null, count: 1, message };
}

/**
 * Creates the warning for clocks that disagree.
 * @param skewMs how many milliseconds the account's clock is ahead of this deployment's clock.
 * Negative if the account's clock is slow.
 */
export function createClockSkewWarning(skewMs: number): NewWarning {
  const minutes = Math.round(Math.abs(skewMs) / 60_000);
  const message =
    `The Date header of the account is ${minutes} minutes ${skewMs > 0 ? 'ahead of' : 'behind'} this deployment's clock. Freshet uses the earlier clock, ` +
    `so that no change is skipped. Correct the clock of this deployment, or of the proxy in front of the account.`;
  return { code: 'clock_skew', subject: null, count: 1, message: () => message };
}

/**
 * Creates the warning for a stored position in the future, from which an extraction could not
 * continue.
 */
export function createFuturePositionWarning(position: string, resumedFrom: string): NewWarning {
  const message =
    `The stored position (${position}) was in the future, because a wrong clock or a request had set it. ` +
    `Freshet reread the changes since ${resumedFrom}, the latest time that is known to be correct.`;
  return { code: 'clock_skew', subject: 'position', count: 1, message: () => message };
}
