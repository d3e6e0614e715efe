import { defineProcessCommand } from '../cli/process-command.ts';

export const loadWorker = defineProcessCommand({ name: 'load-worker', summary: 'Load records into warehouses' });
