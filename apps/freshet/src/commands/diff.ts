import { defineCommand } from '../cli/command.ts';
import { EXIT } from '../cli/errors.ts';
import { API_ENVIRONMENT, FILE_EXAMPLE, PLAN_OPTIONS } from '../manifest/options.ts';

export const diff = defineCommand({
  name: 'diff',
  group: 'configuration',
  summary: 'Show the changes that apply would make',
  options: PLAN_OPTIONS,
  environment: API_ENVIRONMENT,
  examples: [{ command: `${FILE_EXAMPLE} freshet diff -f pipelines.yaml`, purpose: 'Show the changes' }],
  exitStatuses: { 0: 'the deployment matches the file', [EXIT.different]: 'there are changes' },
  async run({ options }) {
    const { diffManifest } = await import('../manifest/apply.ts');
    return await diffManifest(options);
  },
});
