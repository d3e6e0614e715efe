import { AppError } from '@freshet/contracts';
import { catalogue, FreshdeskClient, getObject, type Page, type Position } from '@freshet/freshdesk-extractor';
import { describe, expect, test } from 'vitest';
import type { FreshdeskSimulator } from '../index.ts';
import {
  getExpectedRows,
  mergeResults,
  openSource,
  parseRecords,
  type ReadResult,
  readObject,
} from '../test-support/source.ts';

describe('extract: record details', () => {
  test('requests the records of scheduled lookups on the next run, and reports a lookup that fails as a failed unit (I7)', async () => {
    let isDamaged = false;
    await using account = await openSource({
      counts: { tickets: 40 },
      intercept: ({ path }, response) => {
        if (!isDamaged || !path.endsWith('/tickets/8')) return false;
        response.writeHead(500).end();
        return true;
      },
    });
    const { position } = await readObject(account.client, 'tickets');
    isDamaged = true;
    const lookups = ['7', '8', '9'].map((key) => ({ object: 'tickets', parentId: key, version: 'requested' }));
    const next = await readObject(account.client, 'tickets', { position, parents: lookups });
    expect(next.records.map(({ id }) => id)).toEqual(expect.arrayContaining([7, 9]));
    expect(next.pages.flatMap((page) => page.completedUnits.map((s) => s.parentId)).toSorted()).toEqual(['7', '9']);
    expect(next.pages.flatMap((page) => page.failedUnits)).toMatchObject([
      { object: 'tickets', key: '8', code: 'source_unavailable' },
    ]);
  });

  test('returns a record without details, and reports a failed unit, if the endpoint of the record fails (I7)', async () => {
    await using account = await openSource({
      counts: { tickets: 40 },
      intercept: ({ path }, response) => {
        if (!/tickets\/(7|8|9)$/.test(path)) return false;
        response.writeHead(500).end();
        return true;
      },
    });
    const result = await readObject(account.client, 'tickets', { detail: true });
    expect(new Set(result.records.map(({ id }) => id))).toEqual(
      new Set(getExpectedRows(account.simulator, 'tickets').keys()),
    );
    expect(new Set(result.pages.flatMap((page) => page.failedUnits.map(({ key }) => key)))).toEqual(
      new Set(['7', '8', '9']),
    );
    expect(result.records.find(({ id }) => id === 7)?.fields).not.toHaveProperty('attachments');
  });

  /** Creates a client with a limited number of credits. */
  const createLimitedClient = (origin: string, credits: number) => {
    let left = credits;
    const take = async (_buckets: readonly string[], n: number) => {
      if (left < n) throw new AppError('out_of_credits', 'No credits left.', { retryAfterMs: 1 });
      left -= n;
    };
    return new FreshdeskClient({
      account: { subdomain: 'demo', origin },
      apiKey: 'demo-admin-key',
      creditClass: 'incremental',
      budget: { take, learn: async () => {}, block: async () => {} },
    });
  };

  const getRowsWithDetails = (simulator: FreshdeskSimulator, name: string) =>
    new Map(
      [...getExpectedRows(simulator, name)].map(([id, { deleted, fields }]) => [
        id,
        {
          deleted,
          fields: deleted === null ? { ...fields, ...simulator.account.getDetailFields(getObject(name), id) } : fields,
        },
      ]),
    );

  test.each(catalogue.filter((o) => (o.detail?.columns ?? []).length > 0).map((o) => o.name))(
    '%s: each record that is not deleted has the columns that only the endpoint of a single record returns',
    async (name) => {
      await using account = await openSource({ counts: { tickets: 150, contacts: 130 } });
      const result = await readObject(account.client, name, { detail: true });
      expect(mergeResults(result)).toEqual(getRowsWithDetails(account.simulator, name));
    },
  );

  test.each(['tickets', 'contacts', 'agents'])(
    '%s: completes a page in several slices, with few repeated requests, if the page needs more credits than one slice has',
    async (name) => {
      await using account = await openSource({ counts: { tickets: 150, contacts: 130, agents: 40 } });
      const results: ReadResult[] = [];
      let position: Position | null = null;
      for (let finished = false; !finished; ) {
        const client = createLimitedClient(account.simulator.origin, 40);
        const pages: Page[] = [];
        const known: Position | null = position;
        const outcome = await readObject(client, name, {
          detail: true,
          position: known,
          afterPage: (page) => {
            pages.push(page);
            position = page.position;
            finished = page.isLast;
          },
        }).catch((error: AppError) => {
          expect(error.code).toBe('out_of_credits');
          return null;
        });
        await client.close();
        results.push(outcome ?? { pages, position, records: parseRecords(pages) });
        expect(results.length).toBeLessThan(40);
      }
      expect(mergeResults(...results)).toEqual(getRowsWithDetails(account.simulator, name));
      const lookups = [...account.simulator.requestsByPath]
        .filter(([path]) => path.endsWith('/{id}'))
        .reduce((sum, [, n]) => sum + n, 0);
      // The limit allows for requests that were in flight when the credits ran out, and for the
      // second pass over the contacts, whose list has several pages.
      expect(lookups).toBeLessThanOrEqual(
        getExpectedRows(account.simulator, name).size * (name === 'contacts' ? 2 : 1) + results.length * 8,
      );
    },
  );
});
