import { runCommandLine } from './cli/run-command-line.ts';
import { COMMANDS } from './commands/index.ts';

/**
 * The command line: runs a deployment or one of its processes, and maintains deployments. Each file
 * in `commands/` is one command.
 */
// A program such as `head` closes the pipe before it has read the complete output.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

process.exitCode = await runCommandLine(COMMANDS, process.argv.slice(2));
