import { AppError, type ErrorCode, isJsonObject, type Json, parseJson } from '@freshet/contracts';
import type { Headers, RawResponse } from './get.ts';

/**
 * Decides what a response means: records, or an error that may pass within minutes, or one that will not.
 *
 * A response may come from the API, or from something in front of it (a proxy, a firewall, a maintenance page), or from a host
 * that is not Freshdesk at all. Only the API sets `x-freshdesk-api-version`. Where a connection is tested, a response without it
 * means that the subdomain is wrong, and the user must hear so at once. Where the host is known to be Freshdesk, as in a run,
 * the same response comes from something in front of the API, and may pass: it is retried with backoff.
 */
export interface ResponseFacts {
  readonly path: string;
  readonly response: RawResponse;
  /** The host has answered as Freshdesk before. */
  readonly isKnownHost: boolean;
  readonly bytesMax: number;
}

/** Media type of a body, judged by header and first byte. */
type MediaKind = 'json' | 'html' | 'other' | 'empty';

interface Judged {
  readonly status: number;
  readonly kind: MediaKind;
  readonly contentType: string;
  /** The API itself has sent it. */
  readonly isApi: boolean;
  readonly isKnownHost: boolean;
  readonly isTruncated: boolean;
  readonly encodingError: RawResponse['encodingError'];
  readonly error: ErrorBody;
  readonly location: string;
}

type Verdict = 'records' | 'rate_limit' | ErrorCode;

interface Rule {
  readonly name: string;
  readonly when: (judged: Judged) => boolean;
  readonly verdict: Verdict | ((judged: Judged) => Verdict);
  /** Completes "<path> answered with …". */
  readonly message: (judged: Judged) => string;
}

const STATUSES_THAT_PASS = new Set([408, 409, 421, 423, 425]);
const SUBDOMAIN_ADVICE =
  'Check the subdomain: it is the part before .freshdesk.com of the address where agents log in.';
const isBetween = (from: number, to: number) => (r: Judged) => r.status >= from && r.status <= to;
const isForeign = (r: Judged) => !r.isApi;
/** What something in front of the API answers: it passes, unless nothing shows that the host is Freshdesk. */
const foreignVerdict = (r: Judged): Verdict => (r.isKnownHost ? 'source_unavailable' : 'source_not_freshdesk');
const foreignAdvice = (r: Judged) =>
  r.isKnownHost
    ? 'The response did not come from the Freshdesk API: a maintenance page, proxy or firewall has sent it.'
    : `The response shows no sign of the Freshdesk API. ${SUBDOMAIN_ADVICE}`;
const described = (r: Judged) =>
  `status ${r.status} and ${r.contentType === '' ? 'no content type' : `content type ${r.contentType}`}`;

/** The first rule that matches decides. Each line has a test of its name in `responses.test.ts`. */
export const RESPONSE_RULES: readonly Rule[] = [
  {
    name: 'rate limit',
    when: (r) => r.status === 429,
    verdict: 'rate_limit',
    message: () => 'status 429: the rate limit is exhausted.',
  },
  {
    name: 'server error',
    when: isBetween(500, 599),
    verdict: 'source_unavailable',
    message: (r) => `status ${r.status}.`,
  },
  {
    name: 'status that passes',
    when: (r) => STATUSES_THAT_PASS.has(r.status),
    verdict: 'source_unavailable',
    message: (r) => `status ${r.status}.`,
  },
  {
    name: 'unknown content encoding',
    when: (r) => r.encodingError?.isKnown === false,
    verdict: 'source_contract',
    message: (r) =>
      `content encoding "${r.encodingError?.encoding}", which Freshet cannot decode. Configure the proxy in front of the account to send gzip or none.`,
  },
  {
    name: 'damaged content encoding',
    when: (r) => r.encodingError !== null,
    verdict: 'source_unavailable',
    message: (r) => `a body whose ${r.encodingError?.encoding} encoding is damaged (${r.encodingError?.reason}).`,
  },
  {
    name: 'web page in place of JSON',
    when: (r) => r.status === 200 && (r.kind === 'html' || r.kind === 'other'),
    verdict: (r) => (r.isApi ? 'source_unavailable' : foreignVerdict(r)),
    message: (r) => `${described(r)} instead of JSON. ${r.isApi ? '' : foreignAdvice(r)}`,
  },
  {
    name: 'body larger than the limit',
    when: (r) => r.status === 200 && r.isTruncated,
    verdict: 'source_too_large',
    message: () => '',
  },
  {
    name: 'empty body',
    when: (r) => r.status === 200 && r.kind === 'empty',
    verdict: (r) => (r.isApi ? 'source_unavailable' : foreignVerdict(r)),
    message: (r) => `an empty body. ${r.isApi ? '' : foreignAdvice(r)}`,
  },
  { name: 'JSON', when: (r) => r.status === 200, verdict: 'records', message: () => '' },
  {
    name: 'success without records',
    when: isBetween(100, 299),
    verdict: 'source_unavailable',
    message: (r) => `status ${r.status}, where 200 and records were expected.`,
  },
  {
    name: 'redirect',
    when: isBetween(300, 399),
    verdict: foreignVerdict,
    message: (r) => `a redirect (to ${r.location.slice(0, 100)}), which the API never does. ${foreignAdvice(r)}`,
  },
  {
    name: 'refused key',
    when: (r) => r.status === 401 && (r.isApi || r.kind !== 'html'),
    verdict: 'source_auth',
    message: () =>
      'Freshdesk refused the API key. Copy it again from the profile settings of an agent of this account.',
  },
  {
    name: 'client error of something in front of the API',
    when: isForeign,
    verdict: foreignVerdict,
    message: (r) => `${described(r)}. ${foreignAdvice(r)}`,
  },
  {
    name: 'feature that the plan lacks',
    when: (r) => r.status === 403 && r.error.code === 'require_feature',
    verdict: 'source_not_in_plan',
    message: (r) => r.error.text,
  },
  {
    name: 'suspended account',
    when: (r) => r.status === 403 && r.error.code === 'account_suspended',
    verdict: 'source_auth',
    message: (r) => `The account is suspended: ${r.error.text}`,
  },
  {
    name: 'missing permission',
    when: (r) => r.status === 403 || r.status === 402,
    verdict: 'source_forbidden',
    message: (r) => r.error.text || 'The API key may not read this.',
  },
  {
    name: 'not found',
    when: (r) => r.status === 404 || r.status === 410,
    verdict: 'source_not_found',
    message: () => 'status 404.',
  },
  {
    name: 'refused request',
    when: () => true,
    verdict: 'source_invalid_request',
    message: (r) => `status ${r.status}: ${r.error.text}`,
  },
];

/** These messages hold for the whole account, or are Freshdesk's own words: they name no path. */
const PLAIN_MESSAGES = new Set([
  'refused key',
  'feature that the plan lacks',
  'suspended account',
  'missing permission',
]);

const RETRY_AFTER_DEFAULT_S = 60;
/** Freshdesk counts credits by the minute, on old plans by the hour: a longer wait is a mistake of something in front of it. */
const RETRY_AFTER_MAX_S = 3600;

/**
 * The body of a successful response, as UTF-8 without a byte order mark.
 * @throws AppError for any other response, by `RESPONSE_RULES`.
 */
export function readResponse({ path, response, isKnownHost, bytesMax }: ResponseFacts): Buffer {
  const { statusCode: status, headers, isTruncated, encodingError } = response;
  const contentType = header(headers, 'content-type');
  const body = status === 200 && isTruncated ? response.body : toUtf8(response.body, contentType);
  const isApi = header(headers, 'x-freshdesk-api-version') !== '';
  const judged: Judged = {
    status,
    kind: kindOf(body, contentType),
    contentType: contentType.slice(0, 100),
    isApi,
    isKnownHost,
    isTruncated,
    encodingError,
    error: status >= 400 ? parseErrorBody(body) : NO_ERROR,
    location: header(headers, 'location'),
  };
  const rule = RESPONSE_RULES.find(({ when }) => when(judged)) as Rule;
  const verdict = typeof rule.verdict === 'string' ? rule.verdict : rule.verdict(judged);
  if (verdict === 'records') return body;
  if (verdict === 'rate_limit') {
    throw new AppError('out_of_credits', 'The account’s rate limit is used up.', {
      retryAfterMs: retryAfterMs(headers),
    });
  }
  if (verdict === 'source_too_large') {
    const message = `${path} answered with more than ${bytesMax} bytes, the most that one response may have: it is too large.`;
    throw new AppError(verdict, message, {
      context: { hasNext: hasNextIn(header(headers, 'link')), isList: firstByte(body) === LIST_START },
    });
  }
  const message = rule.message(judged).trim();
  throw new AppError(verdict, PLAIN_MESSAGES.has(rule.name) ? message : `${path} answered with ${message}`, {
    context: { status, path, requestId: header(headers, 'x-request-id'), fields: judged.error.fields },
  });
}

/** Milliseconds until the next request may be sent after a 429: from seconds or an HTTP date, at least a second, at most an hour. */
export function retryAfterMs(headers: Headers): number {
  const text = header(headers, 'retry-after').trim();
  let seconds = Number(text);
  if (text === '') seconds = RETRY_AFTER_DEFAULT_S;
  else if (Number.isNaN(seconds)) {
    const until = Date.parse(text);
    const sent = Date.parse(header(headers, 'date'));
    seconds = Number.isNaN(until) ? RETRY_AFTER_DEFAULT_S : (until - (Number.isNaN(sent) ? Date.now() : sent)) / 1000;
  }
  return Math.min(RETRY_AFTER_MAX_S, Math.max(1, Math.ceil(seconds))) * 1000;
}

/** Whether a `Link` header announces another page. */
export function hasNextIn(link: string): boolean {
  return /<[^>]*>\s*;\s*rel="?next"?/i.test(link);
}

export function header(headers: Headers, name: string): string {
  const value = headers[name];
  return Array.isArray(value) ? value.join(', ') : (value ?? '');
}

interface ErrorBody {
  readonly code: string;
  readonly text: string;
  readonly fields: readonly string[];
}

const NO_ERROR: ErrorBody = { code: '', text: '', fields: [] };

/** Machine code, text and fields of an error body, in either of Freshdesk's two shapes. */
function parseErrorBody(body: Buffer): ErrorBody {
  let parsed: Json = null;
  try {
    parsed = parseJson(body.toString('utf8'));
  } catch {
    return { code: '', text: body.toString('utf8', 0, 200), fields: [] };
  }
  if (!isJsonObject(parsed)) return NO_ERROR;
  const errors = Array.isArray(parsed['errors']) ? parsed['errors'].filter(isJsonObject) : [];
  const details = errors.map((e) => `${String(e['field'] ?? '')}: ${String(e['message'] ?? '')}`);
  return {
    code: typeof parsed['code'] === 'string' ? parsed['code'] : '',
    text: [parsed['message'], parsed['description'], ...details].filter((t) => typeof t === 'string').join('; '),
    fields: errors.map((e) => String(e['field'] ?? '')),
  };
}

const LIST_START = 0x5b;
const OBJECT_START = 0x7b;
const isSpace = (byte: number | undefined) => byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;

function firstByte(body: Buffer): number | undefined {
  let at = 0;
  while (isSpace(body[at])) at++;
  return body[at];
}

function kindOf(body: Buffer, contentType: string): MediaKind {
  const first = firstByte(body);
  if (/json/i.test(contentType)) return first === undefined ? 'empty' : 'json';
  if (/html|xml/i.test(contentType)) return 'html';
  if (first === undefined) return 'empty';
  // Some proxies drop or replace the content type; the body says what it is.
  return (first === LIST_START || first === OBJECT_START) && /^$|text\/plain|octet-stream/i.test(contentType)
    ? 'json'
    : 'other';
}

const UTF8_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/** A body as UTF-8 without a byte order mark, from the encoding that a mark, the charset parameter or its first bytes name. */
function toUtf8(body: Buffer, contentType: string): Buffer {
  const utf16 = utf16In(body);
  if (utf16 !== null) return Buffer.from(new TextDecoder(utf16).decode(body));
  const charset = /charset\s*=\s*"?([^";\s]+)/i.exec(contentType)?.[1]?.toLowerCase() ?? 'utf-8';
  if (!['utf-8', 'utf8', 'us-ascii', 'ascii'].includes(charset) && !isUtf8Marked(body)) {
    try {
      return Buffer.from(new TextDecoder(charset).decode(body));
    } catch (error) {
      // A charset that nobody knows is ignored: JSON is UTF-8 (RFC 8259).
      if (!(error instanceof RangeError)) throw error;
    }
  }
  let start = 0;
  for (let at = 0; ; ) {
    if (isSpace(body[at])) at++;
    else if (body.subarray(at, at + 3).equals(UTF8_MARK)) start = at += 3;
    else return body.subarray(start);
  }
}

function isUtf8Marked(body: Buffer): boolean {
  return body.subarray(0, 3).equals(UTF8_MARK);
}

/** JSON begins with an ASCII character, so that a zero beside it shows UTF-16 even without a mark. */
function utf16In(body: Buffer): 'utf-16le' | 'utf-16be' | null {
  if (body.length < 2) return null;
  const [a, b] = body as unknown as [number, number];
  if ((a === 0xff && b === 0xfe) || (a !== 0 && b === 0)) return 'utf-16le';
  if ((a === 0xfe && b === 0xff) || (a === 0 && b !== 0)) return 'utf-16be';
  return null;
}
