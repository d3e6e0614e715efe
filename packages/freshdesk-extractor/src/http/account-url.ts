import { AppError } from '@freshet/contracts';

/** A Freshdesk account and where its API answers. */
export interface Account {
  /** The label before `.freshdesk.com`. */
  readonly subdomain: string;
  /** `https://<host>[:port]`, without a path. */
  readonly origin: string;
}

const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * The subdomain of an account, from `acme`, `acme.freshdesk.com` or the whole URL, as people paste it.
 * @throws AppError `invalid_input` that says what was expected.
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
    `"${input.slice(0, 100)}" is not a Freshdesk account. Give the part before .freshdesk.com, such as "acme" or "https://acme.freshdesk.com". ` +
      `Custom domains and other Freshworks products do not answer this API.`,
  );
}

/**
 * Where an account's API answers: its own host, or the operator's replacement (which may hold `{subdomain}`).
 * @throws AppError `configuration` when the replacement is not an http(s) origin.
 */
export function accountAt(subdomain: string, originTemplate: string | null): Account {
  const text = (originTemplate ?? 'https://{subdomain}.freshdesk.com').replaceAll('{subdomain}', subdomain);
  const url = URL.parse(text);
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
      `FRESHDESK_ORIGIN must be an origin such as "https://proxy.example:8443", with no path; it is "${text}".`,
    );
  }
  return { subdomain, origin: url.origin };
}
