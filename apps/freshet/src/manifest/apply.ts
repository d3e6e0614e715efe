import { createInterface } from 'node:readline/promises';
import { createClient } from '../cli/api-client.ts';
import { EXIT } from '../cli/errors.ts';
import { applyPlan } from './apply-plan.ts';
import { readDeployedResources } from './deployed-resources.ts';
import { toManifest } from './export-manifest.ts';
import { formatManifest, readManifest } from './manifest.ts';
import { createPlan, type PlanOptions, type PlanStep } from './plan.ts';

/** The commands that manage the resources of a deployment with a manifest. */

const ACTION_SYMBOLS: Readonly<Record<PlanStep['action'], string>> = {
  create: '+',
  update: '~',
  delete: '-',
  pause: '~',
  resume: '~',
};

interface DiffOptions extends PlanOptions {
  readonly file: string;
}

interface ApplyOptions extends DiffOptions {
  readonly yes: boolean;
  readonly adopt: boolean;
}

/** Prints the differences between the file and the deployment. @returns the exit status. */
export async function diffManifest(options: DiffOptions): Promise<number> {
  const { steps } = await planChanges(options);
  return steps.length === 0 ? EXIT.success : EXIT.different;
}

/** Prints the plan, and executes it if the user confirms. @returns the exit status. */
export async function applyManifest(options: ApplyOptions): Promise<number> {
  const { client, deployed, steps } = await planChanges(options);
  if (steps.length === 0) return EXIT.success;
  if (!options.yes && !(await confirm())) {
    print('Cancelled. No changes were made.');
    return EXIT.failure;
  }
  const onStep = ({ action, kind, name }: PlanStep) => print(`done: ${action} ${kind} "${name}"`);
  await applyPlan(client, steps, { deployed, adopt: options.adopt, onStep });
  return EXIT.success;
}

/** Prints the deployment as a manifest. @returns the exit status. */
export async function printManifest(): Promise<number> {
  process.stdout.write(formatManifest(toManifest(await readDeployedResources(createClient(process.env)))));
  return EXIT.success;
}

async function planChanges(options: DiffOptions) {
  const manifest = readManifest(options.file, process.env);
  const client = createClient(process.env);
  const deployed = await readDeployedResources(client);
  const steps = createPlan(manifest, deployed, options);
  for (const step of steps) printStep(step);
  if (steps.length === 0) print('No changes. The deployment matches the file.');
  return { client, deployed, steps };
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
