import { COMMAND_GROUPS, type Command, type OptionSpec } from './command.ts';
import { EXIT } from './errors.ts';

const EXIT_STATUSES: Readonly<Record<number, string>> = {
  [EXIT.success]: 'success',
  [EXIT.failure]: 'failure',
  [EXIT.usage]: 'unknown command or option, or invalid file',
  [EXIT.configuration]: 'invalid settings',
};

/** Returns the help of `freshet`: all commands, by group. */
export function formatHelp(commands: readonly Command[], version: string): string {
  const visible = commands.filter(({ isHidden }) => isHidden !== true);
  const width = Math.max(...visible.map(({ name }) => name.length));
  const groups = Object.entries(COMMAND_GROUPS).map(([group, title]) => {
    const rows = visible.filter((command) => command.group === group).map(({ name, summary }) => [name, summary]);
    return `${title}:\n${formatRows(rows, width)}`;
  });
  return `Freshet ${version} replicates a Freshdesk account into a PostgreSQL warehouse.

Usage: freshet [command] [options]

Without a command, freshet starts a complete deployment ("freshet standalone").

${groups.join('\n\n')}

Options:
${formatRows([
  ['-h, --help', 'Show this help, or the help of a command: freshet <command> --help'],
  ['-V, --version', 'Print the version'],
])}

Examples:
${formatExamples([
  { command: 'freshet', purpose: 'Start with a simulated account' },
  { command: 'FRESHDESK_SUBDOMAIN=acme FRESHDESK_API_KEY=… freshet', purpose: 'Start with your account' },
  { command: 'freshet doctor', purpose: 'Find the cause of a problem' },
])}

Exit status:
${formatRows(Object.entries({ ...EXIT_STATUSES, [EXIT.different]: 'differences (diff)' }))}
`;
}

/** Returns the help of one command. */
export function formatCommandHelp(command: Command): string {
  const { name, summary, description, options = {}, argument, environment = {}, examples } = command;
  const argumentText =
    argument === undefined ? '' : argument.isRequired ? ` <${argument.name}>` : ` [${argument.name}]`;
  const optionRows = [
    ...Object.entries(options).map(([option, spec]) => [formatOption(option, spec), describeOption(spec)]),
    ['-h, --help', 'Show this help'],
  ];
  const sections = [
    `${summary}.${description === undefined ? '' : `\n\n${description}`}`,
    `Usage: freshet ${name}${argumentText} [options]`,
    `Options:\n${formatRows(optionRows)}`,
    ...(Object.keys(environment).length === 0 ? [] : [`Environment:\n${formatRows(Object.entries(environment))}`]),
    ...(examples.length === 0 ? [] : [`Examples:\n${formatExamples(examples)}`]),
    `Exit status:\n${formatRows(Object.entries({ ...EXIT_STATUSES, ...command.exitStatuses }))}`,
  ];
  return `${sections.join('\n\n')}\n`;
}

function formatOption(name: string, { short, valueName }: OptionSpec): string {
  const prefix = short === undefined ? '    ' : `-${short}, `;
  return `${prefix}--${name}${valueName === undefined ? '' : ` ${valueName}`}`;
}

function describeOption({ description, choices, isRequired }: OptionSpec): string {
  const values = choices === undefined ? '' : `: ${choices.join(', ')}`;
  return `${description}${values}${isRequired === true ? ' (required)' : ''}`;
}

/**
 * Aligns the second column.
 * @param minWidth the minimum width of the first column.
 */
function formatRows(rows: readonly (readonly (string | undefined)[])[], minWidth = 0): string {
  const width = Math.max(minWidth, ...rows.map(([first = '']) => first.length));
  return rows.map(([first = '', second = '']) => `  ${first.padEnd(width)}  ${second}`.trimEnd()).join('\n');
}

function formatExamples(examples: Command['examples']): string {
  return examples.map(({ command, purpose }) => `  # ${purpose}\n  ${command}`).join('\n');
}
