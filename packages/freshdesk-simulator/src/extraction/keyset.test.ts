import type { Position } from '@freshet/freshdesk-extractor';
import { describe, expect, test } from 'vitest';
import {
  getExpectedRows,
  getVersions,
  mergeResults,
  openSource,
  type ReadResult,
  readObject,
  toLineText,
} from '../test-support/source.ts';

describe('KeysetStrategy: backfill', () => {
  test('reads tickets older than the list’s default window of 30 days (T6)', async () => {
    await using account = await openSource({ counts: { tickets: 500 }, spanDays: 400 });
    const result = await readObject(account.client, 'tickets');
    expect(mergeResults(result).size).toBe(500);
  });

  test('reads the history since `historyFrom`, and reports that time as the start of the coverage', async () => {
    await using account = await openSource({ counts: { tickets: 1000 }, spanDays: 100 });
    const historyFrom = new Date(Date.now() - 30 * 86_400_000);
    const result = await readObject(account.client, 'tickets', { historyFrom });
    const expected = [...getExpectedRows(account.simulator, 'tickets')].filter(
      // Lists of deleted records are short and are read completely.
      ([, { fields, deleted }]) =>
        deleted !== null || Date.parse(String(fields['updated_at'])) >= Math.floor(historyFrom.getTime() / 1000) * 1000,
    );
    expect(new Set(mergeResults(result).keys())).toEqual(new Set(expected.map(([id]) => id)));
    expect(result.pages.at(-1)?.coverage?.completeBackTo.getTime()).toBe(
      Math.floor(historyFrom.getTime() / 1000) * 1000,
    );
  });

  test('backfills windows from newest to oldest, and reports the coverage after each window', async () => {
    await using account = await openSource({ counts: { tickets: 1000 }, spanDays: 400 });
    const result = await readObject(account.client, 'tickets');
    const depths = result.pages.flatMap((p) =>
      p.coverage ? [Math.round((Date.now() - p.coverage.completeBackTo.getTime()) / 86_400_000)] : [],
    );
    expect(depths.slice(0, 5)).toEqual([30, 60, 120, 240, 480]);
    expect(result.pages.at(-1)?.coverage?.completeBackTo.getTime()).toBe(0);
    const days = (page: (typeof result.pages)[number]) =>
      page.lines.map(
        (line) =>
          (Date.now() -
            Date.parse((JSON.parse(toLineText(line)) as { record: { updated_at: string } }).record.updated_at)) /
          86_400_000,
      );
    const untilFirstDepth = result.pages.slice(
      0,
      result.pages.findIndex((p) => p.coverage),
    );
    const live = untilFirstDepth.filter((p) => !toLineText(p.lines[0]).startsWith('{"deleted"'));
    expect(Math.max(...live.flatMap(days))).toBeLessThan(30.1);
    // Only records whose timestamp is at a page boundary are read twice.
    expect(result.records.length).toBeLessThan(1000 * 1.1);
  });

  test('loses no change during a backfill that is killed after a page and resumed', async () => {
    await using account = await openSource({ counts: { tickets: 600 }, spanDays: 200 });
    const { account: tickets } = account.simulator;
    let n = 0;
    const changeTicket = () => tickets.update('tickets', 1 + ((n++ * 41) % 600), { priority: 4 });
    const pageCount = (await readObject(account.client, 'tickets')).pages.length;
    for (let stopAt = 1; stopAt < pageCount; stopAt += 2) {
      const firstPart = await readObject(account.client, 'tickets', { pagesMax: stopAt, afterPage: changeTicket });
      const secondPart = await readObject(account.client, 'tickets', {
        position: firstPart.position,
        afterPage: changeTicket,
      });
      const after = await readObject(account.client, 'tickets', { position: secondPart.position });
      expect(getVersions(mergeResults(firstPart, secondPart, after)), `stopped after page ${stopAt}`).toEqual(
        getVersions(getExpectedRows(account.simulator, 'tickets')),
      );
    }
  });

  test('stops a backfill at its deadline, and reads new changes before it resumes the backfill in the next run', async () => {
    await using account = await openSource({ counts: { tickets: 1500 }, spanDays: 600 });
    const { account: tickets } = account.simulator;
    const newest = await readObject(account.client, 'tickets', { backfillDeadline: new Date(0) });
    expect(newest.pages.at(-1)?.isLast).toBe(true);
    expect(Math.round((Date.now() - (newest.pages.at(-1)?.coverage?.completeBackTo.getTime() ?? 0)) / 86_400_000)).toBe(
      30,
    );
    tickets.update('tickets', 3, { subject: 'changed' });
    const young = await readObject(account.client, 'tickets', {
      position: newest.position,
      backfillDeadline: new Date(0),
    });
    expect(mergeResults(young).get(3)?.fields['subject']).toBe('changed');
    expect(young.pages.at(-1)?.coverage?.completeBackTo).toEqual(newest.pages.at(-1)?.coverage?.completeBackTo);
    const secondPart = await readObject(account.client, 'tickets', { position: young.position });
    expect(secondPart.pages.at(-1)?.coverage?.completeBackTo.getTime()).toBe(0);
    expect(getVersions(mergeResults(newest, young, secondPart))).toEqual(
      getVersions(getExpectedRows(account.simulator, 'tickets')),
    );
  });

  test('reads new changes at least every 20 minutes during a long backfill, within a slice and across slices', async () => {
    const clock = { now: Date.now() };
    await using account = await openSource({
      counts: { tickets: 3000 },
      spanDays: 50,
      now: () => clock.now,
      asOf: new Date(clock.now),
    });
    const seen: number[] = [];
    const results: ReadResult[] = [];
    let position: Position | null = null;
    for (let finished = false; !finished; ) {
      const known: Position | null = position;
      // Each slice has eight pages, and each page takes two minutes.
      const slice = await readObject(account.client, 'tickets', {
        position: known,
        pagesMax: 8,
        afterPage: (page) => {
          clock.now += 120_000;
          finished = page.isLast;
          if (page.coverage) seen.push(page.coverage.completeAsOf.getTime());
        },
      });
      results.push(slice);
      position = slice.position;
      expect(results.length).toBeLessThan(100);
    }
    // Ignore the first coverage, because new changes are read only after the newest window has been
    // read completely.
    const moments = [...new Set(seen)].slice(1);
    const gaps = moments.slice(1).map((at, i) => at - (moments[i] as number));
    expect(Math.max(...gaps)).toBeLessThan(20 * 60_000);
    expect(gaps.length).toBeGreaterThan(2);
    expect(getVersions(mergeResults(...results))).toEqual(getVersions(getExpectedRows(account.simulator, 'tickets')));
  });
});

describe('KeysetStrategy: an account that changes (I3)', () => {
  test('finds tickets that are updated, created or moved to the trash between pages (T1)', async () => {
    for (let seed = 1; seed <= 10; seed++) {
      await using account = await openSource({ seed, counts: { tickets: 700 }, spanDays: 60 });
      const { account: tickets } = account.simulator;
      let n = 0;
      const changeTicket = () => {
        const id = 1 + ((n++ * 37 + seed * 11) % 700);
        if (n % 5 === 0) tickets.create('tickets', { subject: `new ${n}` });
        else if (n % 7 === 0) tickets.move('tickets', id, 'trash');
        else tickets.update('tickets', id, { subject: `edited ${n}` });
      };
      const first = await readObject(account.client, 'tickets', { afterPage: changeTicket });
      const second = await readObject(account.client, 'tickets', { position: first.position });
      expect(getVersions(mergeResults(first, second)), `seed ${seed}`).toEqual(
        getVersions(getExpectedRows(account.simulator, 'tickets')),
      );
    }
  });

  test('reads all tickets of one second if they fill several pages and some of them change (T2, T3)', async () => {
    const clock = { now: Date.parse('2026-03-01T00:00:00Z') };
    await using account = await openSource({
      counts: { tickets: 900 },
      spanDays: 60,
      now: () => clock.now,
      asOf: new Date(clock.now),
    });
    const { account: tickets } = account.simulator;
    clock.now += 60_000;
    for (let id = 1; id <= 600; id++) tickets.update('tickets', id, { priority: 4 });
    clock.now += 600_000;
    let n = 0;
    const first = await readObject(account.client, 'tickets', {
      afterPage: () => tickets.update('tickets', 1 + ((n++ * 53) % 600), { priority: 1 }),
    });
    const second = await readObject(account.client, 'tickets', { position: first.position });
    expect(getVersions(mergeResults(first, second))).toEqual(
      getVersions(getExpectedRows(account.simulator, 'tickets')),
    );
  });

  test('reads the tickets of one second by creation time, from both ends, if they exceed the list’s page limit (T2)', async () => {
    const clock = { now: Date.parse('2026-03-01T00:00:00Z') };
    await using account = await openSource({
      counts: { tickets: 31_000 },
      spanDays: 60,
      now: () => clock.now,
      asOf: new Date(clock.now),
    });
    const { account: tickets } = account.simulator;
    clock.now += 60_000;
    for (let id = 1; id <= 31_000; id++) tickets.update('tickets', id, { priority: 4 });
    clock.now += 600_000;
    const result = await readObject(account.client, 'tickets');
    expect(getVersions(mergeResults(result))).toEqual(getVersions(getExpectedRows(account.simulator, 'tickets')));
  }, 120_000);

  test('rereads new tickets, because Freshdesk sets some fields after it creates a ticket and does not change `updated_at`', async () => {
    const clock = { now: Date.parse('2026-03-01T00:00:00Z') };
    await using account = await openSource({
      counts: { tickets: 50 },
      spanDays: 20,
      now: () => clock.now,
      asOf: new Date(clock.now),
      fillDelaySeconds: 20,
    });
    clock.now += 60_000;
    const key = account.simulator.account.create('tickets', { subject: 'young' });
    const first = await readObject(account.client, 'tickets');
    expect(mergeResults(first).get(key)?.fields['due_by']).toBeNull();
    clock.now += 30_000;
    const second = await readObject(account.client, 'tickets', { position: first.position });
    expect(mergeResults(first, second).get(key)?.fields['due_by']).toMatch(/^2026-/);
  });

  test('resumes from the position of any page with the same result as an uninterrupted run (T4)', async () => {
    await using account = await openSource({ counts: { tickets: 800 }, spanDays: 60 });
    const pageCount = (await readObject(account.client, 'tickets')).pages.length;
    for (let stopAt = 1; stopAt < pageCount; stopAt++) {
      const firstPart = await readObject(account.client, 'tickets', { pagesMax: stopAt });
      const secondPart = await readObject(account.client, 'tickets', { position: firstPart.position });
      expect(mergeResults(firstPart, secondPart), `stopped after page ${stopAt}`).toEqual(
        getExpectedRows(account.simulator, 'tickets'),
      );
    }
  });
});

describe('KeysetStrategy: invalid lists', () => {
  test('fails if the list is not sorted as requested', async () => {
    await using account = await openSource({
      counts: { tickets: 300 },
      intercept: ({ path, query }, response) => {
        if (!path.endsWith('/tickets') || query.get('page') !== '1') return false;
        response.setHeader('x-freshdesk-api-version', 'latest=v2; requested=v2');
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end('[{"id":1,"updated_at":"2026-01-02T00:00:00Z"},{"id":2,"updated_at":"2026-01-01T00:00:00Z"}]');
        return true;
      },
    });
    await expect(readObject(account.client, 'tickets')).rejects.toMatchObject({
      code: 'source_contract',
      message: expect.stringContaining('not ordered'),
    });
  });

  test('fails on a record without the cursor field instead of skipping the record (T13)', async () => {
    await using account = await openSource({
      intercept: (_request, response) => {
        response.setHeader('x-freshdesk-api-version', 'latest=v2; requested=v2');
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end('[{"id":1,"updated_at":null}]');
        return true;
      },
    });
    await expect(readObject(account.client, 'tickets')).rejects.toMatchObject({
      code: 'source_contract',
      message: expect.stringContaining('updated_at'),
    });
  });
});
