import { hostname, userInfo } from 'node:os';
import { createTokenAsOperator, type NewToken, type TokenRole } from '@freshet/control-store';
import { openControlDatabase } from './cli/control-database.ts';
import { createInvalidInputError } from './cli/errors.ts';

const NAME_LENGTH_MAX = 255;
const HOUR_MS = 3_600_000;
const UNITS_MS: Readonly<Record<string, number>> = { h: HOUR_MS, d: 24 * HOUR_MS };
const DURATION = /^(?<count>[1-9]\d{0,5})(?<unit>[hd])$/;
const TIME = /^(?<date>\d{4}-\d\d-\d\d)(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/;

/**
 * Creates a token in the control database of a deployment.
 * @throws AppError `invalid_input` that names the invalid option, or `configuration` if the control
 *   database cannot be used.
 */
export async function createToken(
  options: {
    readonly name: string;
    readonly role: TokenRole;
    readonly expires: string | undefined;
    readonly 'data-dir': string | undefined;
  },
  environment: NodeJS.ProcessEnv,
): Promise<NewToken> {
  const { name, role, expires } = options;
  if (name === '' || name.length > NAME_LENGTH_MAX)
    throw createInvalidInputError(`--name must have 1 to ${NAME_LENGTH_MAX} characters.`);
  const expiresAt = expires === undefined ? null : parseExpiry(expires);
  const database = await openControlDatabase(options['data-dir'], environment);
  try {
    return await createTokenAsOperator(
      database.url,
      { name, role, scopes: null, expires_at: expiresAt },
      `${getUserName()}@${hostname()}`,
    );
  } finally {
    await database.close();
  }
}

/** Returns the text that the command prints in addition to the token. */
export function describeToken({ token: { name, role, expires_at: expiresAt } }: NewToken): string {
  const validity = expiresAt === null ? 'does not expire' : `expires at ${expiresAt.toISOString()}`;
  return `Created the token "${name}" with the role ${role}. The token ${validity}.
Store the token now. Freshet stores only a hash of the token, and cannot print it again.
`;
}

/**
 * Parses the value of `--expires`: a number of hours or days such as `12h` or `90d`, a date in UTC,
 * or an RFC 3339 time.
 * @throws AppError `invalid_input`.
 */
export function parseExpiry(value: string, now = new Date()): Date {
  const { count, unit } = DURATION.exec(value)?.groups ?? {};
  const expiresAt =
    count === undefined || unit === undefined
      ? parseTime(value)
      : new Date(now.getTime() + Number(count) * (UNITS_MS[unit] as number));
  if (expiresAt === null)
    throw createInvalidInputError(
      '--expires must be a duration in hours or days (12h, 90d), a date (2027-01-31) or a time (2027-01-31T08:00:00Z).',
    );
  if (expiresAt <= now) throw createInvalidInputError('--expires must be in the future.');
  return expiresAt;
}

function parseTime(value: string): Date | null {
  const date = TIME.exec(value)?.groups?.['date'];
  // Date.parse accepts February 31, and returns a day in March.
  if (date === undefined || !new Date(date).toJSON()?.startsWith(date)) return null;
  const time = new Date(value);
  return Number.isNaN(time.getTime()) ? null : time;
}

/** Returns the name of the user. A container can run as a user without a name. */
function getUserName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
