import { AppError } from '@freshet/contracts';
import { FreshdeskClient, type Position } from '@freshet/freshdesk-extractor';
import { describe, expect, test } from 'vitest';
import { getExpectedRows, getVersions, mergeResults, openSource, readObject } from '../test-support/source.ts';

describe('ChangedSinceStrategy: the name of the filter', () => {
  test('uses and remembers the alternative filter name if the account rejects the documented name (T7)', async () => {
    await using account = await openSource({
      counts: { contacts: 250, tickets: 10 },
      rejectedParams: ['updated_since'],
    });
    const first = await readObject(account.client, 'contacts');
    expect(mergeResults(first)).toEqual(getExpectedRows(account.simulator, 'contacts'));
    const before = account.simulator.requestCount;
    await readObject(account.client, 'contacts', { position: first.position });
    // One request for each view. The filter is not tested again.
    expect(account.simulator.requestCount - before).toBe(3);
  });

  test('reads the complete list if the account ignores the filter (T7)', async () => {
    await using account = await openSource({
      counts: { companies: 250, tickets: 10 },
      ignoredParams: ['updated_since', '_updated_since'],
    });
    const first = await readObject(account.client, 'companies');
    expect(mergeResults(first)).toEqual(getExpectedRows(account.simulator, 'companies'));
    expect(first.pages.at(-1)?.generation).not.toBeNull();
  });
});

describe('ChangedSinceStrategy: a list that changes between pages', () => {
  test('loses no contact when other contacts are deleted or renamed between pages (I3)', async () => {
    await using account = await openSource({ counts: { contacts: 450, tickets: 10 } });
    const { account: people } = account.simulator;
    const keys = [...getExpectedRows(account.simulator, 'contacts').keys()];
    let n = 0;
    const first = await readObject(account.client, 'contacts', {
      afterPage: () => {
        if (n++ < 3) people.move('contacts', keys[n * 40] as number, 'deleted');
        if (n < 3) people.update('contacts', keys[n * 31 + 1] as number, { name: 'Aaa first of all' });
      },
    });
    const second = await readObject(account.client, 'contacts', { position: first.position });
    expect(getVersions(mergeResults(first, second))).toEqual(
      getVersions(getExpectedRows(account.simulator, 'contacts')),
    );
  });
});

describe('ChangedSinceStrategy: a filter that does not return edits', () => {
  test('finds the edit of a rating that was created within the lookback window, although the filter returns only new ratings (T17)', async () => {
    await using account = await openSource({ counts: { satisfaction_ratings: 300, tickets: 10 }, spanDays: 100 });
    const first = await readObject(account.client, 'satisfaction_ratings');
    const young = [...getExpectedRows(account.simulator, 'satisfaction_ratings')].find(
      ([, { fields }]) => Date.parse(String(fields['created_at'])) > Date.now() - 20 * 86_400_000,
    );
    account.simulator.account.update('satisfaction_ratings', young?.[0] as number, {
      feedback: 'even better, on second thoughts',
    });
    const second = await readObject(account.client, 'satisfaction_ratings', { position: first.position });
    expect(mergeResults(first, second)).toEqual(getExpectedRows(account.simulator, 'satisfaction_ratings'));
    expect(second.records.length).toBeLessThan(first.records.length / 2);
  });

  const DAY_MS = 86_400_000;

  /**
   * Edits a record that is about `ageDays` old, and runs syncs until the edit is extracted.
   * @returns the number of syncs, and the number of requests of each sync.
   */
  async function syncsUntilCurrent(
    name: string,
    count: number,
    ageDays: number,
  ): Promise<{ syncs: number; requests: number[] }> {
    await using account = await openSource({ counts: { [name]: count, tickets: 10 }, spanDays: 400 });
    let { position } = await readObject(account.client, name, { readingId: 'run 0' });
    const column = name === 'time_entries' ? 'executed_at' : 'created_at';
    const [key] = [...getExpectedRows(account.simulator, name)]
      .map(
        ([id, { fields }]) =>
          [id, Math.abs(Date.now() - ageDays * DAY_MS - Date.parse(String(fields[column])))] as const,
      )
      .reduce((nearest, next) => (next[1] < nearest[1] ? next : nearest));
    account.simulator.account.update(name, key, { note: 'edited', feedback: 'edited' });
    const requests: number[] = [];
    for (let run = 1; run <= 100; run++) {
      const before = account.simulator.requestCount;
      const result = await readObject(account.client, name, { position, readingId: `run ${run}` });
      requests.push(account.simulator.requestCount - before);
      position = result.position;
      const found = result.records.find((r) => r.id === key)?.fields;
      if (found?.['note'] === 'edited' || found?.['feedback'] === 'edited') return { syncs: run, requests };
    }
    throw new Error('The edit was not extracted within 100 syncs.');
  }

  test.each([
    ['time_entries', 300, 2],
    ['satisfaction_ratings', 400, 3],
    ['time_entries', 2500, 5],
    ['satisfaction_ratings', 2500, 5],
  ] as const)(
    '%s: an edit of any of %i records is extracted within %i syncs, regardless of the record’s age',
    async (name, count, most) => {
      for (const ageDays of [31, 100, 200, 399]) {
        const { syncs } = await syncsUntilCurrent(name, count, ageDays);
        expect(syncs, `${ageDays} days old`).toBeLessThanOrEqual(most);
      }
    },
  );

  test('rereads only a bounded number of pages on each sync after the first', async () => {
    await using account = await openSource({ counts: { time_entries: 5000, tickets: 10 }, spanDays: 3650 });
    const countRequests = async (position: Position | null, readingId: string) => {
      const before = account.simulator.requestCount;
      const result = await readObject(account.client, 'time_entries', { position, readingId });
      return { position: result.position, requests: account.simulator.requestCount - before };
    };
    const first = await countRequests(null, 'run 0');
    expect(first.requests).toBe(1 + 57);
    const second = await countRequests(first.position, 'run 1');
    // One request for the page of the lookback window, and 12 for a fifth of the list.
    expect(second.requests).toBe(1 + 12);
  });

  test('a run that was killed resumes with the remaining pages', async () => {
    await using account = await openSource({ counts: { time_entries: 1500, tickets: 10 }, spanDays: 3650 });
    const first = await readObject(account.client, 'time_entries', { readingId: 'run 0' });
    let position = first.position;
    const before = account.simulator.requestCount;
    // The run reads the page of the lookback window, and then rereads 4 of the 17 pages of the
    // list.
    for (let finished = false, slices = 0; !finished; slices++) {
      const known: Position | null = position;
      await readObject(account.client, 'time_entries', {
        position: known,
        readingId: 'run 1',
        pagesMax: 3,
        afterPage: (page) => {
          position = page.position;
          finished = page.isLast;
        },
      });
      expect(slices).toBeLessThan(10);
    }
    expect(account.simulator.requestCount - before).toBe(1 + 4);
  });

  test('a run whose leftover credits run out finishes before the reread is complete, and later runs continue the reread', async () => {
    await using account = await openSource({ counts: { time_entries: 1500, tickets: 10 }, spanDays: 3650 });
    const first = await readObject(account.client, 'time_entries', { readingId: 'run 0' });
    let leftover = 2;
    const classes: string[] = [];
    const client = new FreshdeskClient({
      account: { subdomain: 'demo', origin: account.simulator.origin },
      apiKey: 'demo-admin-key',
      creditClass: 'incremental',
      budget: {
        take: async (_buckets, _credits, creditClass) => {
          classes.push(creditClass);
          if (creditClass === 'audit' && leftover-- <= 0)
            throw new AppError('out_of_credits', 'No credits left.', { retryAfterMs: 60_000 });
        },
        learn: async () => {},
        block: async () => {},
      },
    });
    const scarce = await readObject(client, 'time_entries', { position: first.position, readingId: 'run 1' });
    expect(scarce.pages.at(-1)).toMatchObject({ isLast: true, coverage: { completeAsOf: expect.any(Date) } });
    expect(classes).toEqual(['incremental', 'audit', 'audit', 'audit']);
    leftover = 100;
    const ids = new Set(scarce.records.map((r) => r.id));
    let { position } = scarce;
    for (let run = 2; run <= 5; run++) {
      const result = await readObject(client, 'time_entries', { position, readingId: `run ${run}` });
      position = result.position;
      for (const { id } of result.records) ids.add(id);
    }
    await client.close();
    expect(ids.size).toBe(1500);
  });
});
