import { AppError } from '@freshet/contracts';
import { z } from 'zod';

const url = (protocols: readonly string[]) =>
  z.string().refine((text) => protocols.includes(URL.parse(text)?.protocol ?? ''), {
    error: `must be a URL that starts with ${protocols.map((p) => `${p}//`).join(' or ')}`,
  });

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
  FRESHDESK_ORIGIN: url(['http:', 'https:']).optional(),
  FRESHET_ALLOWED_ADDRESSES: z.string().default(''),
  HOST: z.string().default('127.0.0.1'),
  PORT: wholeNumber(0, 65_535),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'], { error: 'must be one of trace, debug, info, warn, error, silent' }).default('info'),
  /** Any text that is not empty. */
  text: z.string(),
  url,
  wholeNumber,
  literal: <const T extends string>(value: T) => z.literal(value, { error: `must be ${value}` }),
} as const;

/**
 * Reads an app's settings once, from its environment. An empty variable counts as absent.
 * @throws AppError `configuration`: one message for all that is missing or malformed, by name, never by value.
 */
export function readSettings<T extends z.ZodRawShape>(shape: T, environment: Readonly<Record<string, string | undefined>>): z.infer<z.ZodObject<T>> {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''));
  const result = z.object(shape).safeParse(given);
  if (result.success) return result.data as z.infer<z.ZodObject<T>>;
  const lines = result.error.issues.map((issue) => {
    const name = issue.path.join('.');
    return `  ${name} ${name in given ? issue.message : 'is missing'}`;
  });
  throw new AppError('configuration', `The environment is not right:\n${[...new Set(lines)].join('\n')}\n.env.example lists every variable.`);
}
