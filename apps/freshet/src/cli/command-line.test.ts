import { AppError } from '@freshet/contracts';
import { TOKEN_ROLES } from '@freshet/control-store';
import { describe, expect, test } from 'vitest';
import { COMMANDS } from '../commands/index.ts';
import { type Command, defineCommand, parseInvocation } from './command.ts';
import { COMPLETION_SCRIPTS, complete, SHELLS } from './completion.ts';
import { resolveDataDir } from './data-dir.ts';
import { formatCommandHelp, formatHelp } from './help.ts';

const find = (name: string) => COMMANDS.find((command) => command.name === name) as Command;
const parse = (name: string, ...args: string[]) => parseInvocation(find(name), args);

describe('parseInvocation', () => {
  test('returns the values of the options, and false for absent boolean options', () => {
    expect(parse('apply', '-f', 'x.yaml', '--yes').options).toEqual({
      file: 'x.yaml',
      yes: true,
      prune: false,
      secrets: false,
      adopt: false,
    });
    expect(parse('completion', 'zsh').argument).toBe('zsh');
  });

  test.each([
    ['sync', ['--onec'], "Unknown option '--onec'"],
    ['sync', ['--data-dir'], '--data-dir'],
    ['sync', ['now'], 'Unexpected argument "now" of freshet sync'],
    ['apply', [], 'Option --file FILE is required'],
    ['create-token', ['--name', 'a'], 'Option --role ROLE is required'],
    ['create-token', ['--name', 'a', '--role', 'king'], '--role must be one of team_admin,'],
    ['completion', [], 'shell is required: bash, zsh, fish'],
    ['completion', ['ksh'], 'shell must be one of bash, zsh, fish'],
    ['completion', ['bash', 'zsh'], 'Unexpected argument "zsh"'],
  ])('rejects "freshet %s %j", and names the help of the command', (name, args, message) => {
    let error: unknown;
    try {
      parse(name, ...args);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(AppError);
    expect(error).toMatchObject({ code: 'invalid_input', message: expect.stringContaining(message) });
    expect((error as AppError).message).toContain(`Run "freshet ${name} --help"`);
  });

  test('rejects a value that is not one of the choices of an option', () => {
    const command = defineCommand({
      name: 'print',
      group: 'other',
      summary: 'Print',
      options: { format: { type: 'string', choices: ['json', 'yaml'], description: 'Format' } },
      examples: [],
      run: () => 0,
    });
    expect(() => parseInvocation(command, ['--format', 'xml'])).toThrow('--format must be one of json, yaml.');
  });
});

describe('the help', () => {
  test('lists every command except hidden commands', () => {
    const help = formatHelp(COMMANDS, '1.2.3');
    expect(help).toContain('Freshet 1.2.3');
    for (const { name, summary, isHidden } of COMMANDS)
      expect(help.includes(`  ${name} `) && help.includes(summary), name).toBe(isHidden !== true);
  });

  test('of a command contains its options, examples and exit statuses', () => {
    for (const command of COMMANDS.filter(({ isHidden }) => isHidden !== true)) {
      const help = formatCommandHelp(command);
      expect(command.examples.length, command.name).toBeGreaterThan(0);
      for (const { command: example } of command.examples) expect(help).toContain(example);
      for (const option of Object.keys(command.options ?? {})) expect(help).toContain(`--${option}`);
      expect(help).toMatch(/Exit status:\n {2}0 /);
    }
    expect(formatCommandHelp(find('diff'))).toMatch(/^ {2}2 +there are changes$/m);
  });
});

describe('complete', () => {
  const words = (...line: string[]) => complete(COMMANDS, line).map(({ word }) => word);

  test('returns commands, options, choices of arguments, and nothing where a file is expected', () => {
    expect(words('ex')).toEqual(['extract-worker', 'export']);
    expect(words('')).not.toContain('complete');
    expect(words('--v')).toEqual(['--version']);
    expect(words('apply', '--p')).toEqual(['--prune']);
    expect(words('completion', '')).toEqual(SHELLS);
    expect(words('completion', 'bash', '')).toEqual([]);
    expect(words('help', 'do')).toEqual(['doctor']);
    expect(words('create-token', '--role', '')).toEqual(TOKEN_ROLES);
    expect(words('apply', '-f', '')).toEqual([]);
    expect(words('dance', '')).toEqual([]);
  });

  test('every shell has a script', () => {
    expect(Object.keys(COMPLETION_SCRIPTS)).toEqual(SHELLS);
  });
});

test('resolveDataDir returns the option, FRESHET_DATA_DIR, or a folder in the data folder of the user', () => {
  const environment = { FRESHET_DATA_DIR: '/srv/freshet', XDG_DATA_HOME: '/data' };
  expect(resolveDataDir('/tmp/x', environment)).toBe('/tmp/x');
  expect(resolveDataDir(undefined, environment)).toBe('/srv/freshet');
  expect(resolveDataDir(undefined, { XDG_DATA_HOME: '/data' })).toBe('/data/freshet');
  // The specification requires an absolute path.
  expect(resolveDataDir(undefined, { XDG_DATA_HOME: 'data' })).toMatch(/\/\.local\/share\/freshet$/);
});
