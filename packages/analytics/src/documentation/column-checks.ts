import { readFileSync } from 'node:fs';
import { splitHeader } from '../models/headers.ts';

/** The properties of a column's values that the header of a model declares. */
export interface ColumnChecks {
  readonly isNotNull: boolean;
  readonly acceptedValues: readonly (string | number)[] | null;
  /** The column of another model that contains each value. */
  readonly references: { readonly model: string; readonly column: string } | null;
}

interface CheckedHeader {
  readonly columns: Readonly<
    Record<
      string,
      { readonly not_null?: boolean; readonly accepted_values?: (string | number)[]; readonly references?: string }
    >
  >;
}

/** Reads the checks of a model's columns, by column. */
export function readColumnChecks(model: string): ReadonlyMap<string, ColumnChecks> {
  const file = new URL(`../../../../integrations/dbt/models/${model}.sql`, import.meta.url);
  const { columns } = splitHeader(model, readFileSync(file, 'utf8')).header as CheckedHeader;
  return new Map(
    Object.entries(columns).map(([name, column]) => {
      const [target, field] = column.references?.split('.') ?? [];
      return [
        name,
        {
          isNotNull: column.not_null === true,
          acceptedValues: column.accepted_values ?? null,
          references: target && field ? { model: target, column: field } : null,
        },
      ];
    }),
  );
}
