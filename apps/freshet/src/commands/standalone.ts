import { defineCommand } from '../cli/command.ts';
import { STANDALONE_ENVIRONMENT, STANDALONE_OPTIONS, startStandalone } from '../cli/standalone.ts';

export const standalone = defineCommand({
  name: 'standalone',
  group: 'deployment',
  summary: 'Run a complete deployment on this machine (default)',
  description: `Starts an embedded PostgreSQL, the API, the workers and the scheduler, and syncs the account.
Freshet then syncs every six hours until the process receives SIGINT (Ctrl-C) or SIGTERM. The next
start continues with the same data.`,
  options: STANDALONE_OPTIONS,
  environment: STANDALONE_ENVIRONMENT,
  examples: [
    { command: 'freshet', purpose: 'Start with a simulated account' },
    { command: 'FRESHDESK_SUBDOMAIN=acme FRESHDESK_API_KEY=… freshet', purpose: 'Start with your account' },
    { command: 'freshet --port 9000 --data-dir /srv/freshet', purpose: 'Choose the port and the data folder' },
  ],
  exitStatuses: { 0: 'stopped by a signal; with --once, the run succeeded' },
  run: ({ options }) => startStandalone(options),
});
