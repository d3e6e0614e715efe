import { defineCommand } from '../cli/command.ts';
import { STANDALONE_OPTIONS } from '../cli/standalone.ts';

export const backup = defineCommand({
  name: 'backup',
  group: 'maintenance',
  summary: 'Write a consistent backup of the control database to a file',
  description: `Runs pg_dump, which must not be older than the server. You can run the command while Freshet is
running. If the embedded PostgreSQL is stopped, the command starts the server for the backup. The
backup contains neither the encryption keys nor the warehouse. Restore the file with pg_restore.`,
  options: {
    output: {
      type: 'string',
      short: 'o',
      valueName: 'FILE',
      description: 'File to write (default: freshet-<time>.dump)',
    },
    'data-dir': STANDALONE_OPTIONS['data-dir'],
  },
  environment: { DATABASE_URL: 'URL of the control database. Absent: the embedded PostgreSQL' },
  examples: [
    { command: 'freshet backup', purpose: 'Back up a deployment on this machine' },
    {
      command: 'DATABASE_URL=postgres://… freshet backup -o /backup/freshet.dump',
      purpose: 'Back up a control database',
    },
  ],
  exitStatuses: { 78: 'invalid settings, or no suitable pg_dump' },
  async run({ options }) {
    const { createBackup, describeBackup } = await import('../backup/backup.ts');
    process.stdout.write(describeBackup(await createBackup(options, process.env)));
    return 0;
  },
});
