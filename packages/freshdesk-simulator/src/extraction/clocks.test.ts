import {
  findFutureWatermark,
  getObject,
  movePosition,
  type Position,
  restorePosition,
} from '@freshet/freshdesk-extractor';
import { describe, expect, test } from 'vitest';
import { getExpectedRows, getVersions, mergeResults, openSource, readObject } from '../test-support/source.ts';

const DAY = 86_400_000;
/** Incorrect `Date` headers, with a description of the error. */
const DATES: readonly (readonly [string, (now: number) => string | null])[] = [
  ['three days ahead', (now) => new Date(now + 3 * DAY).toUTCString()],
  ['ten minutes ahead', (now) => new Date(now + 600_000).toUTCString()],
  ['four minutes ahead', (now) => new Date(now + 240_000).toUTCString()],
  ['three days behind', (now) => new Date(now - 3 * DAY).toUTCString()],
  ['in 1970', () => new Date(0).toUTCString()],
  ['in 2099', () => new Date('2099-01-01').toUTCString()],
  ['garbled', () => 'yesterday'],
  ['missing', () => null],
];

/**
 * Starts an account with correct timestamps and an arbitrary `Date` header.
 * @param localNow the worker's clock.
 */
async function openSourceWithDate(
  date: () => string | null,
  clock: { now: number },
  localNow: () => number = () => clock.now,
) {
  return await openSource(
    {
      counts: { tickets: 150, contacts: 150, companies: 30 },
      spanDays: 20,
      now: () => clock.now,
      asOf: new Date(clock.now - 3_600_000),
      intercept: (_request, response) => {
        const text = date();
        const setHeader = response.setHeader.bind(response);
        response.setHeader = (name, value) => (name.toLowerCase() === 'date' ? response : setHeader(name, value));
        response.sendDate = false;
        if (text !== null) setHeader('date', text);
        return false;
      },
    },
    'demo-admin-key',
    { now: () => clock.now, localNow },
  );
}

const OBJECTS = ['tickets', 'contacts', 'companies'] as const;

describe('extraction with incorrect clocks', () => {
  test.each(DATES)(
    'with a Date header that is %s, extraction skips no change and reports no coverage in the future (I3)',
    async (_name, date) => {
      const clock = { now: Date.parse('2026-03-01T12:00:00Z') };
      await using account = await openSourceWithDate(() => date(clock.now), clock);
      const { account: source } = account.simulator;
      const positions = new Map<string, Position | null>();
      const results = new Map(OBJECTS.map((name) => [name, [] as Awaited<ReturnType<typeof readObject>>[]]));
      for (let run = 1; run <= 5; run++) {
        for (const name of OBJECTS) {
          const result = await readObject(account.client, name, { position: positions.get(name) ?? null });
          results.get(name)?.push(result);
          positions.set(name, result.position);
          expect(result.pages.at(-1)?.coverage?.completeAsOf.getTime()).toBeLessThanOrEqual(clock.now);
          expect(mergeResults(...(results.get(name) ?? [])).size).toBe(getExpectedRows(account.simulator, name).size);
          expect(getVersions(mergeResults(...(results.get(name) ?? [])))).toEqual(
            getVersions(getExpectedRows(account.simulator, name)),
          );
        }
        // The changes occur 20 seconds to 12 minutes after the read.
        for (let n = 1; n <= 8; n++) {
          clock.now += 20_000 * n;
          source.update('tickets', 1 + ((run * 31 + n * 7) % 150), { priority: 1 + (n % 4) });
          source.update('contacts', 1 + ((run * 17 + n * 5) % 150), { job_title: `${run}/${n}` });
          source.update('companies', 1 + ((run + n) % 30), { note: `${run}/${n}` });
        }
        source.move('tickets', 1 + run, 'trash');
        clock.now += 200_000;
      }
    },
  );

  test('skips no change if the Date header and the clocks of the workers are ahead, because the position is never later than the newest record (I3)', async () => {
    const clock = { now: Date.parse('2026-03-01T12:00:00Z') };
    const ahead = () => clock.now + 3 * DAY;
    await using account = await openSource(
      {
        counts: { tickets: 120, contacts: 120 },
        now: () => clock.now,
        asOf: new Date(clock.now - 60_000),
        spanDays: 20,
        intercept: (_request, response) => {
          const setHeader = response.setHeader.bind(response);
          response.setHeader = (name, value) =>
            setHeader(name, name === 'date' ? new Date(ahead()).toUTCString() : value);
          return false;
        },
      },
      'demo-admin-key',
      { now: ahead },
    );
    for (const name of ['tickets', 'contacts'] as const) {
      const first = await readObject(account.client, name);
      clock.now += 300_000;
      account.simulator.account.update(name, 5, {});
      const second = await readObject(account.client, name, { position: first.position });
      expect(getVersions(mergeResults(first, second))).toEqual(getVersions(getExpectedRows(account.simulator, name)));
    }
  });

  test('takes the extraction time from the clock that all workers share, and not from a local clock that is three days behind (I3)', async () => {
    const clock = { now: Date.parse('2026-03-01T12:00:00Z') };
    await using account = await openSourceWithDate(
      () => new Date(clock.now).toUTCString(),
      clock,
      () => clock.now - 3 * DAY,
    );
    const result = await readObject(account.client, 'groups');
    expect(result.pages.at(-1)?.extractedAt.getTime()).toBe(clock.now);
    expect(result.pages.at(-1)?.coverage?.completeAsOf.getTime()).toBe(clock.now - 3 * DAY);
    expect(account.client.clock.isSkewed).toBe(true);
  });

  test('a backfill sends no additional requests if the Date header is three days behind', async () => {
    const clock = { now: Date.parse('2026-03-01T12:00:00Z') };
    const requests: number[] = [];
    for (const shift of [0, -3 * DAY]) {
      await using account = await openSource(
        {
          counts: { tickets: 1500 },
          spanDays: 400,
          now: () => clock.now,
          asOf: new Date(clock.now - 60_000),
          intercept: (_request, response) => {
            const setHeader = response.setHeader.bind(response);
            response.setHeader = (name, value) =>
              setHeader(name, name === 'date' ? new Date(clock.now + shift).toUTCString() : value);
            return false;
          },
        },
        'demo-admin-key',
        { now: () => clock.now },
      );
      expect(mergeResults(await readObject(account.client, 'tickets')).size).toBe(1500);
      requests.push(account.simulator.requestCount);
    }
    expect(requests[1]).toBe(requests[0]);
  });

  test('a second run on an unchanged account returns no records', async () => {
    const clock = { now: Date.parse('2026-03-01T12:00:00Z') };
    await using account = await openSourceWithDate(() => new Date(clock.now).toUTCString(), clock);
    const first = await readObject(account.client, 'tickets');
    clock.now += DAY;
    const second = await readObject(account.client, 'tickets', { position: first.position });
    expect(second.records).toEqual([]);
  });
});

describe('stored and moved positions', () => {
  const tickets = getObject('tickets');
  const contacts = getObject('contacts');

  test.each(['tickets', 'contacts'] as const)(
    '%s: restorePosition replaces a position in the future, and the next run extracts all changes',
    async (name) => {
      await using account = await openSource({ counts: { tickets: 150, contacts: 150 }, spanDays: 20 });
      const object = getObject(name);
      const first = await readObject(account.client, name);
      const before = new Date();
      // Build the position that an earlier release stored after a Date header that was three days
      // ahead.
      const ahead = JSON.parse(
        JSON.stringify(first.position, (key, value) =>
          key === 'watermark' || (typeof value === 'string' && object.views.some((v) => v.name === key))
            ? new Date(Date.now() + 3 * DAY).toISOString()
            : value,
        ),
      ) as Record<string, unknown>;
      delete ahead['newest'];
      account.simulator.account.update(name, 7, {});
      expect(findFutureWatermark(object, first.position, new Date())).toBeNull();
      expect(findFutureWatermark(object, ahead, new Date())).not.toBeNull();
      for (const certain of [new Date(before.getTime() - 60_000), null]) {
        const { position } = restorePosition(object, ahead, certain);
        const second = await readObject(account.client, name, { position });
        expect(getVersions(mergeResults(first, second))).toEqual(getVersions(getExpectedRows(account.simulator, name)));
        expect(findFutureWatermark(object, second.position, new Date())).toBeNull();
      }
    },
  );

  test.each([tickets, contacts])(
    '$name: movePosition reports the skipped range, and the coverage starts at the new position',
    async (object) => {
      await using account = await openSource({
        counts: { tickets: 300, contacts: 150 },
        spanDays: 200,
        asOf: new Date(Date.now() - DAY),
      });
      const first = await readObject(account.client, object.name);
      const coverage = first.pages.at(-1)?.coverage;
      const to = new Date(Math.floor(Date.now() / 1000) * 1000);
      const moved = movePosition(object, first.position ?? {}, to);
      expect(Date.parse(moved.unreadFrom ?? '')).toBeLessThanOrEqual(coverage?.completeAsOf.getTime() ?? 0);
      expect(Date.parse(moved.unreadTo ?? '')).toBe(to.getTime());
      const second = await readObject(account.client, object.name, { position: moved.position });
      expect(second.pages.at(-1)?.coverage?.completeBackTo).toEqual(to);
      expect(second.records.filter((r) => r.deleted === null)).toEqual([]);
      // After a move backward, the next run reads all changes since the new position. If the object
      // has a backfill, the run also reads the earlier history.
      const back = movePosition(object, second.position ?? {}, new Date(to.getTime() - 30 * DAY));
      expect(back).toMatchObject({ unreadFrom: null, unreadTo: null });
      const third = await readObject(account.client, object.name, { position: back.position });
      expect(third.pages.at(-1)?.coverage?.completeBackTo.getTime()).toBeLessThanOrEqual(to.getTime() - 30 * DAY);
    },
  );

  test('movePosition reports no skipped range if the new position is in the history that was read', async () => {
    await using account = await openSource({ counts: { tickets: 100 }, spanDays: 100 });
    const first = await readObject(account.client, 'tickets');
    const moved = movePosition(tickets, first.position ?? {}, new Date(Date.now() - 10 * DAY));
    expect(moved).toMatchObject({ unreadFrom: null, unreadTo: null, position: { backTo: '1970-01-01T00:00:00Z' } });
  });

  test('movePosition reports the complete history before the new position as skipped if the object was never read', () => {
    const moved = movePosition(
      tickets,
      { backTo: '2026-01-01T00:00:00Z', views: {}, window: null },
      new Date('2026-02-01T00:00:00Z'),
    );
    expect(moved).toMatchObject({ unreadFrom: '1970-01-01T00:00:00Z', unreadTo: '2026-02-01T00:00:00Z' });
  });
});
