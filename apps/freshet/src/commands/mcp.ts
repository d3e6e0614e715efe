import { defineCommand } from '../cli/command.ts';

export const mcp = defineCommand({
  name: 'mcp',
  group: 'other',
  summary: 'Serve the Model Context Protocol (MCP) to an assistant',
  description: `An assistant starts this command, and sends requests over standard input. The tools call the API
of a running deployment with the role and the scopes of the token.`,
  options: { url: { type: 'string', valueName: 'URL', description: 'Address of the API' } },
  environment: { FRESHET_URL: 'Same as --url', FRESHET_TOKEN: 'API token' },
  examples: [
    {
      command: 'FRESHET_TOKEN=… freshet mcp --url http://127.0.0.1:8080',
      purpose: 'Command that the assistant starts',
    },
  ],
  async run({ options }) {
    const { serveMcp } = await import('../serve-mcp.ts');
    await serveMcp(options.url, process.env);
    return 0;
  },
});
