import type { ObjectSpec } from './define-object.ts';
import { catalogue } from './index.ts';

/** The object whose records are people. */
export const personObject = catalogue.find((object) => object.person !== null) as ObjectSpec;

/**
 * A field that identifies the owner of a record. The owner is a record of a different object or,
 * for people, the record itself.
 */
export interface OwnerField {
  readonly field: string;
  /** The object of the owner. */
  readonly object: string;
}

/**
 * Lists the fields that determine which records of an object are erased: first the primary key,
 * then references to owners.
 */
export function listOwnerFields(object: ObjectSpec): OwnerField[] {
  const fields = object.columns.flatMap(({ name, isOwner, references }) =>
    isOwner && references !== null ? [{ field: name, object: references }] : [],
  );
  if (fields.length === 0 && object !== personObject) return [];
  return [{ field: object.primaryKey[0] as string, object: object.name }, ...fields];
}

/**
 * Lists the objects that the erasure of a person affects. An object of owners comes before the
 * objects whose records belong to these owners.
 */
export function listErasedObjects(): ObjectSpec[] {
  const order: ObjectSpec[] = [personObject];
  let hasGrown = true;
  while (hasGrown) {
    hasGrown = false;
    for (const object of catalogue) {
      const owners = listOwnerFields(object).filter((owner) => owner.object !== object.name);
      if (order.includes(object) || owners.length === 0) continue;
      if (!owners.every((owner) => order.some((o) => o.name === owner.object))) continue;
      order.push(object);
      hasGrown = true;
    }
  }
  return order;
}
