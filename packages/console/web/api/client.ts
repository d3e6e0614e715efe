import { Freshet, type Schemas } from '@freshet/client';

export { FreshetError } from '@freshet/client';
export type { Schemas };

const TOKEN_KEY = 'freshet.token';

/**
 * Returns the API token. It is stored in `sessionStorage`, which belongs to this browser tab and is
 * deleted when the tab is closed.
 */
export function getToken(): string | null {
  return sessionStorage.getItem(TOKEN_KEY);
}

export function setToken(token: string | null): void {
  if (token === null) sessionStorage.removeItem(TOKEN_KEY);
  else sessionStorage.setItem(TOKEN_KEY, token);
  client = null;
}

/** The latest entity tag of each resource, by the path of the resource. */
const etags = new Map<string, string>();

/**
 * Returns the version of a resource that this tab has last received. A form stores the version when
 * it opens, and sends it with the update, so that it never overwrites a change of another user.
 */
export function getEtag(path: string): string | null {
  return etags.get(path) ?? null;
}

/** Returns the headers of an update that must only apply to the given version. */
export function ifMatch(etag: string | null): { 'if-match'?: string } {
  return etag === null ? {} : { 'if-match': etag };
}

async function fetchAndRememberVersion(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const response = await fetch(input, init);
  const etag = response.headers.get('etag');
  if (etag !== null) etags.set(new URL(response.url).pathname, etag);
  return response;
}

let client: Freshet | null = null;

/** The client of the API with the token of this tab. */
export function api(): Freshet {
  client ??= new Freshet({
    url: location.origin,
    token: getToken() ?? '',
    maxAttempts: 2,
    fetch: fetchAndRememberVersion,
  });
  return client;
}
