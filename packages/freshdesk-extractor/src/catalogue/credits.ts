import type { ObjectSpec } from './define-object.ts';
import type { RecordDetail } from './strategies.ts';

/** Credits that each `include` adds to one page of a list. [documented: "each include +2"] */
export const INCLUDE_COST = 2;

/** Returns the credits of one page of an object's list. */
export function getListCredits({ include }: ObjectSpec): number {
  return 1 + INCLUDE_COST * include.length;
}

/** Returns the credits of one record from its own endpoint. [documented: each include +1] */
export function getRecordCredits({ include }: RecordDetail): number {
  return 1 + include.length;
}
