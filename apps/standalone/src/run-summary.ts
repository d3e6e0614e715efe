import type { Run, Schemas } from '@freshet/client';

/** The result of `npm start -- --once`. */
export interface RunSummary {
  readonly run: Run;
  readonly warehouseUrl: string;
  readonly schema: string;
}

/** Returns the result for programs: one line of JSON. */
export function toJsonLine({ run, warehouseUrl, schema }: RunSummary): string {
  return JSON.stringify({ run, warehouse_url: warehouseUrl, schema });
}

/**
 * Returns the result for a terminal: the status, the objects that need attention, and the location
 * of the data.
 */
export function toSummary({ run, warehouseUrl, schema }: RunSummary): string {
  const { objects } = run;
  const succeeded = objects.filter(({ status }) => status === 'succeeded').length;
  const unavailable = objects.filter(isUnavailable).map(({ object }) => object);
  const failed = objects
    .filter((o) => o.status !== 'succeeded' && o.status !== 'skipped' && !isUnavailable(o))
    .map((o) => `${o.object} (${o.status})`);
  const rejected = objects.reduce((sum, o) => sum + o.records_rejected, 0);
  const lines = [
    `Run ${run.status}: ${succeeded} of ${objects.length} objects succeeded.`,
    ...(failed.length > 0 ? [`Objects that did not succeed: ${failed.join(', ')}.`] : []),
    ...(unavailable.length > 0 ? [`Objects that the API key cannot access: ${unavailable.join(', ')}.`] : []),
    ...(rejected > 0 ? [`Rejected records: ${rejected.toLocaleString('en-US')}.`] : []),
    `Warehouse  psql '${warehouseUrl}'`,
    `Schema     ${schema}`,
  ];
  return `\n${lines.join('\n')}`;
}

/**
 * Returns whether the object does not affect the status of the run, because the API key has never
 * had access to the object.
 */
function isUnavailable({ warnings }: Schemas['ObjectRun']): boolean {
  return warnings.some(({ code }) => code === 'object_unavailable');
}
