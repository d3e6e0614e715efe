import { defineProcessCommand } from '../cli/process-command.ts';

export const api = defineProcessCommand({
  name: 'api',
  summary: 'Serve the HTTP API and the console',
  environment: {
    HOST: 'Address to listen on (default: 127.0.0.1)',
    PORT: 'Port to listen on (default: 8080)',
    FRESHET_BOOTSTRAP_TOKEN: 'Value of the first API token',
  },
});
