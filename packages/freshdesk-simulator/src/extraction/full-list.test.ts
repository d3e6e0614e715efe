import { describe, expect, test } from 'vitest';
import { getExpectedRows, mergeResults, openSource, readObject, toLineText } from '../test-support/source.ts';

describe('FullListStrategy', () => {
  test('continues after a short or empty page if the response links to a next page (T5)', async () => {
    const pages = [[1, 2, 3], [4], [], [5, 6]];
    await using account = await openSource({
      intercept: ({ path, query }, response) => {
        if (!path.endsWith('/roles')) return false;
        const n = Number(query.get('page'));
        if (n < pages.length) response.setHeader('link', `<https://x.freshdesk.com${path}?page=${n + 1}>; rel="next"`);
        response.setHeader('x-freshdesk-api-version', 'v2');
        response
          .writeHead(200, { 'content-type': 'application/json' })
          .end(JSON.stringify(pages[n - 1]?.map((id) => ({ id }))));
        return true;
      },
    });
    expect(new Set((await readObject(account.client, 'roles')).records.map((r) => r.id))).toEqual(
      new Set([1, 2, 3, 4, 5, 6]),
    );
  });

  test('reads a list without pagination parameters if the list rejects these parameters', async () => {
    await using account = await openSource({ rejectedParams: ['page', 'per_page'], counts: { tickets: 10 } });
    const fields = await readObject(account.client, 'ticket_fields');
    expect(mergeResults(fields)).toEqual(getExpectedRows(account.simulator, 'ticket_fields'));
    // Requests with other rejected parameters still fail.
    await expect(
      account.client.list('/api/v2/ticket_fields', { foo: '1' }, { credits: 1, bucket: null }),
    ).rejects.toMatchObject({
      code: 'source_invalid_request',
    });
  });

  test('fails with source_shrunk if a list that contained records in the previous read is empty (I7, T18)', async () => {
    let empty = false;
    await using account = await openSource({
      intercept: ({ path }, response) => {
        if (!empty || !path.endsWith('/groups')) return false;
        response.setHeader('x-freshdesk-api-version', 'latest=v2; requested=v2');
        response.writeHead(200, { 'content-type': 'application/json' }).end('[]');
        return true;
      },
    });
    const first = await readObject(account.client, 'groups');
    empty = true;
    await expect(readObject(account.client, 'groups', { position: first.position })).rejects.toMatchObject({
      code: 'source_shrunk',
    });
  });

  test('the next generation does not contain a record that was deleted after the previous read', async () => {
    await using account = await openSource();
    const first = await readObject(account.client, 'groups');
    account.simulator.account.delete('groups', first.records[0]?.id as number);
    const second = await readObject(account.client, 'groups', { position: first.position });
    expect(second.records.map((r) => r.id)).toEqual(first.records.slice(1).map((r) => r.id));
    expect(toLineText(second.pages.at(-1)?.lines.at(-1))).toContain('"generation"');
  });
});
