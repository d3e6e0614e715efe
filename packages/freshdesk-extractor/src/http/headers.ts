/** The headers of a response, by their lowercase names. */
export type Headers = Readonly<Record<string, string | string[] | undefined>>;

/**
 * Freshdesk counts credits per minute, or per hour on old plans. A longer wait comes from a
 * misconfigured proxy.
 */
const RETRY_AFTER_MAX_S = 3600;
const RETRY_AFTER_DEFAULT_S = 60;

/**
 * Returns the value of a header, or an empty string if it is missing. Repeated headers are joined
 * by commas.
 */
export function getHeader(headers: Headers, name: string): string {
  const value = headers[name];
  return Array.isArray(value) ? value.join(', ') : (value ?? '');
}

/**
 * Returns the value of a numeric header, or null. Totals occur as "50.0", so values are decimal
 * numbers.
 */
export function getNumberHeader(headers: Headers, name: string): number | null {
  const text = getHeader(headers, name);
  const value = Number(text);
  return text === '' || !Number.isFinite(value) ? null : value;
}

/** Whether the response comes from the Freshdesk API itself. Nothing else sets this header. */
export function isFromApi(headers: Headers): boolean {
  return getHeader(headers, 'x-freshdesk-api-version') !== '';
}

/** Whether the `Link` header announces a next page. */
export function hasNextLink(headers: Headers): boolean {
  return /<[^>]*>\s*;\s*rel="?next"?/i.test(getHeader(headers, 'link'));
}

/**
 * Returns the milliseconds to wait after a 429, from a `Retry-After` header in seconds or as an
 * HTTP date. The result is at least one second and at most one hour.
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
