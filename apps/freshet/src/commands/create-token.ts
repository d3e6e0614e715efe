import type { TokenRole } from '@freshet/control-store';
import { defineCommand } from '../cli/command.ts';
import { STANDALONE_OPTIONS } from '../cli/standalone.ts';

/** The roles. An import of the control store would delay the start of every command. */
const ROLES = ['team_admin', 'team_collaborator', 'pipeline_admin', 'observer'] as const satisfies readonly TokenRole[];

export const createToken = defineCommand({
  name: 'create-token',
  group: 'maintenance',
  summary: 'Create an API token in the control database, and print it once',
  description: `Creates the first token of a deployment, or a new token if all tokens are lost. The command
needs access to the control database, but no token and no running API. The token is the only line on
stdout. The audit log records the user name and the host name. If the embedded PostgreSQL is
stopped, the command starts the server, and stops it after the token is created.`,
  options: {
    name: { type: 'string', valueName: 'NAME', description: 'Name of the token', isRequired: true },
    role: { type: 'string', valueName: 'ROLE', choices: ROLES, description: 'Role of the token', isRequired: true },
    expires: {
      type: 'string',
      valueName: 'TIME',
      description: '12h, 90d, 2027-01-31 (UTC) or 2027-01-31T08:00:00Z (default: no expiry)',
    },
    'data-dir': STANDALONE_OPTIONS['data-dir'],
  },
  environment: { DATABASE_URL: 'URL of the control database. Absent: the embedded PostgreSQL' },
  examples: [
    {
      command: 'DATABASE_URL=postgres://… freshet create-token --name admin --role team_admin',
      purpose: 'Create the first token of a deployment',
    },
    {
      command: 'freshet create-token --name "CI checks" --role observer --expires 90d',
      purpose: 'Create a token for the deployment on this machine, valid for 90 days',
    },
  ],
  exitStatuses: { 78: 'invalid settings, or the control database cannot be used' },
  async run({ options }) {
    const { createToken: create, describeToken } = await import('../create-token.ts');
    const created = await create({ ...options, role: options.role as TokenRole }, process.env);
    process.stdout.write(`${created.value}\n`);
    process.stderr.write(describeToken(created));
    return 0;
  },
});
