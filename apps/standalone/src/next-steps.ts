import type { Run } from '@freshet/client';
import { formatEntry } from './run-summary.ts';

/**
 * Returns the text that `npm start` prints below the summary of the first run: the API, the token
 * and example queries.
 */
export function toNextSteps(options: {
  readonly run: Run;
  readonly apiUrl: string;
  readonly token: string;
  readonly schema: string;
  /** Whether the account is the simulated account. */
  readonly isDemo: boolean;
  /** The schema of the analytics models. Null: there are no models. */
  readonly modelsSchema: string | null;
  /** The command that starts the deployment, such as `npm start`. */
  readonly startCommand: string;
}): string {
  const { run, apiUrl, token, schema, isDemo, modelsSchema, startCommand } = options;
  const entries = [
    ['API', `${apiUrl}   (reference: ${apiUrl}/docs)`],
    ['Help', `${apiUrl}/help`],
    ['Token', token],
    ['Example', `curl -H 'Authorization: Bearer ${token}' -H 'Accept: application/json; indent=2' ${apiUrl}/v1/runs`],
    ['Queries', `select * from ${schema}.${findLargestObject(run)} order by _freshet_loaded_at desc limit 10;`],
    ['', `select * from ${schema}._freshet_objects;   -- freshness and history of each table`],
    ...(modelsSchema === null
      ? []
      : [['', `select * from ${modelsSchema}.daily_summary order by day desc limit 10;   -- analytics models`]]),
    ...(isDemo ? [['Your account', `FRESHDESK_SUBDOMAIN=acme FRESHDESK_API_KEY=… ${startCommand}`]] : []),
  ];
  return `
${entries.map(([name = '', value = '']) => formatEntry(name, value)).join('\n')}

Freshet is running. Press Ctrl-C to stop it. The next start continues with the same data.
`;
}

/** Returns the object of which the run extracted the most records. */
function findLargestObject({ objects }: Run): string {
  return objects.reduce((a, b) => (b.records_extracted > a.records_extracted ? b : a)).object;
}
