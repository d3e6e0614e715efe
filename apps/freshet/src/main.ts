import { createInterface } from 'node:readline/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Freshet, FreshetError } from '@freshet/client';
import { AppError } from '@freshet/contracts';
import { migrateControlDatabase } from '@freshet/control-store';
import { readSettings, settings, WORKER_NODE_OPTIONS } from '@freshet/runtime';
import { applySteps } from './apply.ts';
import { exported } from './export.ts';
import { type Manifest, readManifest, writeManifest } from './manifest.ts';
import { planOf, readDeployed, type Step } from './plan.ts';

/** `freshet`: every kind of process, and a deployment as a file. */

const PROCESSES = ['api', 'extract-worker', 'load-worker', 'scheduler', 'standalone'] as const;
/** EX_USAGE, EX_CONFIG (sysexits.h). */
const [EX_USAGE, EX_CONFIG] = [64, 78] as const;
/** Of `diff`: there is something to do. */
const DIFFERENT = 2;

const USAGE = `Usage: freshet <command>

  api | extract-worker | load-worker | scheduler    one process of a deployment, set up by its environment
  standalone                                        all of them, with an embedded PostgreSQL
  migrate                                           bring the control database up to this release, and end
  rotate-keys                                       put every stored secret under the newest key, and end
  apply  -f FILE [--yes] [--prune] [--secrets] [--adopt]
                                                    make the deployment what a file says; shows the plan first
  diff   -f FILE [--prune]                          show the plan only; status ${DIFFERENT} if there is something to do
  export                                            print the deployment as such a file, without its secrets

apply, diff and export call the API at FRESHET_URL with the token FRESHET_TOKEN.
`;

const SIGNS: Readonly<Record<Step['action'], string>> = {
  create: '+',
  change: '~',
  delete: '-',
  pause: '~',
  resume: '~',
};

const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};
const [command = '', ...args] = process.argv.slice(2);

try {
  await run();
} catch (error) {
  if (error instanceof FreshetError) {
    for (const { pointer, detail } of error.errors) process.stderr.write(`${pointer}: ${detail}\n`);
    process.stderr.write(`${error.message}${error.requestId === null ? '' : ` (request ${error.requestId})`}\n`);
    process.exit(1);
  }
  if (!(error instanceof AppError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(error.code === 'configuration' ? EX_CONFIG : error.code === 'invalid_input' ? EX_USAGE : 1);
}

async function run(): Promise<void> {
  if ((PROCESSES as readonly string[]).includes(command)) return become(`../../${command}/src/main.ts`);
  switch (command) {
    case 'rotate-keys':
      return become('../../api/src/rotate-keys.ts');
    case 'migrate': {
      await migrateControlDatabase(readSettings({ DATABASE_URL: settings.DATABASE_URL }, process.env).DATABASE_URL);
      return say('The control database is that of this release.');
    }
    case 'apply':
    case 'diff':
      return await plan(command);
    case 'export': {
      process.stdout.write(writeManifest(exported(await readDeployed(client()))));
      return;
    }
    default:
      (command === 'help' || command === '--help' ? process.stdout : process.stderr).write(USAGE);
      process.exit(command === 'help' || command === '--help' ? 0 : EX_USAGE);
  }
}

/** Turns into the process: signals reach it, and nothing stands between. */
function become(main: string): void {
  if (process.execve === undefined)
    throw new AppError(
      'configuration',
      'This Node cannot turn into another process: use the one that the workspace pins.',
    );
  process.execve(
    process.execPath,
    [process.execPath, ...WORKER_NODE_OPTIONS, fileURLToPath(new URL(main, import.meta.url)), ...args],
    process.env,
  );
}

function client(): Freshet {
  const { FRESHET_URL: url, FRESHET_TOKEN: token } = readSettings(
    { FRESHET_URL: settings.serverUrl(['http:', 'https:']), FRESHET_TOKEN: settings.text },
    process.env,
  );
  return new Freshet({ url, token });
}

async function plan(verb: 'apply' | 'diff'): Promise<void> {
  const options = optionsOf();
  const manifest: Manifest = readManifest(options.file, process.env);
  const freshet = client();
  const deployed = await readDeployed(freshet);
  const steps = planOf(manifest, deployed, options);
  for (const step of steps) show(step);
  if (steps.length === 0) return say('Everything is as the file says.');
  if (verb === 'diff') process.exit(DIFFERENT);
  if (!options.yes && !(await confirmed())) {
    say('Nothing was done.');
    process.exit(1);
  }
  await applySteps(freshet, steps, { deployed, adopt: options.adopt }, (step) =>
    say(`done: ${step.action} ${step.kind} "${step.name}"`),
  );
}

function optionsOf(): {
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
    throw new Error('-f FILE is needed; - is standard input.');
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${USAGE}`);
    process.exit(EX_USAGE);
  }
}

function show({ action, kind, name, said }: Step): void {
  say(`${SIGNS[action]} ${action} ${kind} "${name}"`);
  for (const line of said) say(`    ${line}`);
}

async function confirmed(): Promise<boolean> {
  if (!process.stdin.isTTY) {
    process.stderr.write('Nobody can be asked here: say --yes.\n');
    return false;
  }
  const asking = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await asking.question('Do that? (yes/no) ');
  asking.close();
  return answer.trim() === 'yes';
}
