import { type AppError, isConnectionLoss, toAppError } from '@freshet/contracts';
import type { Logger } from './logger.ts';
import { startTracing, type Tracing } from './tracing.ts';

/** A running app. */
export interface Process {
  /** Finishes what is in hand and closes; called once. */
  stop(): Promise<void>;
}

/** A process that has not drained by then ends anyway; what it had in hand is taken over by another. */
const STOP_DEADLINE_MS = 40_000;
/** What shells, terminals, service managers and `kill` send to shut a process down. */
const STOP_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'] as const;
/**
 * Signals within this time are one request. A terminal sends Ctrl-C to every process of a group, a service manager SIGTERM to every
 * process of a unit, and npm, `scripts/run.mjs` and parents forward them again.
 */
const ONE_REQUEST_MS = 2000;

/**
 * Runs an app until a signal of `STOP_SIGNALS`, or until the process that started it has ended (noticed by the closing of the
 * channel between them, even after `kill -9`). A second signal, after `ONE_REQUEST_MS`, ends the process at once.
 * @param name what its traces call it.
 */
export async function runProcess(name: string, logger: Logger, start: () => Promise<Process>): Promise<void> {
  let stoppingSince: number | null = null;
  let running: Process | null = null;
  let tracing: Tracing | null = null;
  const stop = (reason: string) => {
    if (stoppingSince !== null) {
      if (reason !== 'parent is gone' && performance.now() - stoppingSince > ONE_REQUEST_MS) process.exit(1);
      return;
    }
    stoppingSince = performance.now();
    // The terminal, or the reader of a pipe, may be gone: that must not end the shutdown.
    for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
    logger.info({ reason }, 'stopping');
    setTimeout(() => {
      logger.error('not stopped by the deadline');
      process.exit(1);
    }, STOP_DEADLINE_MS).unref();
    // Whoever has just said that it is up is so by the next turn; before an app is up there is nothing to drain.
    setImmediate(() => {
      if (running === null) process.exit(0);
      drain(running);
    });
  };
  const drain = (app: Process) => {
    const stopped = app.stop().then(() => tracing?.stop());
    stopped.then(
      () => {
        logger.info('stopped');
        process.exit(0);
      },
      (error: unknown) => {
        logger.error({ err: error }, 'stopping failed');
        process.exit(1);
      },
    );
  };
  for (const signal of STOP_SIGNALS) process.on(signal, () => stop(signal));
  process.on('disconnect', () => stop('parent is gone'));
  process.on('unhandledRejection', (error) => {
    // Whoever needs the connection finds out for themselves; ending would make an outage of it.
    if (isConnectionLoss(error)) return logger.error({ err: error }, 'a connection was lost that nobody waited for');
    logger.fatal({ err: error }, 'unhandled rejection');
    process.exit(1);
  });
  try {
    tracing = await startTracing(name, process.env);
    running = await start();
  } catch (error) {
    fail(logger, toAppError(error));
  }
}

/** A configuration error is the reader's to mend: words, no stack. Exit status 78 is EX_CONFIG. */
function fail(logger: Logger, error: AppError): never {
  if (error.code === 'configuration' || error.code === 'invalid_input') {
    process.stderr.write(`${error.message}\n`);
    process.exit(78);
  }
  logger.fatal({ err: error }, 'start failed');
  process.exit(1);
}
