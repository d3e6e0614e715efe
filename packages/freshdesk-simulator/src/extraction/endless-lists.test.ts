import type { ServerResponse } from 'node:http';
import { audit, extract, getObject, listCustomColumns, type Position } from '@freshet/freshdesk-extractor';
import { describe, expect, test } from 'vitest';
import { hash } from '../random.ts';
import {
  getExpectedRows,
  mergeResults,
  openSource,
  type ReadObjectOptions,
  readObject,
} from '../test-support/source.ts';

/** Requests after which a reading that has not stopped would never stop. */
const REQUESTS_MAX = 400;

type Answer = (page: number, query: URLSearchParams, count: number) => readonly Record<string, unknown>[];

/** An account whose list at a path always announces another page. */
async function endless(path: string, answer: Answer, more: { readonly token?: (count: number) => string } = {}) {
  let count = 0;
  const account = await openSource({
    counts: { tickets: 300, contacts: 250 },
    intercept: (request, response: ServerResponse) => {
      if (request.path !== path) return false;
      if (++count > REQUESTS_MAX) {
        response
          .writeHead(400, { 'content-type': 'application/json', 'x-freshdesk-api-version': 'v2' })
          .end('{"description":"the reading does not stop"}');
        return true;
      }
      const page = Number(request.query.get('page') ?? '1');
      const headers: Record<string, string> = { 'content-type': 'application/json', 'x-freshdesk-api-version': 'v2' };
      if (!more.token) headers['link'] = `<https://simulated.freshdesk.com${path}?page=${page + 1}>; rel="next"`;
      const records = answer(page, request.query, count);
      const body = more.token
        ? { records, _links: { next: { href: `${path}?next_token=${more.token(count)}` } } }
        : records;
      response.writeHead(200, headers).end(JSON.stringify(body));
      return true;
    },
  });
  return { ...account, requests: () => count };
}

const contacts = (from: number, n = 100) =>
  Array.from({ length: n }, (_, i) => ({
    id: from + i,
    name: `c ${from + i}`,
    created_at: '2024-01-01T00:00:00Z',
    updated_at: '2024-01-01T00:00:00Z',
  }));

const ANSWERS: readonly (readonly [string, Answer, number])[] = [
  ['answers every page with page 1', () => contacts(1), 8],
  [
    'answers every page with page 1 and another signed URL each time',
    (_p, _q, n) => contacts(1).map((c) => ({ ...c, avatar: { url: `https://x/?sig=${n}` } })),
    8,
  ],
  [
    'answers every page with the records of page 1 in another order',
    (_p, _q, n) => contacts(1).toSorted((a, b) => hash(n, a.id, 0) - hash(n, b.id, 0)),
    8,
  ],
  ['alternates between two pages', (page) => contacts(1 + 100 * (page % 2)), 30],
  ['cycles through three pages', (page) => contacts(1 + 100 * (page % 3)), 40],
  ['repeats its last page after page 5', (page) => contacts(1 + 100 * Math.min(page, 5)), 20],
  [
    'answers a random selection of 500 records',
    (_p, _q, n) =>
      contacts(1, 500)
        .toSorted((a, b) => hash(n, a.id, 0) - hash(n, b.id, 0))
        .slice(0, 100),
    60,
  ],
  ['answers empty pages', () => [], 12],
  ['answers empty pages after page 5', (page) => (page <= 5 ? contacts(1 + 100 * page) : []), 30],
  ['answers one record for ever', () => contacts(1, 1), 20],
];

const failure = {
  code: 'source_contract',
  message: expect.stringMatching(/does not end: page \d+ announces another page/),
};

describe('a list read to its end', () => {
  test.each(ANSWERS)('stops when the server %s', async (_name, answer, requestsMax) => {
    await using account = await endless('/api/v2/contacts', answer);
    await expect(readObject(account.client, 'contacts')).rejects.toMatchObject({
      ...failure,
      message: expect.stringContaining('contacts'),
    });
    expect(account.requests()).toBeLessThan(requestsMax);
  });

  test('stops when it is interrupted after every page and resumed from the stored position', async () => {
    await using account = await endless('/api/v2/contacts', (page) => contacts(1 + 100 * (page % 3)));
    let position: Position | null = null;
    const resumed = async () => {
      for (let slices = 0; slices < 200; slices++) {
        const from: Position | null = position;
        const options = {
          historyFrom: null,
          readingId: 'reading',
          stopSignal: AbortSignal.abort(),
          fetchUnits: async () => [],
        };
        for await (const page of extract(account.client, getObject('contacts'), from, options)) {
          position = page.position;
          if (!page.hasPendingRequest) break;
        }
      }
    };
    await expect(resumed()).rejects.toMatchObject(failure);
    expect(account.requests()).toBeLessThan(40);
    // The state of the detection is part of the stored position and does not grow.
    expect(JSON.stringify(position).length).toBeLessThan(1000);
  });

  test('reads on when pages are short, empty or repeated a few times', async () => {
    const pages = [contacts(1), contacts(1), [], [], contacts(101, 3), [], contacts(104), contacts(150)];
    await using account = await openSource({
      intercept: ({ path, query }, response) => {
        if (path !== '/api/v2/roles') return false;
        const n = Number(query.get('page'));
        if (n < pages.length) response.setHeader('link', `<https://x.freshdesk.com${path}?page=${n + 1}>; rel="next"`);
        response
          .writeHead(200, { 'content-type': 'application/json', 'x-freshdesk-api-version': 'v2' })
          .end(JSON.stringify(pages[n - 1]));
        return true;
      },
    });
    expect(new Set((await readObject(account.client, 'roles')).records.map((r) => r.id)).size).toBe(249);
  });
});

describe('every other paginated loop', () => {
  const at = (i: number, second: string) => ({ id: i, created_at: '2024-01-01T00:00:00Z', updated_at: second });
  const recent = new Date(Date.now() - 5 * 86_400_000).toISOString().replace(/\.\d+Z/, 'Z');
  const later = new Date(Date.now() - 4 * 86_400_000).toISOString().replace(/\.\d+Z/, 'Z');

  const loops: readonly (readonly [string, string, Answer, string, ReadObjectOptions])[] = [
    ['a list without a filter', '/api/v2/groups', () => contacts(1), 'groups', {}],
    [
      'an ordered list of one second',
      '/api/v2/tickets',
      () => Array.from({ length: 100 }, (_, i) => at(i + 1, recent)),
      'tickets',
      {},
    ],
    ['an ordered list of one record', '/api/v2/tickets', () => [at(1, recent)], 'tickets', {}],
    ['an ordered list that ignores the filter', '/api/v2/tickets', () => [at(1, recent), at(2, later)], 'tickets', {}],
    ['an ordered list of empty pages', '/api/v2/tickets', () => [], 'tickets', {}],
    [
      'an ordered list whose timestamps grow with every request',
      '/api/v2/tickets',
      (_p, query) =>
        Array.from({ length: 100 }, (_, i) =>
          at(i + 1, new Date(Date.parse(query.get('updated_since') ?? '') + i * 1000).toISOString()),
        ),
      'tickets',
      {},
    ],
  ];
  test.each(loops)('%s stops', async (_name, path, answer, object, options) => {
    await using account = await endless(path, answer);
    await expect(readObject(account.client, object, options)).rejects.toMatchObject({
      code: 'source_contract',
      message: expect.stringContaining('proxy'),
    });
    expect(account.requests()).toBeLessThan(100);
  });

  test.each([
    ['contacts', '/api/v2/contacts', (page: number) => contacts(1 + 100 * (page % 2))],
    [
      'tickets',
      '/api/v2/tickets',
      (page: number) => Array.from({ length: 100 }, (_, i) => at(i + 1, page > 0 ? recent : later)),
    ],
  ] as const)(
    'after %s have stopped, the next reading begins anew and equals the account (I3)',
    async (object, path, answer) => {
      let isBroken = true;
      await using account = await openSource({
        counts: { tickets: 300, contacts: 250 },
        intercept: (request, response) => {
          if (request.path !== path || !isBroken) return false;
          const page = Number(request.query.get('page') ?? '1');
          const headers = {
            'content-type': 'application/json',
            link: `<https://x${path}?page=${page + 1}>; rel="next"`,
          };
          response.writeHead(200, headers).end(JSON.stringify(answer(page)));
          return true;
        },
      });
      let position: Position | null = null;
      const afterPage = (page: { position: Position }) => {
        position = page.position;
      };
      for (let run = 1; run <= 2; run++) {
        const from: Position | null = position;
        await expect(readObject(account.client, object, { position: from, afterPage })).rejects.toMatchObject({
          code: 'source_contract',
        });
      }
      isBroken = false;
      const healthy = await readObject(account.client, object, { position });
      const keys = (rows: Map<number, unknown>) => [...rows.keys()].toSorted((a, b) => a - b);
      expect(keys(mergeResults(healthy))).toEqual(keys(getExpectedRows(account.simulator, object)));
    },
  );

  test('the definitions of custom fields stop', async () => {
    await using account = await endless('/api/v2/ticket_fields', () => contacts(1, 10));
    await expect(listCustomColumns(account.client, getObject('tickets'))).rejects.toMatchObject(failure);
  });

  test('an audit of a list stops', async () => {
    await using account = await endless('/api/v2/companies', (page) => contacts(1 + 100 * (page % 2)));
    const synced = {
      param: 'updated_since',
      backTo: '1970-01-01T00:00:00Z',
      watermarks: {},
      reading: null,
      fullList: null,
    };
    const pages = audit(
      account.client,
      getObject('companies'),
      { synced },
      { historyFrom: null, readingId: 'audit', fetchUnits: async () => [] },
    );
    const drain = async () => {
      for await (const _page of pages);
    };
    await expect(drain()).rejects.toMatchObject(failure);
  });

  test('the children of a parent stop, and the parent is a failed unit', async () => {
    await using account = await endless('/api/v2/tickets/5/conversations', () => contacts(1));
    const { pages } = await readObject(account.client, 'conversations', {
      parents: [{ object: 'conversations', parentId: '5', version: '1' }],
    });
    expect(pages.flatMap((page) => page.failedUnits)).toMatchObject([{ key: '5', ...failure }]);
    expect(account.requests()).toBeLessThan(12);
  });

  test('tokens that come in a cycle stop, and the schema is a failed unit', async () => {
    const tokens = ['a', 'b', 'c'];
    await using account = await endless('/api/v2/custom_objects/schemas/7/records', () => [{ display_id: 'r-1' }], {
      token: (count) => tokens[count % 3] as string,
    });
    const read7 = readObject(account.client, 'custom_object_records', {
      parents: [{ object: 'custom_object_records', parentId: '7', version: '1' }],
    });
    expect((await read7).pages.flatMap((page) => page.failedUnits)).toMatchObject([
      { object: 'custom_object_records', key: '7', code: 'source_contract' },
    ]);
    expect(account.requests()).toBeLessThan(30);
  });
});
