import { AppError } from '@freshet/contracts';
import { afterAll, describe, expect, test } from 'vitest';
import type { RawResponse } from './get.ts';
import { getRetryAfterMs, type Headers } from './headers.ts';
import { RESPONSE_RULES, readResponse } from './response-rules.ts';

const API = { 'x-freshdesk-api-version': 'latest=v2; requested=v2' };
const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' };
const HTML_TYPE = { 'content-type': 'text/html' };
const PAGE = '<html><body>We are down for maintenance</body></html>';

interface RuleCase {
  readonly rule: string;
  readonly status: number;
  readonly headers: Headers;
  readonly body: string | Buffer;
  readonly overrides?: Partial<RawResponse>;
  /** The error code on a host that is known to be Freshdesk; `records` if the body is returned. */
  readonly known: string;
  /** The error code on any other host. */
  readonly unknown: string;
  readonly message?: string;
}

const onAnyHost = (code: string) => ({ known: code, unknown: code });
const FROM_PROXY = { known: 'source_unavailable', unknown: 'source_not_freshdesk' };

const cases: readonly RuleCase[] = [
  {
    rule: 'rate limit',
    status: 429,
    headers: { ...API, 'retry-after': '7' },
    body: '{}',
    ...onAnyHost('out_of_credits'),
  },
  { rule: 'rate limit', status: 429, headers: HTML_TYPE, body: PAGE, ...onAnyHost('out_of_credits') },
  ...[500, 502, 503, 504, 520, 521, 522, 523, 524, 525, 526, 527, 530].map((status) => ({
    rule: 'server error',
    status,
    headers: HTML_TYPE,
    body: PAGE,
    ...onAnyHost('source_unavailable'),
  })),
  ...[408, 409, 421, 423, 425].map((status) => ({
    rule: 'transient status',
    status,
    headers: { ...API, ...JSON_TYPE },
    body: '{}',
    ...onAnyHost('source_unavailable'),
  })),
  {
    rule: 'unknown content encoding',
    status: 200,
    headers: { ...API, ...JSON_TYPE },
    body: '',
    overrides: { encodingError: { encoding: 'compress', isKnown: false, reason: 'unknown' } },
    ...onAnyHost('source_contract'),
    message: 'content encoding "compress"',
  },
  {
    rule: 'damaged content encoding',
    status: 200,
    headers: { ...API, ...JSON_TYPE },
    body: '',
    overrides: { encodingError: { encoding: 'gzip', isKnown: true, reason: 'Z_DATA_ERROR' } },
    ...onAnyHost('source_unavailable'),
    message: 'gzip encoding is damaged',
  },
  {
    rule: 'web page instead of JSON',
    status: 200,
    headers: HTML_TYPE,
    body: PAGE,
    ...FROM_PROXY,
    message: 'content type text/html',
  },
  {
    rule: 'web page instead of JSON',
    status: 200,
    headers: { ...API, ...HTML_TYPE },
    body: PAGE,
    ...onAnyHost('source_unavailable'),
    message: 'content type text/html',
  },
  {
    rule: 'web page instead of JSON',
    status: 200,
    headers: { 'content-type': 'image/png' },
    body: 'PNG',
    ...FROM_PROXY,
    message: 'content type image/png',
  },
  { rule: 'web page instead of JSON', status: 200, headers: {}, body: PAGE, ...FROM_PROXY, message: 'no content type' },
  {
    rule: 'body larger than the limit',
    status: 200,
    headers: { ...API, ...JSON_TYPE },
    body: '"aaa',
    overrides: { isTruncated: true },
    ...onAnyHost('source_too_large'),
    message: 'too large',
  },
  {
    rule: 'empty body',
    status: 200,
    headers: { ...API, ...JSON_TYPE },
    body: ' \n',
    ...onAnyHost('source_unavailable'),
    message: 'an empty body',
  },
  { rule: 'empty body', status: 200, headers: {}, body: '', ...FROM_PROXY, message: 'an empty body' },
  { rule: 'JSON', status: 200, headers: JSON_TYPE, body: '[]', ...onAnyHost('records') },
  {
    rule: 'JSON',
    status: 200,
    headers: { ...API, 'content-type': 'text/plain' },
    body: ' []',
    ...onAnyHost('records'),
  },
  { rule: 'JSON', status: 200, headers: {}, body: '{}', ...onAnyHost('records') },
  ...[202, 204, 206].map((status) => ({
    rule: 'success without records',
    status,
    headers: { ...API, ...JSON_TYPE },
    body: '',
    ...onAnyHost('source_unavailable'),
  })),
  ...[301, 302, 307, 308].map((status) => ({
    rule: 'redirect',
    status,
    headers: { location: 'https://elsewhere.example/' },
    body: '',
    ...FROM_PROXY,
    message: 'elsewhere.example',
  })),
  {
    rule: 'rejected API key',
    status: 401,
    headers: { ...API, ...JSON_TYPE },
    body: '{"code":"invalid_credentials"}',
    ...onAnyHost('source_auth'),
  },
  { rule: 'rejected API key', status: 401, headers: {}, body: '', ...onAnyHost('source_auth') },
  ...[400, 401, 403, 404, 451].map((status) => ({
    rule: 'client error from a system in front of the API',
    status,
    headers: HTML_TYPE,
    body: PAGE,
    ...FROM_PROXY,
    message: 'content type text/html',
  })),
  {
    rule: 'feature missing from the plan',
    status: 403,
    headers: { ...API, ...JSON_TYPE },
    body: '{"code":"require_feature","message":"The Surveys feature(s) is/are not supported in your plan."}',
    ...onAnyHost('source_not_in_plan'),
    message: 'The Surveys feature(s)',
  },
  {
    rule: 'suspended account',
    status: 403,
    headers: { ...API, ...JSON_TYPE },
    body: '{"code":"account_suspended","message":"Suspended."}',
    ...onAnyHost('source_auth'),
  },
  {
    rule: 'missing permission',
    status: 403,
    headers: { ...API, ...JSON_TYPE },
    body: '{"code":"access_denied","message":"You are not authorized."}',
    ...onAnyHost('source_forbidden'),
  },
  { rule: 'missing permission', status: 402, headers: API, body: '', ...onAnyHost('source_forbidden') },
  { rule: 'not found', status: 404, headers: API, body: '', ...onAnyHost('source_not_found') },
  { rule: 'not found', status: 410, headers: API, body: '', ...onAnyHost('source_not_found') },
  {
    rule: 'invalid request',
    status: 400,
    headers: { ...API, ...JSON_TYPE },
    body: '{"description":"Validation failed","errors":[{"field":"page","message":"no"}]}',
    ...onAnyHost('source_invalid_request'),
    message: 'page: no',
  },
  {
    rule: 'invalid request',
    status: 415,
    headers: { ...API, ...JSON_TYPE },
    body: '{"code":"invalid_content"}',
    ...onAnyHost('source_invalid_request'),
  },
];

const covered = new Set<string>();

function classify({ status, headers, body, overrides }: RuleCase, isKnownHost: boolean): string {
  const response: RawResponse = {
    statusCode: status,
    headers,
    body: Buffer.from(body),
    isTruncated: false,
    encodingError: null,
    ...overrides,
  };
  try {
    readResponse({ path: '/api/v2/groups', response, isKnownHost, bytesMax: 10 });
    return 'records';
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return `${error.code}: ${error.message}`;
  }
}

describe('RESPONSE_RULES', () => {
  test.each(cases)(
    'classifies status $status with $headers as $known on a known host and as $unknown on any other host (rule "$rule")',
    (one) => {
      covered.add(one.rule);
      const [known, unknown] = [classify(one, true), classify(one, false)];
      expect(known.split(':')[0]).toBe(one.known);
      expect(unknown.split(':')[0]).toBe(one.unknown);
      if (one.message !== undefined) expect(known).toContain(one.message);
    },
  );

  afterAll(() => {
    // Every rule has a case.
    expect(RESPONSE_RULES.map(({ name }) => name).filter((name) => !covered.has(name))).toEqual([]);
  });
});

describe('readResponse', () => {
  const utf16 = (text: string, isBigEndian: boolean) => {
    const bytes = Buffer.from(text, 'utf16le');
    return isBigEndian ? bytes.swap16() : bytes;
  };
  const TEXT = '[{"name":"Größe 日本"}]';
  test.each([
    ['a UTF-8 byte order mark', Buffer.from(`\uFEFF${TEXT}`), 'application/json'],
    ['white space before and after a byte order mark', Buffer.from(`\n\uFEFF \n${TEXT}`), 'application/json'],
    ['two byte order marks', Buffer.from(`\uFEFF\uFEFF${TEXT}`), 'application/json'],
    ['a UTF-16 LE byte order mark', utf16(`\uFEFF${TEXT}`, false), 'application/json'],
    ['a UTF-16 BE byte order mark', utf16(`\uFEFF${TEXT}`, true), 'application/json'],
    ['UTF-16 LE and no byte order mark', utf16(TEXT, false), 'application/json'],
    ['UTF-16 BE and no byte order mark', utf16(TEXT, true), 'application/json; charset=UTF-16BE'],
    [
      'a UTF-8 byte order mark and a wrong charset parameter',
      Buffer.from(`\uFEFF${TEXT}`),
      'application/json; charset=iso-8859-1',
    ],
    ['a charset parameter that does not exist', Buffer.from(TEXT), 'application/json; charset=nonsense'],
    ['leading white space', Buffer.from(`\r\n\t ${TEXT}`), 'application/json'],
  ])('converts a JSON body with %s to UTF-8', (_name, body, contentType) => {
    const response: RawResponse = {
      statusCode: 200,
      headers: { 'content-type': contentType },
      body,
      isTruncated: false,
      encodingError: null,
    };
    const read = readResponse({ path: '/x', response, isKnownHost: true, bytesMax: 1000 });
    expect(JSON.parse(read.toString('utf8'))).toEqual([{ name: 'Größe 日本' }]);
  });

  test('converts a JSON body in a single-byte charset to UTF-8', () => {
    const body = Buffer.from('[{"name":"Gr\xf6\xdfe"}]', 'latin1');
    const headers = { 'content-type': 'application/json; charset="ISO-8859-1"' };
    const read = readResponse({
      path: '/x',
      response: { statusCode: 200, headers, body, isTruncated: false, encodingError: null },
      isKnownHost: true,
      bytesMax: 1000,
    });
    expect(JSON.parse(read.toString('utf8'))).toEqual([{ name: 'Größe' }]);
  });
});

describe('getRetryAfterMs', () => {
  const date = 'Fri, 27 Nov 2026 12:00:00 GMT';
  test.each([
    ['30', 30_000],
    ['', 60_000],
    ['0', 1000],
    ['-5', 1000],
    ['0.4', 1000],
    ['1e9', 3_600_000],
    ['1000000000', 3_600_000],
    ['soon', 60_000],
    ['Fri, 27 Nov 2026 12:01:30 GMT', 90_000],
    ['Fri, 27 Nov 2026 11:00:00 GMT', 1000],
    ['Fri, 27 Nov 2099 12:00:00 GMT', 3_600_000],
  ])('converts Retry-After "%s" to %d ms', (text, ms) => {
    expect(getRetryAfterMs({ date, ...(text === '' ? {} : { 'retry-after': text }) })).toBe(ms);
  });
});
