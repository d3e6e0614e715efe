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
  /** Whether the warehouse contains analytics models. */
  readonly hasModels: boolean;
}): string {
  const { run, apiUrl, token, warehouseUrl, schema, isDemo, hasModels } = options;
  const modelsQuery = `select * from ${schema}_analytics.daily_summary order by day desc limit 10;`;
  return `
${entries.map(([name = '', value = '']) => formatEntry(name, value)).join('\n')}

  Console        ${apiUrl}/console
  API            ${apiUrl}   (reference: ${apiUrl}/docs)
  Token          ${token}
  Example        curl -H 'Authorization: Bearer ${token}' -H 'Accept: application/json; indent=2' ${apiUrl}/v1/runs
  Warehouse      psql '${warehouseUrl}'
                 select * from ${schema}.${findLargestObject(run)} order by _freshet_loaded_at desc limit 10;
                 select * from ${schema}._freshet_objects;   -- freshness and history of each table
${hasModels ? `                 ${modelsQuery}   -- analytics models\n` : ''}${isDemo ? '  Your account   FRESHDESK_SUBDOMAIN=acme FRESHDESK_API_KEY=… npm start\n' : ''}`;
}

/** Returns the object of which the run extracted the most records. */
function findLargestObject({ objects }: Run): string {
  return objects.reduce((a, b) => (b.records_extracted > a.records_extracted ? b : a)).object;
}
