/** Parses what users paste into the wizard. */
import type { Schemas } from '../../api/client.ts';

const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * Returns the subdomain in `acme`, `acme.freshdesk.com` or any URL of the account. Null: the text
 * contains none.
 */
export function parseSubdomain(input: string): string | null {
  const host = input
    .trim()
    .toLowerCase()
    .replace(/^https?:\/\//, '')
    .replace(/[/?#].*$/, '')
    .replace(/:\d+$/, '');
  const label = host.endsWith('.freshdesk.com') ? host.slice(0, -'.freshdesk.com'.length) : host;
  return LABEL.test(label) ? label : null;
}

export interface ParsedConnection {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly username: string;
  readonly password: string;
  readonly ssl_mode: Schemas['SslMode'] | null;
}

/** Parses a connection URL of PostgreSQL. Null: the text is not such a URL. */
export function parseConnectionUrl(text: string): ParsedConnection | null {
  if (!/^postgres(ql)?:\/\//.test(text.trim())) return null;
  const url = URL.parse(text.trim());
  if (url === null) return null;
  const mode = url.searchParams.get('sslmode');
  try {
    return {
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: Number(url.port || 5432),
      database: decodeURIComponent(url.pathname.slice(1)),
      username: decodeURIComponent(url.username),
      password: decodeURIComponent(url.password),
      ssl_mode: mode === 'disable' || mode === 'require' || mode === 'verify-full' ? mode : null,
    };
  } catch {
    return null;
  }
}

/** The schema that a new pipeline of an account uses by default. */
export function getDefaultSchema(subdomain: string): string {
  return `freshdesk_${subdomain.replaceAll('-', '_')}`.slice(0, 63);
}

const quoteIdentifier = (name: string) => `"${name.replaceAll('"', '""')}"`;

/** Builds the SQL that creates a role for Freshet, with exactly the privileges that it needs. */
export function buildGrantSql(options: { database: string; username: string; schema: string }): string {
  const role = quoteIdentifier(options.username || 'freshet');
  const database = quoteIdentifier(options.database || 'analytics');
  const schema = quoteIdentifier(options.schema);
  return [
    '-- Run as the owner of the database.',
    `CREATE ROLE ${role}`,
    `  LOGIN PASSWORD 'your password';`,
    'GRANT CONNECT, TEMPORARY',
    `  ON DATABASE ${database} TO ${role};`,
    `CREATE SCHEMA IF NOT EXISTS ${schema}`,
    `  AUTHORIZATION ${role};`,
  ].join('\n');
}
