import { AppError } from '@freshet/contracts';

/** A Freshdesk account and the origin of its API. */
export interface Account {
  /** The label before `.freshdesk.com`. */
  readonly subdomain: string;
  /** `https://<host>[:port]`, without a path. */
  readonly origin: string;
}

const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * Parses the subdomain of an account from `acme`, `acme.freshdesk.com` or any URL of the account.
 * @throws AppError `invalid_input` with the expected format.
 */
export function parseSubdomain(input: string): string {
  const trimmed = input.trim().toLowerCase();
  const host = trimmed
    .replace(/^https?:\/\//, '')
    .replace(/[/?#].*$/, '')
    .replace(/:\d+$/, '');
  const label = host.endsWith('.freshdesk.com') ? host.slice(0, -'.freshdesk.com'.length) : host;
  if (LABEL.test(label)) return label;
  throw new AppError(
    'invalid_input',
    `"${input.slice(0, 100)}" is not a Freshdesk account. Enter the part before .freshdesk.com, such as "acme" or ` +
      '"https://acme.freshdesk.com". Custom domains and other Freshworks products do not serve this API.',
  );
}

/**
 * Returns the account that has the given subdomain, and the origin of its API.
 * @param originTemplate an origin that replaces the account's own origin. The template may contain
 * `{subdomain}`. Null: the account's own origin is used.
 * @throws AppError `configuration` if the template is not an HTTP(S) origin.
 */
export function buildAccount(subdomain: string, originTemplate: string | null): Account {
  const origin = (originTemplate ?? 'https://{subdomain}.freshdesk.com').replaceAll('{subdomain}', subdomain);
  const url = URL.parse(origin);
  if (
    !url ||
    !/^https?:$/.test(url.protocol) ||
    url.pathname !== '/' ||
    url.search !== '' ||
    url.username !== '' ||
    url.password !== ''
  ) {
    throw new AppError(
      'configuration',
      'FRESHDESK_ORIGIN must be an HTTP(S) origin without a path, query, user or password, such as "https://proxy.example:8443".',
    );
  }
  return { subdomain, origin: url.origin };
}

/**
 * Reads the account from the settings of a deployment on one machine.
 * @returns null if no account is set.
 * @throws AppError `configuration` or `invalid_input` that names the variable and the remedy.
 */
export function parseAccountSettings(settings: {
  readonly FRESHDESK_SUBDOMAIN?: string | undefined;
  readonly FRESHDESK_API_KEY?: string | undefined;
  readonly FRESHDESK_ORIGIN?: string | undefined;
}): { readonly subdomain: string; readonly apiKey: string } | null {
  const { FRESHDESK_SUBDOMAIN: subdomain, FRESHDESK_API_KEY: apiKey, FRESHDESK_ORIGIN: origin } = settings;
  if (subdomain === undefined && apiKey === undefined) {
    if (origin !== undefined)
      throw new AppError(
        'configuration',
        'FRESHDESK_ORIGIN requires an account. Set FRESHDESK_SUBDOMAIN and FRESHDESK_API_KEY.',
      );
    return null;
  }
  if (subdomain === undefined)
    throw new AppError(
      'configuration',
      'FRESHDESK_SUBDOMAIN is missing, but FRESHDESK_API_KEY is set. Set FRESHDESK_SUBDOMAIN to the part of the account address before .freshdesk.com.',
    );
  if (apiKey === undefined)
    throw new AppError(
      'configuration',
      'FRESHDESK_API_KEY is missing, but FRESHDESK_SUBDOMAIN is set. Copy the API key from the profile settings of an agent.',
    );
  return { subdomain: parseSubdomain(subdomain), apiKey };
}
