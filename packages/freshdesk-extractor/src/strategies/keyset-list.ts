import type { KeysetStrategy, ListView } from '../catalogue/strategies.ts';
import type { ObjectReader } from '../reader/object-reader.ts';

/** A filtered list in the order of its cursor column. */
export interface KeysetList {
  readonly reader: ObjectReader;
  readonly strategy: KeysetStrategy;
  readonly view: ListView;
}

/** Builds the query for the records that changed since a given time, oldest first. */
export function buildKeysetQuery({ strategy, view }: KeysetList, since: string): Readonly<Record<string, string>> {
  return { ...view.query, [strategy.sinceParam]: since, order_by: strategy.cursorColumn, order_type: 'asc' };
}
