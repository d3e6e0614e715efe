import { runCommandLine } from './cli/run-command-line.ts';
import { COMMANDS } from './commands/index.ts';

/**
 * The command line: runs a deployment or one of its processes, and maintains deployments. Each file
 * in `commands/` is one command.
 */
process.exitCode = await runCommandLine(COMMANDS, process.argv.slice(2));
