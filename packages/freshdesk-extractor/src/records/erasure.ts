import { type ErasedOwners, findErasedOwner, hasErasedOwner, RawObject } from '@freshet/contracts';
import type { ObjectSpec } from '../catalogue/define-object.ts';
import { type ErasedKey, type Page, toText } from '../reader/page.ts';

/**
 * Drops the records that belong to erased people, and the child work of these records, so that
 * neither is stored.
 */
export async function* dropErasedRecords(
  pages: AsyncGenerator<Page>,
  object: ObjectSpec,
  owners: readonly ErasedOwners[],
): AsyncGenerator<Page> {
  for await (const page of pages) yield dropErased(page, object, owners);
}

function dropErased(page: Page, object: ObjectSpec, owners: readonly ErasedOwners[]): Page {
  const erasedKeys: ErasedKey[] = [];
  const lines = page.lines.filter(([head, record]) => {
    // The line of a rejected record is a single chunk.
    if (record === undefined) return head === undefined || !hasErasedOwner(head, owners);
    const owner = findErasedOwner(record, owners);
    if (owner === null) return true;
    erasedKeys.push({ key: toText(RawObject.parse(record).get(object.primaryKey[0] as string)), owner });
    return false;
  });
  const dropped = page.lines.length - lines.length;
  if (dropped === 0) return page;
  const keys = new Set(erasedKeys.map(({ key }) => key));
  return {
    ...page,
    lines,
    recordCount: page.recordCount - dropped,
    erasedKeys,
    childWork: page.childWork.filter(({ parentId }) => !keys.has(parentId)),
  };
}
