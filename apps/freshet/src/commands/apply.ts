import { defineCommand } from '../cli/command.ts';
import { API_ENVIRONMENT, FILE_EXAMPLE, PLAN_OPTIONS } from '../manifest/options.ts';

export const apply = defineCommand({
  name: 'apply',
  group: 'configuration',
  summary: 'Show the changes and apply them after confirmation',
  options: {
    ...PLAN_OPTIONS,
    yes: { type: 'boolean', short: 'y', description: 'Apply without confirmation' },
    adopt: { type: 'boolean', description: 'Let new pipelines continue from the state of their existing tables' },
  },
  environment: API_ENVIRONMENT,
  examples: [
    { command: `${FILE_EXAMPLE} freshet apply -f pipelines.yaml`, purpose: 'Apply a file' },
    {
      command: 'freshet apply -f pipelines.yaml --prune --yes',
      purpose: 'In CI: also delete resources that the file does not contain',
    },
  ],
  exitStatuses: { 1: 'failure, or the changes were not confirmed' },
  async run({ options }) {
    const { applyManifest } = await import('../manifest/apply.ts');
    return await applyManifest(options);
  },
});
