import type { ObjectSpec } from './define.ts';
import { catalogue } from './index.ts';

/** The object whose records are people. */
export const people = catalogue.find((object) => object.person !== null) as ObjectSpec;

/** A field by which records belong to those of another object, and that object; their own key first, for those who can be erased themselves. */
export interface OwnerField {
  readonly field: string;
  readonly object: string;
}

/** By what an object's records are erased along with others. */
export function ownerFields(object: ObjectSpec): OwnerField[] {
  const fields = object.columns.flatMap(({ name, owner, references }) =>
    owner && references !== null ? [{ field: name, object: references }] : [],
  );
  if (fields.length === 0 && object !== people) return [];
  return [{ field: object.primaryKey[0] as string, object: object.name }, ...fields];
}

/** Every object that erasing a person reaches, owners before what belongs to them. */
export function erasedObjects(): ObjectSpec[] {
  const order: ObjectSpec[] = [people];
  let found = true;
  while (found) {
    found = false;
    for (const object of catalogue) {
      const owners = ownerFields(object).filter((owner) => owner.object !== object.name);
      if (order.includes(object) || owners.length === 0) continue;
      if (!owners.every((owner) => order.some((o) => o.name === owner.object))) continue;
      order.push(object);
      found = true;
    }
  }
  return order;
}
