import { FreshdeskClient } from '@freshet/freshdesk-extractor';
import { describe, expect, test } from 'vitest';
import { getExpectedRows, mergeResults, openSource, readObject, toLineText } from '../test-support/source.ts';

describe('readStableList', () => {
  test.each([
    // [object, records, pages of 100, requests]. The number of requests is a sum: the requests for
    // the overlapping pages, the test of the filter, the other views, and the changes that occurred
    // during the read. Terms that an object does not need are absent.
    ['contacts', 800, 8, 9 + 1 + 2 + 1],
    ['companies', 250, 3, 3 + 1 + 1],
    ['satisfaction_ratings', 400, 4, 5 + 1],
    ['time_entries', 300, 3, 4 + 1],
    ['agents', 250, 3, 3],
    ['automation_rules', 2, 3, 3],
  ] as const)(
    '%s: the first extraction of an unchanging list returns each of its %i records once',
    async (name, count, pages, expected) => {
      await using account = await openSource({ counts: { [name]: count, tickets: 10 } });
      const result = await readObject(account.client, name);
      expect(mergeResults(result)).toEqual(getExpectedRows(account.simulator, name));
      expect(result.records).toHaveLength(count);
      expect(account.simulator.requestCount).toBe(expected);
      expect(expected).toBeLessThanOrEqual(Math.ceil(pages * 1.15) + 4);
    },
  );

  test('needs only one pass to prove that the read of a list without a filter is complete, even if records were added since the last run', async () => {
    await using account = await openSource({ counts: { agents: 250 } });
    const first = await readObject(account.client, 'agents');
    account.simulator.account.create('agents', { contact: { name: 'Ada' } });
    const before = account.simulator.requestCount;
    const second = await readObject(account.client, 'agents', { position: first.position });
    expect(account.simulator.requestCount - before).toBe(3);
    expect(toLineText(second.pages.at(-1)?.lines.at(-1))).toContain('"generation"');
  });

  test('loses no record when the deletions between two page requests outnumber the records in the overlap (I3)', async () => {
    for (const deletedAt of [1, 2, 3, 4, 5]) {
      await using account = await openSource({ counts: { contacts: 700, tickets: 10 } });
      const keys = [...getExpectedRows(account.simulator, 'contacts').keys()];
      const result = await readObject(account.client, 'contacts', {
        afterPage: (_page, count) => {
          // Delete records that are spread over the list, so that some of them are on pages that
          // have already been read.
          if (count === deletedAt)
            for (let n = 0; n < 120; n++) account.simulator.account.delete('contacts', keys[n * 5] as number);
        },
      });
      const left = [...getExpectedRows(account.simulator, 'contacts').keys()];
      expect(
        left.filter((id) => !mergeResults(result).has(id)),
        `deleted after page ${deletedAt}`,
      ).toEqual([]);
    }
  });

  test('returns the new name of a contact that is renamed while its list is read (I10)', async () => {
    await using account = await openSource({ counts: { contacts: 400, tickets: 10 } });
    const names = [...getExpectedRows(account.simulator, 'contacts')].flatMap(([id, { fields, deleted }]) =>
      deleted === null ? [[String(fields['name']), id] as const] : [],
    );
    const last = [...names].sort(([a], [b]) => (a < b ? 1 : -1))[0]?.[1] as number;
    const result = await readObject(account.client, 'contacts', {
      afterPage: (_page, count) => {
        if (count === 2) account.simulator.account.update('contacts', last, { name: ' first of all' });
      },
    });
    expect(mergeResults(result).get(last)?.fields['name']).toBe(' first of all');
  });

  test.each([
    [
      'ignores the requested page size',
      (records: number[], page: number) => records.slice((page - 1) * 100, page * 100),
    ],
    ['returns 40 records per page', (records: number[], page: number) => records.slice((page - 1) * 40, page * 40)],
  ])('repeats passes until two passes find the same keys if the server %s', async (_name, respond) => {
    const records = Array.from({ length: 330 }, (_, i) => i + 1);
    await using account = await openSource({
      intercept: ({ path, query }, response) => {
        if (!path.endsWith('/roles')) return false;
        const page = Number(query.get('page'));
        if (respond(records, page + 1).length > 0)
          response.setHeader('link', `<https://x.freshdesk.com${path}?page=${page + 1}>; rel="next"`);
        response.setHeader('x-freshdesk-api-version', 'latest=v2; requested=v2');
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify(respond(records, page).map((id) => ({ id, updated_at: '2026-01-01T00:00:00Z' }))));
        return true;
      },
    });
    const result = await readObject(account.client, 'roles');
    expect([...mergeResults(result).keys()].sort((a, b) => a - b)).toEqual(records);
    expect(toLineText(result.pages.at(-1)?.lines.at(-1))).toContain('"generation"');
  });

  test('repeats passes until two passes find the same keys if records differ in every response', async () => {
    let responses = 0;
    await using account = await openSource({
      counts: { companies: 330, tickets: 10 },
      intercept: ({ path, query }, response) => {
        if (!path.endsWith('/companies')) return false;
        const [page, size] = [Number(query.get('page')), Number(query.get('per_page'))];
        // The changed-since filter returns no records.
        const ids = query.has('updated_since')
          ? []
          : Array.from({ length: 330 }, (_, i) => i + 1).slice((page - 1) * size, page * size);
        if (ids.length > 0 && page * size < 330)
          response.setHeader('link', `<https://x.freshdesk.com${path}?page=${page + 1}>; rel="next"`);
        response.setHeader('x-freshdesk-api-version', 'latest=v2; requested=v2');
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(
          JSON.stringify(
            ids.map((id) => ({
              id,
              seen: responses++,
              created_at: '2020-01-01T00:00:00Z',
              updated_at: '2020-01-01T00:00:00Z',
            })),
          ),
        );
        return true;
      },
    });
    const result = await readObject(account.client, 'companies');
    expect(mergeResults(result).size).toBe(330);
    expect(result.pages.length).toBeLessThan(60);
  });

  test('splits an overlapping page that exceeds the response size limit, without missing or repeated records', async () => {
    await using account = await openSource({ counts: { contacts: 330, tickets: 10 } });
    const client = new FreshdeskClient({
      account: { subdomain: 'demo', origin: account.simulator.origin },
      apiKey: 'demo-admin-key',
      creditClass: 'incremental',
      budget: { take: async () => {}, learn: async () => {}, block: async () => {} },
      limits: { bodyBytesMax: 30_000 },
    });
    const result = await readObject(client, 'contacts');
    await client.close();
    expect(mergeResults(result)).toEqual(getExpectedRows(account.simulator, 'contacts'));
    expect(result.records).toHaveLength(330);
  });
});
