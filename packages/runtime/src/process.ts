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

/**
 * Runs an app until it is told to stop: SIGTERM, SIGINT, or the end of the process that started it (noticed by
 * the closing of the channel between them, even after `kill -9`). A second signal ends it at once.
 * @param name what its traces call it.
 */
export async function runProcess(name: string, logger: Logger, start: () => Promise<Process>): Promise<void> {
  let stopping = false;
  let running: Process | null = null;
  let tracing: Tracing | null = null;
  const stop = (reason: string) => {
    if (stopping) {
      if (reason !== 'parent is gone') process.exit(1);
      return;
    }
    stopping = true;
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
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('SIGINT', () => stop('SIGINT'));
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
