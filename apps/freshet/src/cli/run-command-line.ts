import { AppError } from '@freshet/contracts';
import { type Command, parseInvocation } from './command.ts';
import { EXIT } from './errors.ts';
import { formatCommandHelp, formatHelp } from './help.ts';
import { readVersion } from './version.ts';

/** The command that runs if the user enters none. */
const DEFAULT_COMMAND = 'standalone';

/**
 * Runs the command that the arguments name.
 * @param args the arguments after `freshet`.
 * @returns the exit status.
 */
export async function runCommandLine(commands: readonly Command[], args: readonly string[]): Promise<number> {
  const [first = DEFAULT_COMMAND, ...rest] = args;
  if (first === '--help' || first === '-h') return print(formatHelp(commands, readVersion()));
  if (first === '--version' || first === '-V') return print(`${readVersion()}\n`);
  // An option without a command belongs to the default command.
  const name = first.startsWith('-') ? DEFAULT_COMMAND : first;
  const command = commands.find((candidate) => candidate.name === name);
  if (command === undefined) return rejectCommand(commands, name);
  const commandArgs = first.startsWith('-') ? args : rest;
  const isHelp = command.hasRawArguments !== true && commandArgs.some((arg) => arg === '--help' || arg === '-h');
  if (isHelp) return print(formatCommandHelp(command));
  try {
    const invocation = parseInvocation(command, commandArgs);
    return (await command.run({ ...invocation, commands })) ?? EXIT.success;
  } catch (error) {
    return await reportError(error);
  }
}

function rejectCommand(commands: readonly Command[], name: string): number {
  const similar = commands.find(
    (command) => command.isHidden !== true && (command.name.startsWith(name) || name.startsWith(command.name)),
  );
  const hint = similar === undefined ? '' : ` Did you mean "${similar.name}"?`;
  process.stderr.write(
    `Unknown command "${name}".${hint}\nUsage: freshet [command] [options]\nRun "freshet --help" for all commands.\n`,
  );
  return EXIT.usage;
}

function print(text: string): number {
  process.stdout.write(text);
  return EXIT.success;
}

/** Prints an error that the user can correct. @returns the exit status. */
async function reportError(error: unknown): Promise<number> {
  // The module is loaded only now, because most commands do not call the API.
  const { FreshetError } = await import('@freshet/client');
  if (error instanceof FreshetError) {
    for (const { pointer, detail } of error.errors) process.stderr.write(`${pointer}: ${detail}\n`);
    process.stderr.write(`${error.message}${error.requestId === null ? '' : ` (request ${error.requestId})`}\n`);
    return EXIT.failure;
  }
  if (!(error instanceof AppError)) throw error;
  process.stderr.write(`${error.message}\n`);
  if (error.code === 'configuration') return EXIT.configuration;
  return error.code === 'invalid_input' ? EXIT.usage : EXIT.failure;
}
