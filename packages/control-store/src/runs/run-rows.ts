import type { CreditClass, RunMode } from '@freshet/contracts';
import { getTableColumns } from 'drizzle-orm';
import { objectRuns, runs } from '../database/schema/index.ts';

/** The columns that only workers use. */
export const INTERNAL_COLUMNS = [
  'position',
  'extract_epoch',
  'credits_by_class',
  'records_expected',
  'units_done',
  'failures',
  'is_long',
] as const;

type RunRow = typeof runs.$inferSelect;
export type ObjectRun = Omit<typeof objectRuns.$inferSelect, (typeof INTERNAL_COLUMNS)[number]>;
export type Run = RunRow & {
  readonly objects: readonly ObjectRun[];
  /**
   * The part of the account's rate limit that the pipeline may use, in credits per minute. Null:
   * the account is unlimited, its rate limit is unknown, or the run is not running.
   */
  readonly credits_per_minute: number | null;
};

/** The values that differ between the object runs of a new run. */
export interface QueuedObjectRun {
  readonly id: string;
  readonly name: string;
  readonly creditClass: CreditClass;
  readonly mode: RunMode;
}

const RUN_COLUMNS = Object.values(getTableColumns(runs));
const OBJECT_RUN_COLUMNS = Object.values(getTableColumns(objectRuns)).filter(
  ({ name }) => !(INTERNAL_COLUMNS as readonly string[]).includes(name),
);
/** The values of the columns that an insert statement does not contain. */
const DEFAULT_RUN = getDefaults(RUN_COLUMNS) as RunRow;
const DEFAULT_OBJECT_RUN = getDefaults(OBJECT_RUN_COLUMNS) as ObjectRun;

function getDefaults(columns: readonly { readonly name: string; readonly default: unknown }[]): object {
  return Object.fromEntries(columns.map(({ name, default: value }) => [name, value ?? null]));
}

/**
 * Parses an object run from a JSON array of its columns.
 * @param values the values in the order of `buildColumnList`. Times are strings.
 */
export function parseObjectRun(values: readonly unknown[]): ObjectRun {
  // A copy, because adding each property to an empty object takes longer.
  const objectRun: Record<string, unknown> = { ...DEFAULT_OBJECT_RUN };
  OBJECT_RUN_COLUMNS.forEach(({ name, dataType }, index) => {
    const value = values[index];
    objectRun[name] = dataType === 'date' && value !== null ? new Date(value as string) : value;
  });
  return objectRun as unknown as ObjectRun;
}

/**
 * Builds a run that was just inserted. Reading the run from the database instead would take longer
 * than inserting it.
 * @param objects the object runs, in the order in which the store returns them.
 */
export function buildQueuedRun(
  run: Pick<RunRow, 'id' | 'pipeline_id' | 'kind' | 'trigger' | 'traceparent' | 'created_at'>,
  objects: readonly QueuedObjectRun[],
): Run {
  return {
    ...DEFAULT_RUN,
    ...run,
    objects: objects.map(({ id, name, creditClass, mode }) => ({
      ...DEFAULT_OBJECT_RUN,
      id,
      run_id: run.id,
      pipeline_id: run.pipeline_id,
      object: name,
      credit_class: creditClass,
      mode,
    })),
    credits_per_minute: null,
  };
}
