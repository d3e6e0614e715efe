import type { Run } from '@freshet/client';

/**
 * Returns the text that `npm start` prints after the first run: the URLs and the token of the
 * deployment, and example queries.
 */
export function toNextSteps(options: {
  readonly run: Run;
  readonly apiUrl: string;
  readonly token: string;
  readonly warehouseUrl: string;
  readonly schema: string;
  /** Whether the account is the simulated account. */
  readonly isDemo: boolean;
}): string {
  const { run, apiUrl, token, warehouseUrl, schema, isDemo } = options;
  return `
Freshet is running. Press Ctrl-C to stop it. The next start continues with the same data.

  Console        ${apiUrl}/console
  API            ${apiUrl}   (reference: ${apiUrl}/docs)
  Token          ${token}
  Example        curl -H 'Authorization: Bearer ${token}' -H 'Accept: application/json; indent=2' ${apiUrl}/v1/runs
  Warehouse      psql '${warehouseUrl}'
                 select * from ${schema}.${findLargestObject(run)} order by _freshet_loaded_at desc limit 10;
                 select * from ${schema}._freshet_objects;   -- freshness and history of each table
${isDemo ? '  Your account   FRESHDESK_SUBDOMAIN=acme FRESHDESK_API_KEY=… npm start\n' : ''}`;
}

/** Returns the object of which the run extracted the most records. */
function findLargestObject({ objects }: Run): string {
  return objects.reduce((a, b) => (b.records_extracted > a.records_extracted ? b : a)).object;
}
