import { resolveDataDir } from './data-dir.ts';
import { replaceProcess } from './replace-process.ts';

/** The options of the commands that run a complete deployment on this machine. */
export const STANDALONE_OPTIONS = {
  once: { type: 'boolean', description: 'Exit after one run' },
  'data-dir': {
    type: 'string',
    valueName: 'FOLDER',
    description: 'Folder for data, keys, token and logs (default: ~/.local/share/freshet)',
  },
  port: { type: 'string', valueName: 'PORT', description: 'Port of the API and the console (default: 8080)' },
} as const;

export const STANDALONE_ENVIRONMENT = {
  FRESHDESK_SUBDOMAIN: 'Account to replicate: the part before .freshdesk.com. Absent: a simulated account',
  FRESHDESK_API_KEY: 'API key of the account',
  FRESHDESK_HISTORICAL_SYNC_DAYS: 'Days of history that the first sync reads, or "all" (default: 30)',
  WAREHOUSE_URL: 'Warehouse: postgres://user:password@host:5432/database. Absent: an embedded PostgreSQL',
  FRESHET_DATA_DIR: 'Same as --data-dir',
};

/** Replaces this process with a complete deployment. */
export function startStandalone(options: {
  readonly once: boolean;
  readonly 'data-dir': string | undefined;
  readonly port: string | undefined;
}): never {
  const { once, port } = options;
  const environment = Object.entries(process.env).filter(([name]) => !name.startsWith('FRESHET_DATA_DIR'));
  return replaceProcess('standalone/src/main', once ? ['--once'] : [], {
    ...Object.fromEntries(environment),
    FRESHET_DATA_DIR: resolveDataDir(options['data-dir'], process.env),
    // The texts of the deployment name the command that starts it.
    FRESHET_START_COMMAND: process.env['npm_command'] === 'exec' ? 'npx freshet' : 'freshet',
    ...(port === undefined ? {} : { PORT: port }),
  });
}
