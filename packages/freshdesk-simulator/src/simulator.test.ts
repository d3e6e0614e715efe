import { FreshdeskClient } from '@freshet/freshdesk-extractor';
import { expect, test } from 'vitest';
import { FreshdeskSimulator, type SimulatorOptions } from './index.ts';

/** Starts a simulator, and returns the simulator and a function that sends requests. */
async function startSimulator(options: SimulatorOptions = {}) {
  const simulator = new FreshdeskSimulator({ seed: 3, counts: { tickets: 400 }, ...options });
  const origin = await simulator.listen();
  const get = async (
    path: string,
    { key = 'demo-admin-key', headers = {} }: { key?: string; headers?: Record<string, string> } = {},
  ) => {
    const response = await fetch(`${origin}/api/v2${path}`, {
      headers: { authorization: `Basic ${btoa(`${key}:X`)}`, ...headers },
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === '' ? null : JSON.parse(text) };
  };
  return { simulator, get, [Symbol.asyncDispose]: () => simulator.close() };
}

test('equal seeds generate equal accounts, and different seeds generate different accounts', async () => {
  const asOf = new Date('2026-01-01T00:00:00Z');
  const pages = [];
  for (const seed of [3, 3, 4]) {
    await using account = await startSimulator({ seed, asOf });
    pages.push((await account.get('/tickets?updated_since=2000-01-01&per_page=100')).body);
  }
  expect(pages[0]).toEqual(pages[1]);
  expect(pages[0]).not.toEqual(pages[2]);
});

test('a page contains 30 records by default and at most 100, and links to the next page unless it is the last page', async () => {
  await using account = await startSimulator();
  const first = await account.get('/tickets?updated_since=2000-01-01');
  expect(first.body).toHaveLength(30);
  expect(first.headers.get('link')).toMatch(
    /^<https:\/\/[^>]+\/api\/v2\/tickets\?updated_since=2000-01-01&page=2>; rel="next"$/,
  );
  const all = await account.get('/tickets?updated_since=2000-01-01&per_page=100&page=4');
  expect(all.headers.get('link')).toBeNull();
  expect((await account.get('/tickets?updated_since=2000-01-01&page=299')).body).toEqual([]);
});

test.each([
  ['/tickets?per_page=101', 'per_page'],
  ['/tickets?per_page=x', 'per_page'],
  ['/tickets?page=0', 'page'],
  ['/tickets?page=301', 'page'],
  ['/tickets?foo=1', 'foo'],
  ['/tickets?order_by=subject', 'order_by'],
  ['/tickets?include=nothing', 'include'],
  ['/groups?updated_since=2020-01-01', 'updated_since'],
])('%s returns a validation error for %s', async (path, field) => {
  await using account = await startSimulator();
  const { status, body } = await account.get(path);
  expect(status).toBe(400);
  expect(body).toMatchObject({ description: 'Validation failed', errors: [{ field }] });
});

test('the default list of tickets excludes old tickets, deleted tickets, and columns that require an include', async () => {
  await using account = await startSimulator({ spanDays: 300 });
  const recent = await account.get('/tickets?per_page=100');
  expect(recent.body.length).toBeLessThan(100);
  const oldest = Math.min(...recent.body.map((t: { created_at: string }) => Date.parse(t.created_at)));
  expect(oldest).toBeGreaterThan(Date.now() - 31 * 86_400_000);
  expect(recent.body[0]).not.toHaveProperty('description');
  const included = (await account.get('/tickets?include=description,stats')).body[0];
  for (const column of ['description', 'description_text', 'stats']) expect(included).toHaveProperty(column);
  const trash = await account.get('/tickets?filter=deleted&updated_since=2000-01-01');
  expect(trash.body[0]).toMatchObject({ deleted: true });
});

test('a list can be filtered with an inclusive updated_since and sorted with order_by', async () => {
  await using account = await startSimulator();
  const asc = (await account.get('/tickets?updated_since=2000-01-01&order_by=updated_at&order_type=asc&per_page=100'))
    .body as {
    id: number;
    updated_at: string;
  }[];
  const times = asc.map((t) => t.updated_at);
  expect(times).toEqual(times.toSorted());
  const boundary = asc[50] as { id: number; updated_at: string };
  const since = (await account.get(`/tickets?updated_since=${boundary.updated_at}&order_by=updated_at&order_type=asc`))
    .body as { id: number }[];
  expect(since.map((t) => t.id)).toContain(boundary.id);
});

test('a request returns 401 for an invalid key, 403 for an admin list without admin rights, and 404 for an unknown id', async () => {
  await using account = await startSimulator();
  expect(await account.get('/tickets', { key: 'invalid' })).toMatchObject({
    status: 401,
    body: { code: 'invalid_credentials' },
  });
  expect(await account.get('/agents', { key: 'demo-agent-key' })).toMatchObject({
    status: 403,
    body: { code: 'access_denied' },
  });
  expect(await account.get('/agents/me', { key: 'demo-agent-key' })).toMatchObject({
    status: 200,
    body: { ticket_scope: 1 },
  });
  expect(await account.get('/tickets/999999')).toMatchObject({ status: 404, body: null });
  expect(await account.get('/nothing')).toMatchObject({ status: 404, body: null });
  expect((await account.get('/tickets', { headers: { accept: 'text/html' } })).status).toBe(406);
});

test('a request for a feature that the plan lacks returns 403 with the name of the feature', async () => {
  await using account = await startSimulator({ missingFeatures: ['Surveys'] });
  expect(await account.get('/surveys')).toMatchObject({
    status: 403,
    body: { code: 'require_feature', message: expect.stringContaining('Surveys') },
  });
});

test('rate limits have an account bucket and a list bucket, count the credits of includes, and reset a minute after the first request of the window', async () => {
  const clock = { now: Date.parse('2026-01-01T00:00:00Z') };
  await using account = await startSimulator({ plan: 'growth', now: () => clock.now, asOf: new Date(clock.now) });
  const limits = (r: { headers: Headers }) =>
    ['total', 'remaining', 'used-currentrequest'].map((n) => Number(r.headers.get(`x-ratelimit-${n}`)));
  expect(limits(await account.get('/companies'))).toEqual([200, 199, 1]);
  // The headers describe the list's bucket, but the request also takes credits from the account's
  // bucket.
  expect(limits(await account.get('/tickets?include=stats,description'))).toEqual([20, 15, 5]);
  expect(limits(await account.get('/companies'))).toEqual([200, 193, 1]);
  for (let i = 0; i < 3; i++) await account.get('/tickets?include=stats,description');
  clock.now += 20_000;
  const rejected = await account.get('/tickets');
  expect(rejected.status).toBe(429);
  expect(rejected.headers.get('retry-after')).toBe('40');
  expect((await account.get('/companies')).status).toBe(200);
  clock.now += 40_000;
  expect(limits(await account.get('/tickets'))).toEqual([20, 19, 1]);
});

test('records contain emoji, 19-digit numbers, and fields whose values have several types', async () => {
  await using account = await startSimulator();
  const contacts = JSON.stringify((await account.get('/contacts?per_page=100')).body);
  const tickets = (await account.get('/tickets?updated_since=2000-01-01&include=description&per_page=100'))
    .body as Record<string, unknown>[];
  expect(contacts).toMatch(/[\u{10000}-\u{10ffff}]/u);
  const emails = new Set(
    tickets.map((t) =>
      t['to_emails'] === null ? 'null' : Array.isArray(t['to_emails']) ? 'array' : typeof t['to_emails'],
    ),
  );
  expect(emails).toEqual(new Set(['array', 'null', 'string']));
  const raw = await (
    await fetch(`${account.simulator.origin}/api/v2/contacts`, {
      headers: { authorization: `Basic ${btoa('demo-admin-key:X')}` },
    })
  ).text();
  expect(raw).toMatch(/"org_contact_id":\d{19}/);
});

test('the simulator serves page 300 of an account of 200,000 tickets', async () => {
  await using account = await startSimulator({ counts: { tickets: 200_000 } });
  expect(
    (await account.get('/tickets?updated_since=2000-01-01&order_by=updated_at&order_type=asc&per_page=100&page=300'))
      .body,
  ).toHaveLength(100);
});

test('the client concludes that an account has no rate limits only from a successful response, not from a proxy error (I5)', async () => {
  await using simulated = await startSimulator({
    counts: { tickets: 10 },
    intercept: ({ number }, response) => {
      if (number === 1) response.writeHead(502, { 'content-type': 'text/html' }).end('<html></html>');
      return number === 1;
    },
  });
  const learned: number[] = [];
  const budget = {
    take: async () => {},
    learn: async (readings: readonly unknown[]) => void learned.push(readings.length),
    block: async () => {},
  };
  const client = new FreshdeskClient({
    account: { subdomain: 'demo', origin: simulated.simulator.origin },
    apiKey: 'demo-admin-key',
    budget,
    creditClass: 'incremental',
    limits: { attemptsMax: 1 },
  });
  const sendRequest = () => client.list('/api/v2/tickets', {}, { credits: 1, bucket: 'tickets_list' });
  await expect(sendRequest()).rejects.toMatchObject({ code: 'source_unavailable' });
  expect(learned).toEqual([]);
  await sendRequest();
  expect(learned).toEqual([0]);
  await client.close();
});

test('a list limit that counts requests does not count the credits of includes', async () => {
  await using simulated = await startSimulator({
    counts: { tickets: 10 },
    plan: 'growth',
    listLimitsCountRequests: true,
  });
  await simulated.get('/tickets?include=stats,description');
  expect((await simulated.get('/tickets?include=stats,description')).headers.get('x-ratelimit-remaining')).toBe('18');
});
