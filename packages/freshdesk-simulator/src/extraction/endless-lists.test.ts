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

/**
 * After this many requests, the simulator responds with an error, so that a test of an extraction
 * that does not end fails.
 */
const REQUESTS_MAX = 400;

type PageBuilder = (page: number, query: URLSearchParams, count: number) => readonly Record<string, unknown>[];

/** Starts an account whose list at `path` links to a next page on every page. */
async function openEndlessList(
  path: string,
  buildPage: PageBuilder,
  options: { readonly token?: (count: number) => string } = {},
) {
  let count = 0;
  const account = await openSource({
    counts: { tickets: 300, contacts: 250 },
    intercept: (request, response: ServerResponse) => {
      if (request.path !== path) return false;
      if (++count > REQUESTS_MAX) {
        response
          .writeHead(400, { 'content-type': 'application/json', 'x-freshdesk-api-version': 'v2' })
          .end('{"description":"The extraction does not end."}');
        return true;
      }
      const page = Number(request.query.get('page') ?? '1');
      const headers: Record<string, string> = { 'content-type': 'application/json', 'x-freshdesk-api-version': 'v2' };
      if (!options.token) headers['link'] = `<https://simulated.freshdesk.com${path}?page=${page + 1}>; rel="next"`;
      const records = buildPage(page, request.query, count);
      const body = options.token
        ? { records, _links: { next: { href: `${path}?next_token=${options.token(count)}` } } }
        : records;
      response.writeHead(200, headers).end(JSON.stringify(body));
      return true;
    },
  });
  return { ...account, requests: () => count };
}

const buildContacts = (from: number, n = 100) =>
  Array.from({ length: n }, (_, i) => ({
    id: from + i,
    name: `c ${from + i}`,
    created_at: '2024-01-01T00:00:00Z',
    updated_at: '2024-01-01T00:00:00Z',
  }));

const ENDLESS_LISTS: readonly (readonly [string, PageBuilder, number])[] = [
  ['returns page 1 for every page', () => buildContacts(1), 8],
  [
    'returns page 1 for every page, with a different signed URL each time',
    (_p, _q, n) => buildContacts(1).map((c) => ({ ...c, avatar: { url: `https://x/?sig=${n}` } })),
    8,
  ],
  [
    'returns the records of page 1 in a different order for every page',
    (_p, _q, n) => buildContacts(1).toSorted((a, b) => hash(n, a.id, 0) - hash(n, b.id, 0)),
    8,
  ],
  ['alternates between two pages', (page) => buildContacts(1 + 100 * (page % 2)), 30],
  ['cycles through three pages', (page) => buildContacts(1 + 100 * (page % 3)), 40],
  ['returns page 5 for every later page', (page) => buildContacts(1 + 100 * Math.min(page, 5)), 20],
  [
    'returns a random selection from 500 records for every page',
    (_p, _q, n) =>
      buildContacts(1, 500)
        .toSorted((a, b) => hash(n, a.id, 0) - hash(n, b.id, 0))
        .slice(0, 100),
    60,
  ],
  ['returns empty pages', () => [], 12],
  ['returns empty pages after page 5', (page) => (page <= 5 ? buildContacts(1 + 100 * page) : []), 30],
  ['returns the same record for every page', () => buildContacts(1, 1), 20],
];

const failure = {
  code: 'source_contract',
  message: expect.stringMatching(/does not end: page \d+ announces another page/),
};

describe('reading a list completely', () => {
  test.each(ENDLESS_LISTS)(
    'fails if every page links to a next page and the server %s',
    async (_name, buildPage, requestsMax) => {
      await using account = await openEndlessList('/api/v2/contacts', buildPage);
      await expect(readObject(account.client, 'contacts')).rejects.toMatchObject({
        ...failure,
        message: expect.stringContaining('contacts'),
      });
      expect(account.requests()).toBeLessThan(requestsMax);
    },
  );

  test('fails on an endless list even if extraction is interrupted after every page and resumed from the stored position', async () => {
    await using account = await openEndlessList('/api/v2/contacts', (page) => buildContacts(1 + 100 * (page % 3)));
    let position: Position | null = null;
    const resumeRepeatedly = async () => {
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
    await expect(resumeRepeatedly()).rejects.toMatchObject(failure);
    expect(account.requests()).toBeLessThan(40);
    // The stored position contains the state of the loop detection, and this state does not grow
    // with the number of pages.
    expect(JSON.stringify(position).length).toBeLessThan(1000);
  });

  test('continues after pages that are short, empty or repeated a few times', async () => {
    const pages = [
      buildContacts(1),
      buildContacts(1),
      [],
      [],
      buildContacts(101, 3),
      [],
      buildContacts(104),
      buildContacts(150),
    ];
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

describe('each kind of paginated request', () => {
  const at = (i: number, second: string) => ({ id: i, created_at: '2024-01-01T00:00:00Z', updated_at: second });
  const recent = new Date(Date.now() - 5 * 86_400_000).toISOString().replace(/\.\d+Z/, 'Z');
  const later = new Date(Date.now() - 4 * 86_400_000).toISOString().replace(/\.\d+Z/, 'Z');

  const loops: readonly (readonly [string, string, PageBuilder, string, ReadObjectOptions])[] = [
    [
      'a list without a filter that returns page 1 for every page',
      '/api/v2/groups',
      () => buildContacts(1),
      'groups',
      {},
    ],
    [
      'a sorted list that returns the same 100 records of one second for every page',
      '/api/v2/tickets',
      () => Array.from({ length: 100 }, (_, i) => at(i + 1, recent)),
      'tickets',
      {},
    ],
    [
      'a sorted list that returns the same record for every page',
      '/api/v2/tickets',
      () => [at(1, recent)],
      'tickets',
      {},
    ],
    [
      'a sorted list that ignores the filter and returns the same two records for every page',
      '/api/v2/tickets',
      () => [at(1, recent), at(2, later)],
      'tickets',
      {},
    ],
    ['a sorted list that returns only empty pages', '/api/v2/tickets', () => [], 'tickets', {}],
    [
      'a sorted list whose timestamps increase with every request',
      '/api/v2/tickets',
      (_p, query) =>
        Array.from({ length: 100 }, (_, i) =>
          at(i + 1, new Date(Date.parse(query.get('updated_since') ?? '') + i * 1000).toISOString()),
        ),
      'tickets',
      {},
    ],
  ];
  test.each(loops)('reading %s fails', async (_name, path, buildPage, object, options) => {
    await using account = await openEndlessList(path, buildPage);
    await expect(readObject(account.client, object, options)).rejects.toMatchObject({
      code: 'source_contract',
      message: expect.stringContaining('proxy'),
    });
    expect(account.requests()).toBeLessThan(100);
  });

  test.each([
    ['contacts', '/api/v2/contacts', (page: number) => buildContacts(1 + 100 * (page % 2))],
    [
      'tickets',
      '/api/v2/tickets',
      (page: number) => Array.from({ length: 100 }, (_, i) => at(i + 1, page > 0 ? recent : later)),
    ],
  ] as const)(
    'after an endless list of %s is repaired, the next run reads the list from the start and returns all records (I3)',
    async (object, path, buildPage) => {
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
          response.writeHead(200, headers).end(JSON.stringify(buildPage(page)));
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

  test('reading an endless list of custom field definitions fails', async () => {
    await using account = await openEndlessList('/api/v2/ticket_fields', () => buildContacts(1, 10));
    await expect(listCustomColumns(account.client, getObject('tickets'))).rejects.toMatchObject(failure);
  });

  test('an audit of an endless list fails', async () => {
    await using account = await openEndlessList('/api/v2/companies', (page) => buildContacts(1 + 100 * (page % 2)));
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

  test('a parent becomes a failed unit if the list of its children is endless', async () => {
    await using account = await openEndlessList('/api/v2/tickets/5/conversations', () => buildContacts(1));
    const { pages } = await readObject(account.client, 'conversations', {
      parents: [{ object: 'conversations', parentId: '5', version: '1' }],
    });
    expect(pages.flatMap((page) => page.failedUnits)).toMatchObject([{ key: '5', ...failure }]);
    expect(account.requests()).toBeLessThan(12);
  });

  test('a parent becomes a failed unit if the page tokens of its children form a cycle', async () => {
    const tokens = ['a', 'b', 'c'];
    await using account = await openEndlessList(
      '/api/v2/custom_objects/schemas/7/records',
      () => [{ display_id: 'r-1' }],
      {
        token: (count) => tokens[count % 3] as string,
      },
    );
    const result = readObject(account.client, 'custom_object_records', {
      parents: [{ object: 'custom_object_records', parentId: '7', version: '1' }],
    });
    expect((await result).pages.flatMap((page) => page.failedUnits)).toMatchObject([
      { object: 'custom_object_records', key: '7', code: 'source_contract' },
    ]);
    expect(account.requests()).toBeLessThan(30);
  });
});
