import { defineCommand } from '../cli/command.ts';
import { API_ENVIRONMENT, FILE_EXAMPLE } from '../manifest/options.ts';

export const exportManifest = defineCommand({
  name: 'export',
  group: 'configuration',
  summary: 'Print the deployment as a file, without its secrets',
  environment: API_ENVIRONMENT,
  examples: [{ command: `${FILE_EXAMPLE} freshet export > pipelines.yaml`, purpose: 'Write the file' }],
  async run() {
    const { printManifest } = await import('../manifest/apply.ts');
    return await printManifest();
  },
});
