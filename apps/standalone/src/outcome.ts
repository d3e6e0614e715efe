import type { RunAnswer } from './api-client.ts';

/** The outcome of `npm start -- --once`. */
export interface Outcome {
  readonly run: RunAnswer;
  readonly warehouseUrl: string;
  readonly schema: string;
}

/** For programs: one line of JSON. */
export function toJsonLine({ run, warehouseUrl, schema }: Outcome): string {
  return JSON.stringify({ run, warehouse_url: warehouseUrl, schema });
}

/** For a terminal, below the table of the run: its status in a sentence, what needs attention, and where the data is. */
export function toSummary({ run, warehouseUrl, schema }: Outcome): string {
  const { objects } = run;
  const succeeded = objects.filter(({ status }) => status === 'succeeded').length;
  const unavailable = objects.filter(isUnavailable).map(({ object }) => object);
  const failed = objects
    .filter((o) => o.status !== 'succeeded' && o.status !== 'skipped' && !isUnavailable(o))
    .map((o) => `${o.object} (${o.status})`);
  const rejected = objects.reduce((sum, o) => sum + o.records_rejected, 0);
  const lines = [
    `The run is ${run.status}: ${succeeded} of ${objects.length} objects succeeded.`,
    ...(failed.length > 0 ? [`Did not succeed: ${failed.join(', ')}.`] : []),
    ...(unavailable.length > 0 ? [`Not available to the API key: ${unavailable.join(', ')}.`] : []),
    ...(rejected > 0 ? [`Rejected records: ${rejected.toLocaleString('en-US')}.`] : []),
    `Warehouse  psql '${warehouseUrl}'`,
    `Schema     ${schema}`,
  ];
  return `\n${lines.join('\n')}`;
}

/** Whether the status of the run ignores the object, because no API key has been able to read it. */
function isUnavailable({ warnings }: RunAnswer['objects'][number]): boolean {
  return warnings.some(({ code }) => code === 'object_unavailable');
}
