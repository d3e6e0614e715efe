import { createInterface } from 'node:readline/promises';
import { parseArgs } from 'node:util';
import { Freshet, FreshetError } from '@freshet/client';
import { AppError } from '@freshet/contracts';
import { migrateControlDatabase } from '@freshet/control-store';
import { NODE_OPTIONS, readSettings, resolveEntryModule, settings } from '@freshet/runtime';
import { applyPlan } from './apply-plan.ts';
import { readDeployedResources } from './deployed-resources.ts';
import { toManifest } from './export-manifest.ts';
import { formatManifest, readManifest } from './manifest.ts';
import { createPlan, type PlanStep } from './plan.ts';
import { serveMcp } from './serve-mcp.ts';
import { EXIT_DIFFERENT, USAGE } from './usage.ts';

/**
 * The command line: runs a deployment or one of its processes, and maintains deployments. Each file
 * in `commands/` is one command.
 */
// A program such as `head` closes the pipe before it has read the complete output.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

const PROCESSES: readonly string[] = ['api', 'extract-worker', 'load-worker', 'scheduler', 'standalone'];
/** Exit statuses of sysexits.h. */
const EX_USAGE = 64;
const EX_CONFIG = 78;

const ACTION_SYMBOLS: Readonly<Record<PlanStep['action'], string>> = {
  create: '+',
  update: '~',
  delete: '-',
  pause: '~',
  resume: '~',
};

const [command = '', ...args] = process.argv.slice(2);

try {
  await runCommand();
} catch (error) {
  reportError(error);
}

async function runCommand(): Promise<void> {
  if (PROCESSES.includes(command)) return replaceProcess(`../../${command}/src/main`);
  switch (command) {
    case 'rotate-keys':
      return replaceProcess('../../api/src/rotate-keys');
    case 'migrate': {
      const { DATABASE_URL: url } = readSettings({ DATABASE_URL: settings.DATABASE_URL }, process.env);
      await migrateControlDatabase(url);
      return print('The control database is up to date.');
    }
    case 'sign-in': {
      const { url, expiresAt } = await createSignInLink(process.env);
      print(url);
      // The link is the only line on stdout, so that a script can use it.
      process.stderr.write(
        `The link signs in one browser. It is valid until ${expiresAt.toLocaleTimeString('en-GB')}.\n`,
      );
      return;
    }
    case 'diff':
    case 'apply':
      return await diffOrApply(command);
    case 'export': {
      process.stdout.write(formatManifest(toManifest(await readDeployedResources(createClient()))));
      return;
    }
    case 'mcp':
      return await serveMcp(parseUrlOption(), process.env);
    case 'help':
    case '--help':
    case '-h':
      process.stdout.write(USAGE);
      return;
    default:
      if (command !== '') process.stderr.write(`Unknown command "${command}".\n\n`);
      process.stderr.write(USAGE);
      process.exit(EX_USAGE);
  }
}

/** Replaces this process with the given program, so that signals reach the program directly. */
function replaceProcess(main: string): void {
  if (process.execve === undefined)
    throw new AppError(
      'configuration',
      'This Node.js release does not support process.execve. Use the Node.js release in the node_modules folder of this workspace.',
    );
  process.execve(
    process.execPath,
    [process.execPath, ...NODE_OPTIONS, resolveEntryModule(main, import.meta.url), ...args],
    process.env,
  );
}

function createClient(): Freshet {
  const { FRESHET_URL: url, FRESHET_TOKEN: token } = readSettings(
    { FRESHET_URL: settings.serverUrl(['http:', 'https:']), FRESHET_TOKEN: settings.string },
    process.env,
  );
  return new Freshet({ url, token });
}

async function diffOrApply(verb: 'diff' | 'apply'): Promise<void> {
  const options = parseOptions();
  const manifest = readManifest(options.file, process.env);
  const client = createClient();
  const deployed = await readDeployedResources(client);
  const steps = createPlan(manifest, deployed, options);
  for (const step of steps) printStep(step);
  if (steps.length === 0) return print('No changes. The deployment matches the file.');
  if (verb === 'diff') process.exit(EXIT_DIFFERENT);
  if (!options.yes && !(await confirm())) {
    print('Cancelled. No changes were made.');
    process.exit(1);
  }
  const onStep = ({ action, kind, name }: PlanStep) => print(`done: ${action} ${kind} "${name}"`);
  await applyPlan(client, steps, { deployed, adopt: options.adopt, onStep });
}

function parseOptions(): {
  readonly file: string;
  readonly yes: boolean;
  readonly prune: boolean;
  readonly secrets: boolean;
  readonly adopt: boolean;
} {
  try {
    const { values } = parseArgs({
      args,
      options: {
        file: { type: 'string', short: 'f' },
        yes: { type: 'boolean', short: 'y', default: false },
        prune: { type: 'boolean', default: false },
        secrets: { type: 'boolean', default: false },
        adopt: { type: 'boolean', default: false },
      },
    });
    if (values.file !== undefined) return { ...values, file: values.file };
    throw new Error('Option -f FILE is required.');
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${USAGE}`);
    process.exit(EX_USAGE);
  }
}

function parseUrlOption(): string | undefined {
  try {
    return parseArgs({ args, options: { url: { type: 'string' } } }).values.url;
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${USAGE}`);
    process.exit(EX_USAGE);
  }
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function printStep({ action, kind, name, changes }: PlanStep): void {
  print(`${ACTION_SYMBOLS[action]} ${action} ${kind} "${name}"`);
  for (const change of changes) print(`    ${change}`);
}

async function confirm(): Promise<boolean> {
  if (!process.stdin.isTTY) {
    process.stderr.write('Confirmation requires a terminal. Use --yes to apply without confirmation.\n');
    return false;
  }
  const prompt = createInterface({ input: process.stdin, output: process.stdout });
  const reply = await prompt.question('Apply these changes? (yes/no) ');
  prompt.close();
  return reply.trim() === 'yes';
}

function reportError(error: unknown): never {
  if (error instanceof FreshetError) {
    for (const { pointer, detail } of error.errors) process.stderr.write(`${pointer}: ${detail}\n`);
    process.stderr.write(`${error.message}${error.requestId === null ? '' : ` (request ${error.requestId})`}\n`);
    process.exit(1);
  }
  if (!(error instanceof AppError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(error.code === 'configuration' ? EX_CONFIG : error.code === 'invalid_input' ? EX_USAGE : 1);
}
