import { execSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { AppError, parseHost } from '@freshet/contracts';
import { z } from 'zod';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Query parameters that make PostgreSQL drivers connect to a server other than the host in the URL.
 */
const SERVER_PARAMETERS = ['host', 'hostaddr', 'port', 'service'];

/**
 * Query parameters with secrets. The database drivers ignore these parameters or send them to the
 * server as configuration parameters, and code that removes the password from a URL would not find
 * them.
 */
const SECRET_PARAMETERS = ['password', 'sslpassword'];
const SECRET_PARAMETERS_ERROR = `must contain the password before the host: postgres://user:password@host:5432/database. These parameters are not allowed: ${SECRET_PARAMETERS.join(', ')}`;

const url = (protocols: readonly string[]) =>
  z.string().refine((value) => protocols.includes(URL.parse(value)?.protocol ?? ''), {
    error: `must be a URL that starts with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
  });

/**
 * The URL of a server on the network. If the protocol is wrong, the host is not checked, so that
 * the variable causes only one error: the error of `url`.
 */
const serverUrl = (protocols: readonly string[]) =>
  url(protocols).refine(
    (value) => !protocols.includes(URL.parse(value)?.protocol ?? '') || isHost(URL.parse(value)?.hostname ?? ''),
    { error: 'must contain a host name or an IP address. A socket path is not allowed' },
  );

const integer = (min: number, max: number) => {
  const error = `must be an integer from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d+$/, { error })
    .transform(Number)
    .refine((value) => value >= min && value <= max, { error });
};

/**
 * Schemas of the environment variables that several apps read, and of common types. Each error text
 * is appended to the name of its variable.
 */
export const settings = {
  DATABASE_URL: url(['postgres:', 'postgresql:']).refine((value) => !hasParameter(value, SECRET_PARAMETERS), {
    error: SECRET_PARAMETERS_ERROR,
  }),
  FRESHET_SECRET_KEYS: z
    .string()
    .min(1, { error: 'must contain at least one key in the form <id>:<base64 of 32 bytes>' }),
  FRESHET_BOOTSTRAP_TOKEN: z.string().optional(),
  FRESHDESK_ORIGIN: z
    .string()
    .refine((value) => isOrigin(value.replaceAll('{subdomain}', 'subdomain')), {
      error: 'must be an origin such as https://proxy.example:8443, without a path, user or password',
    })
    .optional(),
  WAREHOUSE_URL: serverUrl(['postgres:', 'postgresql:'])
    .refine((value) => !hasParameter(value, SERVER_PARAMETERS), {
      error: `must contain the host and port before the database name. These parameters are not allowed: ${SERVER_PARAMETERS.join(', ')}`,
    })
    .refine((value) => !hasParameter(value, SECRET_PARAMETERS), { error: SECRET_PARAMETERS_ERROR }),
  FRESHET_ALLOWED_ADDRESSES: z.string().default(''),
  HOST: z.string().default('127.0.0.1'),
  PORT: integer(0, 65_535),
  /**
   * The port of `/livez`, `/readyz` and `/metrics`. Absent: the process does not serve these
   * endpoints.
   */
  FRESHET_MONITOR_PORT: integer(0, 65_535).optional(),
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'], {
      error: 'must be one of trace, debug, info, warn, error, silent',
    })
    .default('info'),
  string: z.string(),
  boolean: z.enum(['true', 'false'], { error: 'must be true or false' }).transform((value) => value === 'true'),
  serverUrl,
  integer,
  literal: <const T extends string>(value: T) => z.literal(value, { error: `must be ${value}` }),
} as const;

/**
 * Reads and validates the settings of an app. An empty variable counts as absent. Instead of
 * `<NAME>`, an operator can set `<NAME>_FILE`, the path of a file that contains the value, or
 * `<NAME>_COMMAND`, a command that prints the value.
 * @throws AppError `configuration` with one message for all missing and malformed variables. The
 *   message contains the names of the variables and never their values.
 */
export function readSettings<T extends z.ZodRawShape>(shape: T, environment: Environment): z.infer<z.ZodObject<T>> {
  const values = Object.fromEntries(
    Object.keys(shape).flatMap((name) => {
      const value = readVariable(name, environment);
      return value === null ? [] : [[name, value]];
    }),
  );
  const result = z.object(shape).safeParse(values);
  if (result.success) return result.data as z.infer<z.ZodObject<T>>;
  const lines = result.error.issues.map((issue) => {
    const name = issue.path.join('.');
    return `  ${name} ${name in values ? issue.message : 'is missing'}`;
  });
  throw createConfigurationError(`${[...new Set(lines)].join('\n')}\nSee .env.example for all variables.`);
}

const COMMAND_TIMEOUT_MS = 30_000;

/**
 * Reads one variable from the environment, a file or a command. @returns null when the variable is
 * absent.
 * @throws AppError `configuration` when the variable has more than one source, or when its file or
 *   command fails. The message never contains the value.
 */
function readVariable(name: string, environment: Environment): string | null {
  const sources = ['', '_FILE', '_COMMAND']
    .map((suffix) => `${name}${suffix}`)
    .filter((source) => (environment[source] ?? '') !== '');
  const [source] = sources;
  if (source === undefined) return null;
  if (sources.length > 1)
    throw createConfigurationError(`  ${sources.join(' and ')} are mutually exclusive. Set one of them.`);
  const value = environment[source] as string;
  if (source === name) return value;
  const isFile = source.endsWith('_FILE');
  try {
    return (isFile ? readFileSync(value, 'utf8') : runCommand(value)).trim();
  } catch (error) {
    const { code, status } = error as { code?: string; status?: number };
    throw createConfigurationError(
      `  ${source}: the ${isFile ? 'file could not be read' : 'command failed'} (${code ?? `status ${status}`}).`,
    );
  }
}

function runCommand(command: string): string {
  return execSync(command, {
    encoding: 'utf8',
    timeout: COMMAND_TIMEOUT_MS,
    killSignal: 'SIGKILL',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

function createConfigurationError(lines: string): AppError {
  return new AppError('configuration', `Invalid configuration:\n${lines}`);
}

function hasParameter(value: string, names: readonly string[]): boolean {
  return names.some((name) => URL.parse(value)?.searchParams.has(name));
}

function isHost(value: string): boolean {
  try {
    parseHost(value);
    return true;
  } catch (error) {
    if (error instanceof AppError) return false;
    throw error;
  }
}

function isOrigin(value: string): boolean {
  const url = URL.parse(value);
  if (url === null || !/^https?:$/.test(url.protocol) || !isHost(url.hostname)) return false;
  return url.pathname === '/' && url.search === '' && url.hash === '' && url.username === '' && url.password === '';
}
