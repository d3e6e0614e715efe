import { flushCompileCache } from 'node:module';
import { type AppError, isConnectionLoss, toAppError } from '@freshet/contracts';
import type { Logger } from './logger.ts';
import { limitHeapGrowth } from './node-options.ts';
import type { TraceExporter } from './trace-export.ts';
import { startTracing } from './tracing.ts';

/** A started program. */
export interface Stoppable {
  /** Completes or requeues work in progress, and closes connections. This method is called once. */
  stop(): Promise<void>;
}

/** A process that has not drained within this time exits. Other workers then acquire its jobs. */
const SHUTDOWN_TIMEOUT_MS = 40_000;
/** The signals with which shells, terminals, service managers and `kill` request a shutdown. */
const SHUTDOWN_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'] as const;
/**
 * Signals within this interval count as one request. A terminal sends Ctrl-C to all processes of
 * a group, a service manager sends SIGTERM to all processes of a unit, and npm, `scripts/run.mjs`
 * and parent processes forward the signal again.
 */
const SIGNAL_DEDUPLICATION_MS = 2000;
/** EX_CONFIG of sysexits.h. */
const EX_CONFIG = 78;

/** The reason for a shutdown after the parent process has exited. */
const PARENT_EXITED = 'parent exited';

/**
 * Runs a program until a shutdown signal arrives or the parent process exits. The process detects
 * the exit of its parent through the closed IPC channel, even after `kill -9`. A second signal that
 * arrives more than two seconds after the first signal ends the process immediately.
 *
 * Exit statuses: 0 after an orderly shutdown, unless the program has set `process.exitCode`; 78 for
 * an invalid configuration; 1 otherwise.
 * @param name the service name in traces.
 * @param start starts the program. A program whose parts take long to start passes itself to
 *   `setProgram` before it starts them, so that a shutdown during the start stops these parts.
 */
export async function runProcess(
  name: string,
  logger: Logger,
  start: (setProgram: (program: Stoppable) => void) => Promise<Stoppable>,
): Promise<void> {
  let shutdownAt: number | null = null;
  let program: Stoppable | null = null;
  let traceExporter: TraceExporter | null = null;
  const shutDown = (reason: string) => {
    if (shutdownAt !== null) {
      if (reason !== PARENT_EXITED && performance.now() - shutdownAt > SIGNAL_DEDUPLICATION_MS) process.exit(1);
      return;
    }
    shutdownAt = performance.now();
    // A closed terminal or pipe must not interrupt the shutdown.
    for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
    logger.info({ reason }, 'shutting down');
    setTimeout(() => {
      logger.error('shutdown timed out');
      process.exit(1);
    }, SHUTDOWN_TIMEOUT_MS).unref();
    // Wait one turn of the event loop, because `program` may not be assigned yet although `start`
    // has resolved. If `program` is still null, there is nothing to drain.
    setImmediate(() => {
      if (program === null) process.exit();
      void stopProgram(program, traceExporter, logger);
    });
  };
  for (const signal of SHUTDOWN_SIGNALS) process.on(signal, () => shutDown(signal));
  process.on('disconnect', () => shutDown(PARENT_EXITED));
  exitOnUnhandledRejections(logger);
  try {
    traceExporter = await startTracing(name, process.env);
    program = await start((starting) => {
      program = starting;
    });
    // Later starts then need not compile the code that ran so far. If the code did not run from a
    // bundle, there is no cache.
    flushCompileCache();
    limitHeapGrowth();
  } catch (error) {
    // A shutdown during the start causes errors that are not start failures.
    if (shutdownAt === null) reportStartFailure(logger, toAppError(error));
  }
}

async function stopProgram(program: Stoppable, traceExporter: TraceExporter | null, logger: Logger): Promise<never> {
  try {
    await program.stop();
    await traceExporter?.stop();
  } catch (error) {
    logger.error({ err: error }, 'shutdown failed');
    process.exit(1);
  }
  logger.info('stopped');
  process.exit();
}

function exitOnUnhandledRejections(logger: Logger): void {
  process.on('unhandledRejection', (error) => {
    // Do not exit, because the next query on the connection reports the loss.
    if (isConnectionLoss(error)) return logger.error({ err: error }, 'idle connection lost');
    logger.fatal({ err: error }, 'unhandled rejection');
    process.exit(1);
  });
}

/**
 * The operator can correct a configuration error, so only its message is printed, without a stack
 * trace.
 */
function reportStartFailure(logger: Logger, error: AppError): never {
  if (error.code === 'configuration' || error.code === 'invalid_input') {
    process.stderr.write(`${error.message}\n`);
    process.exit(EX_CONFIG);
  }
  logger.fatal({ err: error }, 'start failed');
  process.exit(1);
}
