import { defineCommand } from '../cli/command.ts';
import { STANDALONE_OPTIONS } from '../cli/standalone.ts';

export const signIn = defineCommand({
  name: 'sign-in',
  group: 'maintenance',
  summary: 'Print a one-time link that signs in to the console',
  description: `Uses the API at FRESHET_URL or, without this variable, the deployment that "freshet" or "npm start"
runs with the data folder. The link is the only line on stdout.`,
  options: { 'data-dir': STANDALONE_OPTIONS['data-dir'] },
  environment: {
    FRESHET_URL: 'Address of the API, together with FRESHET_TOKEN',
    FRESHET_TOKEN: 'API token. The link signs in with the role of this token',
  },
  examples: [{ command: 'freshet sign-in', purpose: 'Sign in to the deployment on this machine' }],
  async run({ options }) {
    const { createSignInLink } = await import('../sign-in.ts');
    const { url, expiresAt } = await createSignInLink(process.env, options['data-dir']);
    process.stdout.write(`${url}\n`);
    process.stderr.write(`The link is valid for one sign-in, until ${expiresAt.toLocaleTimeString('en-GB')}.\n`);
    return 0;
  },
});
