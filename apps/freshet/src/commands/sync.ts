import { defineCommand } from '../cli/command.ts';
import { STANDALONE_ENVIRONMENT, STANDALONE_OPTIONS, startStandalone } from '../cli/standalone.ts';

export const sync = defineCommand({
  name: 'sync',
  group: 'deployment',
  summary: 'Sync the account. With --once, exit after the run, for example in a cron job',
  description: `Starts the same deployment as "freshet standalone". If the output is not a terminal, the last
line of the output with --once is a JSON object with the keys run, warehouse_url and schema.`,
  options: STANDALONE_OPTIONS,
  environment: STANDALONE_ENVIRONMENT,
  examples: [
    { command: 'FRESHDESK_SUBDOMAIN=acme FRESHDESK_API_KEY=… freshet sync --once', purpose: 'Sync once' },
    { command: "freshet sync --once | tail -n 1 | jq -r '.run.status'", purpose: 'Print the status of the run' },
  ],
  exitStatuses: {
    0: 'the run succeeded',
    1: 'the run failed, succeeded only partly, or was interrupted by a signal',
  },
  run: ({ options }) => startStandalone(options),
});
