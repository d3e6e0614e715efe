import { defineProcessCommand } from '../cli/process-command.ts';

export const scheduler = defineProcessCommand({
  name: 'scheduler',
  summary: 'Start scheduled runs and deliver notifications',
});
