import { parseArgs } from 'node:util';
import { catalogue } from '@freshet/freshdesk-extractor';
import { PLANS, type Plan } from './limits.ts';
import { DEFAULT_KEYS, FreshdeskSimulator } from './server.ts';

const HELP = `Usage: node packages/freshdesk-simulator/src/main.ts [options]

Simulates a Freshdesk account: serves API v2 on this machine.

Options:
  --port N        Port to listen on (default: a free port; printed as JSON at startup)
  --host NAME     Address to listen on (default: 127.0.0.1)
  --seed N        Seed of the account; the same seed generates the same account (default: 1)
  --as-of TIME    Time of the newest change (RFC 3339; default: now)
  --span-days N   Days between the creation of the oldest record and --as-of (default: 365)
  --plan NAME     Rate limits: ${Object.keys(PLANS).join(', ')} (default: unlimited)
  --lifecycle     Give tickets coherent life cycles, for reports; use at most some 10,000 tickets
  --without NAME  Feature that the plan lacks, such as Surveys, Timesheets or "Archive Tickets"; repeatable
  --help          Print this help
  --<object> N    Number of records of an object:
${catalogue.map((o) => `                  --${o.name.replaceAll('_', '-')}`).join('\n')}

API keys: ${Object.keys(DEFAULT_KEYS).join(', ')}. The password is ignored.
`;

const objectFlags = Object.fromEntries(
  catalogue.map((o) => [o.name.replaceAll('_', '-'), { type: 'string' as const }]),
);

function exitWithUsage(message: string): never {
  process.stderr.write(`${message}\n\n${HELP}`);
  process.exit(2);
}

function parseInteger(flag: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  if (!/^\d+$/.test(text)) exitWithUsage(`--${flag} must be a non-negative integer, not "${text}".`);
  return Number(text);
}

function parseFlags() {
  try {
    return parseArgs({
      options: {
        ...objectFlags,
        port: { type: 'string' },
        host: { type: 'string' },
        seed: { type: 'string' },
        'as-of': { type: 'string' },
        'span-days': { type: 'string' },
        plan: { type: 'string' },
        without: { type: 'string', multiple: true },
        lifecycle: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    }).values as Record<string, string | boolean | string[] | undefined>;
  } catch (error) {
    return exitWithUsage((error as Error).message);
  }
}

const flags = parseFlags();
if (flags['help']) {
  process.stdout.write(HELP);
  process.exit(0);
}
const getText = (name: string) => flags[name] as string | undefined;
const plan = getText('plan') ?? 'unlimited';
if (!(plan in PLANS)) exitWithUsage(`--plan must be one of ${Object.keys(PLANS).join(', ')}, not "${plan}".`);
const asOf = new Date(getText('as-of') ?? Date.now());
if (Number.isNaN(asOf.getTime()))
  exitWithUsage(`--as-of must be a time such as 2026-01-31T12:00:00Z, not "${getText('as-of')}".`);
const counts: Record<string, number> = {};
for (const { name } of catalogue) {
  const flag = name.replaceAll('_', '-');
  if (getText(flag) !== undefined) counts[name] = parseInteger(flag, getText(flag), 0);
}

const simulator = new FreshdeskSimulator({
  seed: parseInteger('seed', getText('seed'), 1),
  asOf,
  spanDays: parseInteger('span-days', getText('span-days'), 365),
  plan: plan as Plan,
  missingFeatures: (flags['without'] as string[] | undefined) ?? [],
  counts,
  lifecycle: flags['lifecycle'] === true,
  host: getText('host') ?? '127.0.0.1',
  port: parseInteger('port', getText('port'), 0),
});
const origin = await simulator
  .listen()
  .catch((error: NodeJS.ErrnoException) =>
    exitWithUsage(`Cannot listen on ${getText('host') ?? '127.0.0.1'}:${getText('port') ?? 0}: ${error.message}`),
  );
process.stdout.write(`${JSON.stringify({ listening: origin })}\n`);
process.send?.({ listening: origin });

const stop = () => void simulator.close().then(() => process.exit(0));
for (const event of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'disconnect']) process.on(event, stop);
