import { execSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { AppError, parseHost } from '@freshet/contracts';
import { z } from 'zod';

const url = (protocols: readonly string[]) =>
  z.string().refine((text) => protocols.includes(URL.parse(text)?.protocol ?? ''), {
    error: `must be a URL that starts with ${protocols.map((p) => `${p}//`).join(' or ')}`,
  });

/** A URL of a server that is reached over the network. */
const serverUrl = (protocols: readonly string[]) =>
  url(protocols).refine(
    (text) => !protocols.includes(URL.parse(text)?.protocol ?? '') || isHost(URL.parse(text)?.hostname ?? ''),
    {
      error: 'must name a host: a host name or an IP address, and no path of a socket',
    },
  );

function isHost(text: string): boolean {
  try {
    parseHost(text);
    return true;
  } catch (error) {
    if (error instanceof AppError) return false;
    throw error;
  }
}

function isOrigin(text: string): boolean {
  const found = URL.parse(text);
  if (found === null || !/^https?:$/.test(found.protocol) || !isHost(found.hostname)) return false;
  return (
    found.pathname === '/' && found.search === '' && found.hash === '' && found.username === '' && found.password === ''
  );
}

/** Parameters by which PostgreSQL's drivers connect to another server than the one that a URL names. */
const SERVER_PARAMETERS = ['host', 'hostaddr', 'port', 'service'];

const wholeNumber = (from: number, to: number) =>
  z
    .string()
    .regex(/^\d+$/, { error: `must be a whole number from ${from} to ${to}` })
    .transform(Number)
    .refine((n) => n >= from && n <= to, { error: `must be a whole number from ${from} to ${to}` });

/** The variables that more than one app reads, each with what a right value looks like. */
export const settings = {
  DATABASE_URL: url(['postgres:', 'postgresql:']),
  FRESHET_SECRET_KEYS: z.string().min(1, { error: 'must hold at least one key, as <id>:<base64 of 32 bytes>' }),
  FRESHET_BOOTSTRAP_TOKEN: z.string().optional(),
  FRESHDESK_ORIGIN: z
    .string()
    .refine((text) => isOrigin(text.replaceAll('{subdomain}', 'subdomain')), {
      error: 'must be an origin such as https://proxy.example:8443, with no path, user or password',
    })
    .optional(),
  WAREHOUSE_URL: serverUrl(['postgres:', 'postgresql:']).refine(
    (text) => !SERVER_PARAMETERS.some((name) => URL.parse(text)?.searchParams.has(name)),
    {
      error: `must name its server before the database, and not by a parameter (${SERVER_PARAMETERS.join(', ')})`,
    },
  ),
  FRESHET_ALLOWED_ADDRESSES: z.string().default(''),
  HOST: z.string().default('127.0.0.1'),
  PORT: wholeNumber(0, 65_535),
  /** Where `/livez`, `/readyz` and `/metrics` of a worker or scheduler answer; absent: nowhere. */
  FRESHET_MONITOR_PORT: wholeNumber(0, 65_535).optional(),
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'], {
      error: 'must be one of trace, debug, info, warn, error, silent',
    })
    .default('info'),
  /** Any text that is not empty. */
  text: z.string(),
  serverUrl,
  wholeNumber,
  literal: <const T extends string>(value: T) => z.literal(value, { error: `must be ${value}` }),
} as const;

/**
 * Reads an app's settings once, from its environment. An empty variable counts as absent. Each may be given as what a file
 * holds (`<NAME>_FILE`, as orchestrators mount secrets) or what a command prints (`<NAME>_COMMAND`, as a vault is asked).
 * @throws AppError `configuration`: one message for all that is missing or malformed, by name, never by value.
 */
export function readSettings<T extends z.ZodRawShape>(
  shape: T,
  environment: Readonly<Record<string, string | undefined>>,
): z.infer<z.ZodObject<T>> {
  const values = Object.fromEntries(
    Object.keys(shape).flatMap((name) => {
      const value = given(name, environment);
      return value === null ? [] : [[name, value]];
    }),
  );
  const result = z.object(shape).safeParse(values);
  if (result.success) return result.data as z.infer<z.ZodObject<T>>;
  const lines = result.error.issues.map((issue) => {
    const name = issue.path.join('.');
    return `  ${name} ${name in values ? issue.message : 'is missing'}`;
  });
  throw new AppError(
    'configuration',
    `The environment is not right:\n${[...new Set(lines)].join('\n')}\n.env.example lists every variable.`,
  );
}

const COMMAND_TIMEOUT_MS = 30_000;

/** @throws AppError `configuration` when it is given twice, or cannot be read; the message never holds what was read. */
function given(name: string, environment: Readonly<Record<string, string | undefined>>): string | null {
  const ways = ['', '_FILE', '_COMMAND']
    .map((suffix) => `${name}${suffix}`)
    .filter((way) => (environment[way] ?? '') !== '');
  const [way] = ways;
  if (way === undefined) return null;
  if (ways.length > 1)
    throw new AppError(
      'configuration',
      `The environment is not right:\n  ${ways.join(' and ')} say the same thing: give one of them.`,
    );
  const said = environment[way] as string;
  if (way === name) return said;
  try {
    const text = way.endsWith('_FILE')
      ? readFileSync(said, 'utf8')
      : execSync(said, {
          encoding: 'utf8',
          timeout: COMMAND_TIMEOUT_MS,
          killSignal: 'SIGKILL',
          stdio: ['ignore', 'pipe', 'inherit'],
        });
    return text.trim();
  } catch (error) {
    const { code, status } = error as { code?: string; status?: number };
    throw new AppError(
      'configuration',
      `The environment is not right:\n  ${way} could not be ${way.endsWith('_FILE') ? 'read' : 'run'} (${code ?? `status ${status}`}).`,
    );
  }
}
