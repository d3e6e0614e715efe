import { type Column, type FieldRule, type FieldRules, getColumnNameByPath, type Table } from '@freshet/contracts';
import type { ObjectSpec } from './define-object.ts';

/**
 * Returns the warehouse table of an object: its documented columns and the columns of the account's
 * own fields.
 * @param rules the user's field rules (rename, hash, drop), by field.
 */
export function toTable(object: ObjectSpec, customColumns: readonly Column[] = [], rules: FieldRules = {}): Table {
  const { strategy } = object;
  const columns: readonly Column[] = [
    ...object.columns.map(
      ({ name, type, description, path }): Column => ({
        name,
        type,
        description,
        documented: true,
        ...(path === undefined ? {} : { path }),
      }),
    ),
    // Custom columns that an earlier release stored may have names that do not follow the naming
    // rule.
    ...customColumns.map((column) =>
      column.path === undefined ? column : { ...column, name: getColumnNameByPath(column.path) },
    ),
  ];
  return {
    name: object.name,
    description: object.description,
    columns: columns.map((column) => applyRule(column, rules)),
    primaryKey: object.primaryKey,
    versionColumn: object.columns.some((c) => c.name === 'updated_at') ? 'updated_at' : null,
    lookupColumns: listLookupColumns(strategy),
    customFieldsColumn: object.customFields?.field ?? null,
    renames: Object.fromEntries(
      Object.entries(rules).flatMap(([field, { rename }]) => (rename === undefined ? [] : [[field, rename]])),
    ),
  };
}

function listLookupColumns(strategy: ObjectSpec['strategy']): readonly string[] {
  if (strategy.kind === 'children') return [strategy.parentColumn];
  return strategy.kind === 'daily-export' ? [strategy.lookupColumn] : [];
}

function applyRule(column: Column, rules: FieldRules): Column {
  const path = column.path ?? [column.name];
  const field = path.join('.');
  // A masked field contains no nested values, so their columns stay empty.
  if (path.slice(0, -1).some((_, i) => isMasked(rules, path.slice(0, i + 1)))) return { ...column, dropped: true };
  if (!Object.hasOwn(rules, field)) return column;
  const { rename, hash, drop } = rules[field] as FieldRule;
  return {
    name: rename ?? column.name,
    // The documented type applies to the value. If the user chose to hash the field, the column
    // holds the hash, which is text.
    type: hash === true ? 'text' : column.type,
    ...(column.documented === true && hash !== true ? { documented: true as const } : {}),
    description: column.description,
    path,
    ...(drop === true ? { dropped: true as const } : {}),
  };
}

function isMasked(rules: FieldRules, path: readonly string[]): boolean {
  const field = path.join('.');
  const rule = Object.hasOwn(rules, field) ? rules[field] : undefined;
  return rule?.drop === true || rule?.hash === true;
}

/**
 * Lists the fields to which a user's rules cannot apply, because extraction and loading depend on
 * them.
 */
export function listProtectedFields(object: ObjectSpec): readonly string[] {
  const { strategy } = object;
  const cursors = strategy.kind === 'keyset' || strategy.kind === 'changed-since' ? [strategy.cursorColumn] : [];
  const parents = strategy.kind === 'children' ? [strategy.parentColumn] : [];
  return [...new Set([...object.primaryKey, ...cursors, 'updated_at', ...parents])];
}
