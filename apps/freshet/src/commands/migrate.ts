import { readSettings, settings } from '@freshet/runtime';
import { defineCommand } from '../cli/command.ts';

export const migrate = defineCommand({
  name: 'migrate',
  group: 'maintenance',
  summary: 'Migrate the control database to this release',
  description: 'Each process also migrates the control database when it starts.',
  environment: { DATABASE_URL: 'URL of the control database' },
  examples: [{ command: 'DATABASE_URL=postgres://… freshet migrate', purpose: 'Migrate before an upgrade' }],
  async run() {
    const { DATABASE_URL: url } = readSettings({ DATABASE_URL: settings.DATABASE_URL }, process.env);
    const { migrateControlDatabase } = await import('@freshet/control-store');
    await migrateControlDatabase(url);
    process.stdout.write('The control database is up to date.\n');
    return 0;
  },
});
