import type { ObjectSpec } from '@freshet/freshdesk-extractor';

/** The names of the strategies in the API. They are part of the contract of the API. */
const STRATEGY_NAMES: Readonly<Record<ObjectSpec['strategy']['kind'], string>> = {
  keyset: 'keyset',
  'changed-since': 'since',
  'full-list': 'sweep',
  children: 'children',
  'daily-export': 'daily_export',
};

export function toCatalogObjectJson(object: ObjectSpec) {
  return {
    name: object.name,
    title: object.title,
    description: object.description,
    docs: object.docs,
    way: STRATEGY_NAMES[object.strategy.kind],
    parent: object.strategy.kind === 'children' ? object.strategy.parent : null,
    permission: object.permission,
    feature: object.feature,
    included_by_default: object.includedByDefault,
    included_if_available: object.includedIfAvailable,
    detail_columns: [...(object.detail?.columns ?? [])],
    primary_key: [...object.primaryKey],
    columns: object.columns.map(({ name, type, description, nullable, optional, values, references }) => ({
      name,
      type,
      description,
      nullable,
      optional,
      values: values === null ? null : { ...values },
      references,
    })),
  };
}
