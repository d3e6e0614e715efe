import { AppError, type ErrorCode } from '@freshet/contracts';
import type { RawResponse } from './get.ts';
import { getHeader, getRetryAfterMs, hasNextLink, isFromApi } from './headers.ts';
import {
  type ErrorBody,
  getMediaKind,
  isJsonList,
  type MediaKind,
  NO_ERROR,
  parseErrorBody,
  toUtf8,
} from './response-body.ts';

/**
 * A response, which the rules classify as records, a transient error or a permanent error.
 *
 * A response may come from the API, from something in front of the API (a proxy, a firewall, a
 * maintenance page), or from a host that is not Freshdesk. Only the API sets
 * `x-freshdesk-api-version`. During a connection test, a response without this header means that
 * the subdomain is wrong, and Freshet must report this to the user immediately. During a run, the
 * host is known to be Freshdesk. The same response then comes from something in front of the API,
 * and the request is retried with backoff.
 */
export interface ReceivedResponse {
  readonly path: string;
  readonly response: RawResponse;
  /** The host has already sent a response from the Freshdesk API. */
  readonly isKnownHost: boolean;
  /** The maximum size of a body, for the error message. */
  readonly bytesMax: number;
}

/** The facts of a response that the rules depend on. */
interface ResponseFacts {
  readonly status: number;
  readonly kind: MediaKind;
  readonly contentType: string;
  /** The response comes from the API itself. */
  readonly isFromApi: boolean;
  readonly isKnownHost: boolean;
  readonly isTruncated: boolean;
  readonly encodingError: RawResponse['encodingError'];
  readonly error: ErrorBody;
  readonly location: string;
}

type Verdict = 'records' | 'rate_limit' | ErrorCode;

interface ResponseRule {
  readonly name: string;
  readonly matches: (facts: ResponseFacts) => boolean;
  readonly verdict: Verdict | ((facts: ResponseFacts) => Verdict);
  /** Completes the sentence "<path> returned …". */
  readonly message: (facts: ResponseFacts) => string;
  /**
   * The message is a complete sentence without the path, because it concerns the account or quotes
   * Freshdesk.
   */
  readonly omitsPath?: true;
}

const TRANSIENT_STATUSES = new Set([408, 409, 421, 423, 425]);
const SUBDOMAIN_ADVICE =
  'Check the subdomain: it is the part before .freshdesk.com in the URL where your agents log in.';
const isStatusBetween = (from: number, to: number) => (r: ResponseFacts) => r.status >= from && r.status <= to;
/**
 * A response from something in front of the API is transient, unless the host has never sent a
 * response from the Freshdesk API.
 */
const getForeignVerdict = (r: ResponseFacts): Verdict =>
  r.isKnownHost ? 'source_unavailable' : 'source_not_freshdesk';
const getForeignAdvice = (r: ResponseFacts) =>
  r.isKnownHost
    ? 'The response did not come from the Freshdesk API but from a maintenance page, proxy or firewall.'
    : `The response did not come from the Freshdesk API. ${SUBDOMAIN_ADVICE}`;
const describeResponse = (r: ResponseFacts) =>
  `status ${r.status} and ${r.contentType === '' ? 'no content type' : `content type ${r.contentType}`}`;

/** The first matching rule applies. `response-rules.test.ts` has a case for each rule. */
export const RESPONSE_RULES: readonly ResponseRule[] = [
  {
    name: 'rate limit',
    matches: (r) => r.status === 429,
    verdict: 'rate_limit',
    message: () => 'status 429: the rate limit is exhausted.',
  },
  {
    name: 'server error',
    matches: isStatusBetween(500, 599),
    verdict: 'source_unavailable',
    message: (r) => `status ${r.status}.`,
  },
  {
    name: 'transient status',
    matches: (r) => TRANSIENT_STATUSES.has(r.status),
    verdict: 'source_unavailable',
    message: (r) => `status ${r.status}.`,
  },
  {
    name: 'unknown content encoding',
    matches: (r) => r.encodingError?.isKnown === false,
    verdict: 'source_contract',
    message: (r) =>
      `content encoding "${r.encodingError?.encoding}", which Freshet cannot decode. Configure the proxy in front of ` +
      'the account to use gzip or no encoding.',
  },
  {
    name: 'damaged content encoding',
    matches: (r) => r.encodingError !== null,
    verdict: 'source_unavailable',
    message: (r) => `a body whose ${r.encodingError?.encoding} encoding is damaged (${r.encodingError?.reason}).`,
  },
  {
    name: 'web page instead of JSON',
    matches: (r) => r.status === 200 && (r.kind === 'html' || r.kind === 'other'),
    verdict: (r) => (r.isFromApi ? 'source_unavailable' : getForeignVerdict(r)),
    message: (r) => `${describeResponse(r)} instead of JSON. ${r.isFromApi ? '' : getForeignAdvice(r)}`,
  },
  {
    name: 'body larger than the limit',
    matches: (r) => r.status === 200 && r.isTruncated,
    verdict: 'source_too_large',
    message: () => '',
  },
  {
    name: 'empty body',
    matches: (r) => r.status === 200 && r.kind === 'empty',
    verdict: (r) => (r.isFromApi ? 'source_unavailable' : getForeignVerdict(r)),
    message: (r) => `an empty body. ${r.isFromApi ? '' : getForeignAdvice(r)}`,
  },
  { name: 'JSON', matches: (r) => r.status === 200, verdict: 'records', message: () => '' },
  {
    name: 'success without records',
    matches: isStatusBetween(100, 299),
    verdict: 'source_unavailable',
    message: (r) => `status ${r.status} instead of 200 and records.`,
  },
  {
    name: 'redirect',
    matches: isStatusBetween(300, 399),
    verdict: getForeignVerdict,
    message: (r) =>
      `a redirect to "${r.location.slice(0, 100)}". The API never sends redirects. ${getForeignAdvice(r)}`,
  },
  {
    name: 'rejected API key',
    matches: (r) => r.status === 401 && (r.isFromApi || r.kind !== 'html'),
    verdict: 'source_auth',
    message: () =>
      'Freshdesk rejected the API key. Copy the key again from the profile settings of an agent of this account.',
    omitsPath: true,
  },
  {
    name: 'client error from a system in front of the API',
    matches: (r) => !r.isFromApi,
    verdict: getForeignVerdict,
    message: (r) => `${describeResponse(r)}. ${getForeignAdvice(r)}`,
  },
  {
    name: 'feature missing from the plan',
    matches: (r) => r.status === 403 && r.error.code === 'require_feature',
    verdict: 'source_not_in_plan',
    message: (r) => r.error.message,
    omitsPath: true,
  },
  {
    name: 'suspended account',
    matches: (r) => r.status === 403 && r.error.code === 'account_suspended',
    verdict: 'source_auth',
    message: (r) => `The account is suspended: ${r.error.message}`,
    omitsPath: true,
  },
  {
    name: 'missing permission',
    matches: (r) => r.status === 403 || r.status === 402,
    verdict: 'source_forbidden',
    message: (r) => r.error.message || 'The API key has no permission to read this object.',
    omitsPath: true,
  },
  {
    name: 'not found',
    matches: (r) => r.status === 404 || r.status === 410,
    verdict: 'source_not_found',
    message: (r) => `status ${r.status}.`,
  },
  {
    name: 'invalid request',
    matches: () => true,
    verdict: 'source_invalid_request',
    message: (r) => `status ${r.status}: ${r.error.message}`,
  },
];

/**
 * Returns the body of a successful response, as UTF-8 without a byte order mark.
 * @throws AppError for every other response, as {@link RESPONSE_RULES} classifies it.
 */
export function readResponse({ path, response, isKnownHost, bytesMax }: ReceivedResponse): Buffer {
  const { headers } = response;
  const isOversized = response.statusCode === 200 && response.isTruncated;
  const body = isOversized ? response.body : toUtf8(response.body, getHeader(headers, 'content-type'));
  const facts = getFacts(response, body, isKnownHost);
  const rule = RESPONSE_RULES.find(({ matches }) => matches(facts)) as ResponseRule;
  const verdict = typeof rule.verdict === 'string' ? rule.verdict : rule.verdict(facts);
  if (verdict === 'records') return body;
  if (verdict === 'rate_limit') {
    throw new AppError('out_of_credits', 'The rate limit of the account is exhausted.', {
      retryAfterMs: getRetryAfterMs(headers),
    });
  }
  if (verdict === 'source_too_large') {
    throw new AppError(verdict, `${path} returned more than ${bytesMax} bytes, which is too large for one response.`, {
      context: { hasNext: hasNextLink(headers), isList: isJsonList(body) },
    });
  }
  const message = rule.message(facts).trim();
  throw new AppError(verdict, rule.omitsPath === true ? message : `${path} returned ${message}`, {
    context: {
      status: facts.status,
      path,
      requestId: getHeader(headers, 'x-request-id'),
      fields: facts.error.fields,
    },
  });
}

function getFacts(response: RawResponse, body: Buffer, isKnownHost: boolean): ResponseFacts {
  const { statusCode: status, headers, isTruncated, encodingError } = response;
  const contentType = getHeader(headers, 'content-type');
  return {
    status,
    kind: getMediaKind(body, contentType),
    contentType: contentType.slice(0, 100),
    isFromApi: isFromApi(headers),
    isKnownHost,
    isTruncated,
    encodingError,
    error: status >= 400 ? parseErrorBody(body) : NO_ERROR,
    location: getHeader(headers, 'location'),
  };
}
