import { defineProcessCommand } from '../cli/process-command.ts';

export const extractWorker = defineProcessCommand({
  name: 'extract-worker',
  summary: 'Extract records from Freshdesk',
});
