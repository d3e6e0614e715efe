import { isOwnedLine, type LinePieces, type Owners, ownerOf, RawObject } from '@freshet/contracts';
import type { ObjectSpec } from '../catalogue/define.ts';
import { type ErasedKey, type Page, textOf } from '../page.ts';

/** The same pages without the records that belong to somebody who is erased, and without the work that those call for: they are stored nowhere. */
export async function* withoutErased(
  pages: AsyncGenerator<Page>,
  object: ObjectSpec,
  owners: readonly Owners[],
): AsyncGenerator<Page> {
  for await (const page of pages) {
    const erased: ErasedKey[] = [];
    let left = 0;
    const lines = page.lines.filter((line) => {
      const [head, record] = line;
      if (record === undefined) {
        if (head === undefined || !isOwnedLine(head, owners)) return true;
        left++;
        return false;
      }
      const owner = ownerOf(record, owners);
      if (owner === null) return true;
      left++;
      erased.push({ key: textOf(RawObject.of(record).get(object.primaryKey[0] as string)), owner });
      return false;
    });
    if (left === 0) yield page;
    else {
      const keys = new Set(erased.map(({ key }) => key));
      yield {
        ...page,
        lines: lines as LinePieces[],
        records: page.records - left,
        erased,
        work: page.work.filter(({ parentId }) => !keys.has(parentId)),
      };
    }
  }
}
