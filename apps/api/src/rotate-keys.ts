/**
 * Re-encrypts, with the newest key of `FRESHET_SECRET_KEYS`, all stored secrets that use a
 * different key. Then exits. Other processes can keep running during the rotation.
 */
import { openControlStore } from '@freshet/control-store';
import { createLogger, readSettings, runProcess, settings } from '@freshet/runtime';

const logger = createLogger('rotate-keys', process.env['LOG_LEVEL'] || 'info');

await runProcess('rotate-keys', logger, async () => {
  const env = readSettings(
    { DATABASE_URL: settings.DATABASE_URL, FRESHET_SECRET_KEYS: settings.FRESHET_SECRET_KEYS },
    process.env,
  );
  const store = await openControlStore({
    databaseUrl: env.DATABASE_URL,
    secretKeys: env.FRESHET_SECRET_KEYS,
    supervise: false,
    onError: (error) => logger.warn({ err: error }, 'Job queue error'),
  });
  const rewrapped = await store.rotateKeys();
  await store.close();
  process.stdout.write(`Re-encrypted ${rewrapped} secrets with the newest key.\n`);
  process.exit(0);
});
