import { defineCommand } from '../cli/command.ts';
import { STANDALONE_OPTIONS } from '../cli/standalone.ts';

export const doctor = defineCommand({
  name: 'doctor',
  group: 'maintenance',
  summary: 'Check this machine, the settings and the connections, and suggest remedies',
  description: `Checks Node.js, the data folder, the disk, PostgreSQL (version, privileges, schema), the clocks, DNS,
the Freshdesk API key, the port and, with FRESHET_URL and FRESHET_TOKEN, a running deployment.
The command reads the same settings as the process that you want to check, and changes nothing.
The test of the API key uses about 25 credits. The output contains no secrets.`,
  options: {
    json: { type: 'boolean', description: 'Print the results as JSON' },
    'data-dir': STANDALONE_OPTIONS['data-dir'],
  },
  environment: {
    FRESHDESK_SUBDOMAIN: 'Account to test, together with FRESHDESK_API_KEY',
    WAREHOUSE_URL: 'Warehouse to test',
    DATABASE_URL: 'Control database to test',
    FRESHET_SECRET_KEYS: 'Encryption keys to test',
    FRESHET_URL: 'API of a deployment to test, together with FRESHET_TOKEN',
  },
  examples: [
    { command: 'FRESHDESK_SUBDOMAIN=acme FRESHDESK_API_KEY=… freshet doctor', purpose: 'Check before the first start' },
    {
      command: 'freshet doctor --json | jq \'.checks[] | select(.status == "failed")\'',
      purpose: 'List the failed checks in a script',
    },
  ],
  exitStatuses: { 0: 'no check failed; there may be warnings', 1: 'at least one check failed' },
  async run({ options }) {
    const { runDoctor } = await import('../doctor/doctor.ts');
    return await runDoctor(options);
  },
});
