import { parseArgs } from 'node:util';
import { createInvalidInputError } from './errors.ts';

/** An option of a command: `--name` or `--name VALUE`. */
export interface OptionSpec {
  readonly type: 'boolean' | 'string';
  /** The one-letter form. */
  readonly short?: string;
  /** The name of the value in the help, such as `FILE`. Absent: the option has no value. */
  readonly valueName?: string;
  /** The valid values. Absent: every value is valid. */
  readonly choices?: readonly string[];
  readonly description: string;
  readonly isRequired?: boolean;
}

/** The values of the options. An absent boolean option is false. */
type OptionValues<O extends Readonly<Record<string, OptionSpec>>> = {
  readonly [K in keyof O]: O[K] extends { readonly type: 'boolean' }
    ? boolean
    : O[K] extends { readonly isRequired: true }
      ? string
      : string | undefined;
};

/** The sections of the help. */
export const COMMAND_GROUPS = {
  deployment: 'Run Freshet on one machine',
  process: 'Start one process of a deployment. The process reads its settings from the environment',
  maintenance: 'Check and maintain a deployment',
  configuration: 'Manage a deployment with a YAML file',
  other: 'Other commands',
} as const;

export interface CommandSpec<O extends Readonly<Record<string, OptionSpec>>> {
  readonly name: string;
  readonly group: keyof typeof COMMAND_GROUPS;
  /** One line for the list of commands: imperative, without a period. */
  readonly summary: string;
  /** Further sentences for the help of the command. Lines have at most 100 characters. */
  readonly description?: string;
  readonly options?: O;
  /** The only argument of the command. Absent: the command has no argument. */
  readonly argument?: { readonly name: string; readonly choices: readonly string[]; readonly isRequired: boolean };
  /** The environment variables that the command reads: the name and the meaning. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly examples: readonly { readonly command: string; readonly purpose: string }[];
  /** Exit statuses that only this command has, or that have a specific meaning. */
  readonly exitStatuses?: Readonly<Record<number, string>>;
  /** Whether the help and the completion omit the command. */
  readonly isHidden?: boolean;
  /** Whether the command receives its arguments without parsing. */
  readonly hasRawArguments?: boolean;
  /**
   * Runs the command. Import modules with many dependencies in this function, so that the other
   * commands start fast.
   * @returns the exit status. Nothing: 0.
   */
  run(invocation: Invocation<O>): Promise<number | undefined> | number | undefined;
}

interface Invocation<O extends Readonly<Record<string, OptionSpec>>> {
  readonly options: OptionValues<O>;
  readonly argument: string | undefined;
  /** The arguments as the user entered them. */
  readonly rawArguments: readonly string[];
  /** All commands. */
  readonly commands: readonly Command[];
}

type ParsedArguments = Omit<Invocation<Readonly<Record<string, OptionSpec>>>, 'commands'>;

export type Command = CommandSpec<Readonly<Record<string, OptionSpec>>>;

/**
 * Defines a command. A file in `commands/` defines one command, and `commands/index.ts` lists it.
 */
export function defineCommand<const O extends Readonly<Record<string, OptionSpec>>>(spec: CommandSpec<O>): Command {
  // All commands have one type in the list. `parseInvocation` parses the arguments of each command
  // with the options of this command, so `run` receives values of the declared types.
  return spec as unknown as Command;
}

/**
 * Parses the arguments of a command.
 * @throws AppError `invalid_input` that names the invalid option or argument.
 */
export function parseInvocation(command: Command, args: readonly string[]): ParsedArguments {
  if (command.hasRawArguments === true) return { options: {}, argument: undefined, rawArguments: args };
  try {
    return parseArguments(command, args);
  } catch (error) {
    throw createInvalidInputError(
      `${(error as Error).message}\nRun "freshet ${command.name} --help" for the options of the command.`,
    );
  }
}

function parseArguments(command: Command, args: readonly string[]): ParsedArguments {
  const specs = Object.entries(command.options ?? {});
  const { values, positionals } = parse(command, args);
  for (const [name, { isRequired, choices, valueName }] of specs) {
    const value = values[name];
    if (isRequired === true && value === undefined)
      throw createInvalidInputError(`Option --${name} ${valueName ?? ''} is required.`.replace('  ', ' '));
    if (choices !== undefined && value !== undefined && !choices.includes(String(value)))
      throw createInvalidInputError(`--${name} must be one of ${choices.join(', ')}.`);
  }
  const [argument, unexpected] = positionals;
  checkArgument(command, argument, unexpected);
  const booleans = specs.filter(([, { type }]) => type === 'boolean').map(([name]) => [name, false]);
  return { options: { ...Object.fromEntries(booleans), ...values }, argument, rawArguments: args };
}

function parse(
  command: Command,
  args: readonly string[],
): {
  readonly values: Readonly<Record<string, string | boolean | undefined>>;
  readonly positionals: readonly string[];
} {
  const options = Object.fromEntries(
    Object.entries(command.options ?? {}).map(([name, { type, short }]) => [
      name,
      short === undefined ? { type } : { type, short },
    ]),
  );
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    // The messages of Node start with the option, and their second sentence explains positionals.
    throw createInvalidInputError(`${(error as Error).message.split('. ')[0]?.replace(/\.$/, '')}.`);
  }
}

function checkArgument({ name, argument }: Command, value: string | undefined, unexpected: string | undefined): void {
  const surplus = argument === undefined ? value : unexpected;
  if (surplus !== undefined) throw createInvalidInputError(`Unexpected argument "${surplus}" of freshet ${name}.`);
  if (argument === undefined) return;
  if (value === undefined && argument.isRequired)
    throw createInvalidInputError(`${argument.name} is required: ${argument.choices.join(', ')}.`);
  if (value !== undefined && argument.choices.length > 0 && !argument.choices.includes(value))
    throw createInvalidInputError(`${argument.name} must be one of ${argument.choices.join(', ')}.`);
}
