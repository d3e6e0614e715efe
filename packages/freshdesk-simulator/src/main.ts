import { parseArgs } from 'node:util';
import { catalogue } from '@freshet/freshdesk-extractor';
import { PLANS, type Plan } from './limits.ts';
import { DEFAULT_KEYS, FreshdeskSimulator } from './server.ts';

const HELP = `freshdesk-simulator: a Freshdesk account that answers API v2 on this machine.

  --port N          port to listen on (default: any free one; printed as JSON when it listens)
  --host NAME       address to listen on (default 127.0.0.1)
  --seed N          the same seed gives the same account (default 1)
  --as-of TIME      the newest record changed just before this time (RFC 3339; default now)
  --span-days N     the oldest record was created so long before (default 365)
  --plan NAME       ${Object.keys(PLANS).join(', ')} (default unlimited)
  --without NAME    a feature that the plan lacks (Surveys, Timesheets, Archive Tickets, …); may be repeated
  --<object> N      how many records it has: ${catalogue.map((o) => `--${o.name.replaceAll('_', '-')}`).join(', ')}

API keys: ${Object.keys(DEFAULT_KEYS).join(', ')}. Any password.
`;

const objectFlags = Object.fromEntries(
  catalogue.map((o) => [o.name.replaceAll('_', '-'), { type: 'string' as const }]),
);

function usage(message: string): never {
  process.stderr.write(`${message}\n\n${HELP}`);
  process.exit(2);
}

function wholeNumber(flag: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  if (!/^\d+$/.test(text)) usage(`--${flag} takes a whole number, not "${text}".`);
  return Number(text);
}

function parse() {
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
        help: { type: 'boolean' },
      },
    }).values as Record<string, string | boolean | string[] | undefined>;
  } catch (error) {
    return usage((error as Error).message);
  }
}

const flags = parse();
if (flags['help']) {
  process.stdout.write(HELP);
  process.exit(0);
}
const text = (name: string) => flags[name] as string | undefined;
const plan = text('plan') ?? 'unlimited';
if (!(plan in PLANS)) usage(`--plan takes one of ${Object.keys(PLANS).join(', ')}, not "${plan}".`);
const asOf = new Date(text('as-of') ?? Date.now());
if (Number.isNaN(asOf.getTime())) usage(`--as-of takes a time such as 2026-01-31T12:00:00Z, not "${text('as-of')}".`);
const counts: Record<string, number> = {};
for (const { name } of catalogue) {
  const flag = name.replaceAll('_', '-');
  if (text(flag) !== undefined) counts[name] = wholeNumber(flag, text(flag), 0);
}

const simulator = new FreshdeskSimulator({
  seed: wholeNumber('seed', text('seed'), 1),
  asOf,
  spanDays: wholeNumber('span-days', text('span-days'), 365),
  plan: plan as Plan,
  withoutFeatures: (flags['without'] as string[] | undefined) ?? [],
  counts,
  host: text('host') ?? '127.0.0.1',
  port: wholeNumber('port', text('port'), 0),
});
const origin = await simulator
  .listen()
  .catch((error: NodeJS.ErrnoException) =>
    usage(`Cannot listen on ${text('host') ?? '127.0.0.1'}:${text('port') ?? 0}: ${error.message}`),
  );
process.stdout.write(`${JSON.stringify({ listening: origin })}\n`);
process.send?.({ listening: origin });

const stop = () => void simulator.close().then(() => process.exit(0));
for (const event of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'disconnect']) process.on(event, stop);
