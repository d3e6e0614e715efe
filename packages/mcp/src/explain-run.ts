import type { Run, Schemas } from '@freshet/client';
import { ERROR_POLICY } from '@freshet/contracts';
import { z } from 'zod';

type FailedUnit = Schemas['FailedUnitList']['data'][number];
type ObjectRun = Run['objects'][number];

const failure = z.object({ code: z.string(), message: z.string() });
const time = z.string().nullable();

/** The output of `explain_run`. */
export const explanation = z.object({
  run_id: z.string(),
  pipeline_id: z.string(),
  kind: z.string(),
  status: z.string(),
  trigger: z.string(),
  created_at: z.string(),
  finished_at: time,
  summary: z.string(),
  totals: z.object({
    extracted: z.number(),
    loaded: z.number(),
    unchanged: z.number(),
    deleted: z.number(),
    rejected: z.number(),
    credits_used: z.number(),
  }),
  problems: z.array(
    z.object({
      object: z.string(),
      status: z.string(),
      error: failure.nullable(),
      failed_units: z.number(),
      records_rejected: z.number(),
      warnings: z.array(failure),
      not_before: time.describe('The object waits for credits or for a retry until this time.'),
    }),
  ),
  failed_units: z.array(
    z.object({
      object: z.string(),
      key: z.string(),
      attempts: z.number(),
      error: failure,
      next_attempt_at: z.string(),
    }),
  ),
  has_more_failed_units: z.boolean(),
  actions: z.array(z.string()),
});

/** Explains the outcome of a run, and lists the necessary actions. */
export function explainRun(run: Run, units: readonly FailedUnit[], hasMoreUnits: boolean): z.infer<typeof explanation> {
  const { id, pipeline_id, kind, status, trigger, created_at, finished_at } = run;
  return {
    run_id: id,
    pipeline_id,
    kind,
    status,
    trigger,
    created_at,
    finished_at,
    summary: summarize(run),
    totals: getTotals(run.objects),
    problems: run.objects.filter(hasProblem).map((object) => ({
      object: object.object,
      status: object.status,
      error: object.error,
      failed_units: object.failed_units,
      records_rejected: object.records_rejected,
      warnings: object.warnings.map(({ code, message }) => ({ code, message })),
      not_before: object.not_before,
    })),
    failed_units: units.map(({ object, key, attempts, error, next_attempt_at }) => ({
      object,
      key,
      attempts,
      error,
      next_attempt_at,
    })),
    has_more_failed_units: hasMoreUnits,
    actions: listActions(run, units),
  };
}

function hasProblem({ error, warnings, records_rejected, failed_units, not_before }: ObjectRun): boolean {
  return error !== null || warnings.length > 0 || records_rejected > 0 || failed_units > 0 || not_before !== null;
}

function summarize({ status, objects, finished_at }: Run): string {
  const { extracted, loaded, credits_used } = getTotals(objects);
  const counts = Map.groupBy(objects, (object) => object.status);
  const byStatus = [...counts].map(([name, group]) => `${group.length} ${name}`).join(', ');
  const state = finished_at === null ? `is ${status} and has not finished` : `has the status ${status}`;
  return `The run ${state}. Objects: ${byStatus}. The run extracted ${extracted} records, inserted or updated ${loaded} rows, and used ${credits_used} credits.`;
}

function getTotals(objects: readonly ObjectRun[]) {
  const sum = (pick: (object: ObjectRun) => number) => objects.reduce((total, object) => total + pick(object), 0);
  return {
    extracted: sum((o) => o.records_extracted),
    loaded: sum((o) => o.records_loaded),
    unchanged: sum((o) => o.records_unchanged),
    deleted: sum((o) => o.records_deleted),
    rejected: sum((o) => o.records_rejected),
    credits_used: sum((o) => o.credits_used),
  };
}

/** Lists the remedies of all errors, each only once, with the objects that they concern. */
function listActions({ objects }: Run, units: readonly FailedUnit[]): string[] {
  const objectsByCode = new Map<string, Set<string>>();
  for (const { object, error } of [...objects, ...units]) {
    if (error === null) continue;
    objectsByCode.set(error.code, (objectsByCode.get(error.code) ?? new Set()).add(object));
  }
  const actions = [...objectsByCode].map(
    ([code, names]) => `${code} (${[...names].sort().join(', ')}): ${findRemedy(code)}`,
  );
  const rejected = objects.filter(({ records_rejected: count }) => count > 0).map(({ object }) => object);
  if (rejected.length > 0)
    actions.push(
      `Rejected records (${rejected.join(', ')}): correct the cause, then replay the records in the console.`,
    );
  if (units.length > 0)
    actions.push(
      'Failed units: Freshet retries them at next_attempt_at. You can also retry or discard them in the console.',
    );
  return actions;
}

function findRemedy(code: string): string {
  return Object.hasOwn(ERROR_POLICY, code)
    ? ERROR_POLICY[code as keyof typeof ERROR_POLICY].remedy
    : 'See the list of error codes in the documentation.';
}
