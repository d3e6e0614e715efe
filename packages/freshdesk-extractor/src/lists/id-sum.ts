import { hash as hashOf } from 'node:crypto';
import type { ListedRecord } from '../http/client.ts';
import { keyTexts } from '../page.ts';

/** A set of ids, remembered by their number and the sum of their hashes: the same for the same ids in any order, and small. */
export interface IdSum {
  readonly count: number;
  /** Sum of 64-bit hashes of the ids, modulo 2^64, in hexadecimal. */
  readonly hash: string;
}

export const EMPTY: IdSum = { count: 0, hash: '0' };

export function add(sum: IdSum, records: readonly ListedRecord[], primaryKey: readonly string[]): IdSum {
  let hash = BigInt(`0x${sum.hash}`);
  for (const record of records) {
    hash += hashOf('sha256', JSON.stringify(keyTexts(record, primaryKey)), 'buffer').readBigUInt64LE();
  }
  return { count: sum.count + records.length, hash: BigInt.asUintN(64, hash).toString(16) };
}

export function same(a: IdSum, b: IdSum): boolean {
  return a.count === b.count && a.hash === b.hash;
}
