import { defineCommand } from '../cli/command.ts';
import { createInvalidInputError } from '../cli/errors.ts';
import { formatCommandHelp, formatHelp } from '../cli/help.ts';
import { readVersion } from '../cli/version.ts';

export const help = defineCommand({
  name: 'help',
  group: 'other',
  summary: 'Print the help of all commands, or of one command',
  argument: { name: 'command', choices: [], isRequired: false },
  examples: [{ command: 'freshet help sync', purpose: 'Print the help of the command sync' }],
  run({ argument, commands }) {
    const command = commands.find(({ name }) => name === argument);
    if (argument !== undefined && command === undefined)
      throw createInvalidInputError(`Unknown command "${argument}". Run "freshet --help" for all commands.`);
    process.stdout.write(command === undefined ? formatHelp(commands, readVersion()) : formatCommandHelp(command));
    return 0;
  },
});
