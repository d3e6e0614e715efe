import { hash as getDigest } from 'node:crypto';
import type { ListedRecord } from '../http/response-parser.ts';
import { getKeyValues } from '../reader/page.ts';

/**
 * A small fingerprint of a set of keys. The fingerprint does not depend on the order of the keys.
 */
export interface IdSum {
  readonly count: number;
  /** The sum of 64-bit hashes of the keys, modulo 2^64, in hexadecimal. */
  readonly hash: string;
}

export const EMPTY_SUM: IdSum = { count: 0, hash: '0' };

const digestBytes = Buffer.alloc(32);

export function addToSum(sum: IdSum, records: readonly ListedRecord[], primaryKey: readonly string[]): IdSum {
  let hash = BigInt(`0x${sum.hash}`);
  for (const record of records) {
    // A digest in hexadecimal is several times as fast as a digest in a new buffer.
    digestBytes.write(getDigest('sha256', JSON.stringify(getKeyValues(record, primaryKey)), 'hex'), 'hex');
    hash += digestBytes.readBigUInt64LE();
  }
  return { count: sum.count + records.length, hash: BigInt.asUintN(64, hash).toString(16) };
}

export function isEqualSum(a: IdSum, b: IdSum): boolean {
  return a.count === b.count && a.hash === b.hash;
}
