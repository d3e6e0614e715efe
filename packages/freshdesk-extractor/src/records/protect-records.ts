import type { ObjectSpec } from '../catalogue/define-object.ts';
import type { Page, ReadOptions } from '../reader/page.ts';
import { dropErasedRecords } from './erasure.ts';
import { maskRecords } from './masking.ts';

/**
 * Drops the records of erased people and masks the remaining records. Every page passes through
 * this function before the page leaves the extractor.
 */
export function protectRecords(
  pages: AsyncGenerator<Page>,
  object: ObjectSpec,
  { erasedOwners = [], mask }: ReadOptions,
): AsyncGenerator<Page> {
  const remaining = erasedOwners.length === 0 ? pages : dropErasedRecords(pages, object, erasedOwners);
  return mask ? maskRecords(remaining, mask) : remaining;
}
