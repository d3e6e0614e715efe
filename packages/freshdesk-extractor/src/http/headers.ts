/** The headers of a response, by their lowercase names. */
export type Headers = Readonly<Record<string, string | string[] | undefined>>;

/**
 * Freshdesk counts credits per minute, or per hour on old plans. Only a misconfigured proxy
 * requests a longer wait.
 */
const RETRY_AFTER_MAX_S = 3600;
const RETRY_AFTER_DEFAULT_S = 60;

/**
 * Returns the value of a header, or an empty string if it is missing. The values of a repeated
 * header are joined with commas.
 */
export function getHeader(headers: Headers, name: string): string {
  const value = headers[name];
  return Array.isArray(value) ? value.join(', ') : (value ?? '');
}

/**
 * Returns the value of a numeric header, or null if the header is missing or not a number. The
 * value may have decimals, because Freshdesk sends totals such as "50.0".
 */
export function getNumberHeader(headers: Headers, name: string): number | null {
  const text = getHeader(headers, name);
  const value = Number(text);
  return text === '' || !Number.isFinite(value) ? null : value;
}

/** Whether the response comes from the Freshdesk API itself. Only the API sets the header. */
export function isFromApi(headers: Headers): boolean {
  return getHeader(headers, 'x-freshdesk-api-version') !== '';
}

/** Whether the `Link` header announces a next page. */
export function hasNextLink(headers: Headers): boolean {
  return /<[^>]*>\s*;\s*rel="?next"?/i.test(getHeader(headers, 'link'));
}

/**
 * Returns the milliseconds to wait after a 429, from a `Retry-After` header that contains seconds
 * or an HTTP date. The result is at least one second and at most one hour.
 */
export function getRetryAfterMs(headers: Headers): number {
  const text = getHeader(headers, 'retry-after').trim();
  let seconds = Number(text);
  if (text === '') seconds = RETRY_AFTER_DEFAULT_S;
  else if (Number.isNaN(seconds)) {
    const retryAt = Date.parse(text);
    const sentAt = Date.parse(getHeader(headers, 'date'));
    seconds = Number.isNaN(retryAt)
      ? RETRY_AFTER_DEFAULT_S
      : (retryAt - (Number.isNaN(sentAt) ? Date.now() : sentAt)) / 1000;
  }
  return Math.min(RETRY_AFTER_MAX_S, Math.max(1, Math.ceil(seconds))) * 1000;
}
