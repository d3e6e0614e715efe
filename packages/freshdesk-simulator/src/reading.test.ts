import { AppError } from '@freshet/contracts';
import { catalogue, FreshdeskClient, objectNamed, type Page, type Position } from '@freshet/freshdesk-extractor';
import { describe, expect, test } from 'vitest';
import type { FreshdeskSimulator } from './index.ts';
import { latest, open, oracle, type Reading, read, recordsOf, textOfLine } from './test-support/reading.ts';

const lists = catalogue.filter((o) => o.way.kind !== 'children').map((o) => o.name);

/** Versions only: bodies are compared where a test is about them. */
const versions = (rows: Map<number, { deleted: string | null; fields: Record<string, unknown> }>) =>
  [...rows].map(([id, { deleted, fields }]) => `${id} ${deleted} ${String(fields['updated_at'])}`).sort();

test.each(lists)('%s: a first reading of everything holds every record of every view', async (name) => {
  await using account = await open({ counts: { tickets: 1500 } });
  const reading = await read(account.client, name);
  expect(latest(reading)).toEqual(oracle(account.simulator, name));
  expect(reading.pages.at(-1)?.reached?.completeBackTo.getTime()).toBe(0);
});

test.each(lists)('%s: a second reading of an account at rest costs few calls and finds nothing new', async (name) => {
  await using account = await open({ counts: { tickets: 1500 } });
  const first = await read(account.client, name);
  const before = account.simulator.callCount;
  const second = await read(account.client, name, { position: first.position });
  const records = oracle(account.simulator, name).size;
  expect(account.simulator.callCount - before).toBeLessThanOrEqual(Math.max(3, Math.ceil(records / 100)));
  expect(versions(latest(first, second))).toEqual(versions(latest(first)));
});

test('T6: tickets older than the list’s default of 30 days are read', async () => {
  await using account = await open({ counts: { tickets: 500 }, spanDays: 400 });
  const reading = await read(account.client, 'tickets');
  expect(latest(reading).size).toBe(500);
});

test('a first reading goes back as far as asked, and says so', async () => {
  await using account = await open({ counts: { tickets: 1000 }, spanDays: 100 });
  const historyFrom = new Date(Date.now() - 30 * 86_400_000);
  const reading = await read(account.client, 'tickets', { historyFrom });
  const expected = [...oracle(account.simulator, 'tickets')].filter(
    // Lists of deleted records are short, and read whole.
    ([, { fields, deleted }]) =>
      deleted !== null || Date.parse(String(fields['updated_at'])) >= Math.floor(historyFrom.getTime() / 1000) * 1000,
  );
  expect(new Set(latest(reading).keys())).toEqual(new Set(expected.map(([id]) => id)));
  expect(reading.pages.at(-1)?.reached?.completeBackTo.getTime()).toBe(Math.floor(historyFrom.getTime() / 1000) * 1000);
});

test('a first sync reads the newest window first, then back step by step, and says each time how deep it has come', async () => {
  await using account = await open({ counts: { tickets: 1000 }, spanDays: 400 });
  const reading = await read(account.client, 'tickets');
  const depths = reading.pages.flatMap((p) =>
    p.reached ? [Math.round((Date.now() - p.reached.completeBackTo.getTime()) / 86_400_000)] : [],
  );
  expect(depths.slice(0, 5)).toEqual([30, 60, 120, 240, 480]);
  expect(reading.pages.at(-1)?.reached?.completeBackTo.getTime()).toBe(0);
  const days = (page: (typeof reading.pages)[number]) =>
    page.lines.map(
      (line) =>
        (Date.now() -
          Date.parse((JSON.parse(textOfLine(line)) as { record: { updated_at: string } }).record.updated_at)) /
        86_400_000,
    );
  const untilFirstDepth = reading.pages.slice(
    0,
    reading.pages.findIndex((p) => p.reached),
  );
  const live = untilFirstDepth.filter((p) => !textOfLine(p.lines[0]).startsWith('{"deleted"'));
  expect(Math.max(...live.flatMap(days))).toBeLessThan(30.1);
  // Nothing is read twice but the seconds at which pages meet.
  expect(reading.records.length).toBeLessThan(1000 * 1.1);
});

test('what changes while the past is read is new, and is there after the next reading; killed anywhere, nothing is lost', async () => {
  await using account = await open({ counts: { tickets: 600 }, spanDays: 200 });
  const { account: tickets } = account.simulator;
  let n = 0;
  const meddle = () => tickets.update('tickets', 1 + ((n++ * 41) % 600), { priority: 4 });
  const pagesInAll = (await read(account.client, 'tickets')).pages.length;
  for (let stopAt = 1; stopAt < pagesInAll; stopAt += 2) {
    const begun = await read(account.client, 'tickets', { pagesMax: stopAt, afterPage: meddle });
    const rest = await read(account.client, 'tickets', { position: begun.position, afterPage: meddle });
    const after = await read(account.client, 'tickets', { position: rest.position });
    expect(versions(latest(begun, rest, after)), `stopped after page ${stopAt}`).toEqual(
      versions(oracle(account.simulator, 'tickets')),
    );
  }
});

test('a run ends when it may read no more of the past, and the next one goes on: first with what is new, then deeper', async () => {
  await using account = await open({ counts: { tickets: 1500 }, spanDays: 600 });
  const { account: tickets } = account.simulator;
  const newest = await read(account.client, 'tickets', { pastUntil: new Date(0) });
  expect(newest.pages.at(-1)?.finished).toBe(true);
  expect(Math.round((Date.now() - (newest.pages.at(-1)?.reached?.completeBackTo.getTime() ?? 0)) / 86_400_000)).toBe(
    30,
  );
  tickets.update('tickets', 3, { subject: 'changed' });
  const young = await read(account.client, 'tickets', { position: newest.position, pastUntil: new Date(0) });
  expect(latest(young).get(3)?.fields['subject']).toBe('changed');
  expect(young.pages.at(-1)?.reached?.completeBackTo).toEqual(newest.pages.at(-1)?.reached?.completeBackTo);
  const rest = await read(account.client, 'tickets', { position: young.position });
  expect(rest.pages.at(-1)?.reached?.completeBackTo.getTime()).toBe(0);
  expect(versions(latest(newest, young, rest))).toEqual(versions(oracle(account.simulator, 'tickets')));
});

test('however long a stretch of the past takes, what is new is read every ten minutes, through slices and within them', async () => {
  const clock = { now: Date.now() };
  await using account = await open({
    counts: { tickets: 3000 },
    spanDays: 50,
    now: () => clock.now,
    asOf: new Date(clock.now),
  });
  const seen: number[] = [];
  const readings: Reading[] = [];
  let position: Position | null = null;
  for (let finished = false; !finished; ) {
    const known: Position | null = position;
    // Slices of eight pages, of two minutes each.
    const slice = await read(account.client, 'tickets', {
      position: known,
      pagesMax: 8,
      afterPage: (page) => {
        clock.now += 120_000;
        finished = page.finished;
        if (page.reached) seen.push(page.reached.completeAsOf.getTime());
      },
    });
    readings.push(slice);
    position = slice.position;
    expect(readings.length).toBeLessThan(100);
  }
  // The newest window itself took hours, and what changed meanwhile is read right after it.
  const moments = [...new Set(seen)].slice(1);
  const gaps = moments.slice(1).map((at, i) => at - (moments[i] as number));
  expect(Math.max(...gaps)).toBeLessThan(20 * 60_000);
  expect(gaps.length).toBeGreaterThan(2);
  expect(versions(latest(...readings))).toEqual(versions(oracle(account.simulator, 'tickets')));
});

describe('I3: nothing is skipped while the account changes', () => {
  test('T1: tickets updated, created and trashed between the pages are all there after the next reading', async () => {
    for (let seed = 1; seed <= 10; seed++) {
      await using account = await open({ seed, counts: { tickets: 700 }, spanDays: 60 });
      const { account: tickets } = account.simulator;
      let n = 0;
      const meddle = () => {
        const id = 1 + ((n++ * 37 + seed * 11) % 700);
        if (n % 5 === 0) tickets.create('tickets', { subject: `new ${n}` });
        else if (n % 7 === 0) tickets.move('tickets', id, 'trash');
        else tickets.update('tickets', id, { subject: `edited ${n}` });
      };
      const first = await read(account.client, 'tickets', { afterPage: meddle });
      const second = await read(account.client, 'tickets', { position: first.position });
      expect(versions(latest(first, second)), `seed ${seed}`).toEqual(versions(oracle(account.simulator, 'tickets')));
    }
  });

  test('T2, T3: more tickets than a page in one second are all read, while some of them leave it', async () => {
    const clock = { now: Date.parse('2026-03-01T00:00:00Z') };
    await using account = await open({
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
    const first = await read(account.client, 'tickets', {
      afterPage: () => tickets.update('tickets', 1 + ((n++ * 53) % 600), { priority: 1 }),
    });
    const second = await read(account.client, 'tickets', { position: first.position });
    expect(versions(latest(first, second))).toEqual(versions(oracle(account.simulator, 'tickets')));
  });

  test('T2: more tickets in one second than the list has pages for are all read, by creation from both ends', async () => {
    const clock = { now: Date.parse('2026-03-01T00:00:00Z') };
    await using account = await open({
      counts: { tickets: 31_000 },
      spanDays: 60,
      now: () => clock.now,
      asOf: new Date(clock.now),
    });
    const { account: tickets } = account.simulator;
    clock.now += 60_000;
    for (let id = 1; id <= 31_000; id++) tickets.update('tickets', id, { priority: 4 });
    clock.now += 600_000;
    const reading = await read(account.client, 'tickets');
    expect(versions(latest(reading))).toEqual(versions(oracle(account.simulator, 'tickets')));
  }, 120_000);

  test('what is filled in some seconds later, without a newer version, is there after the next reading', async () => {
    const clock = { now: Date.parse('2026-03-01T00:00:00Z') };
    await using account = await open({
      counts: { tickets: 50 },
      spanDays: 20,
      now: () => clock.now,
      asOf: new Date(clock.now),
      lateSeconds: 20,
    });
    clock.now += 60_000;
    const key = account.simulator.account.create('tickets', { subject: 'young' });
    const first = await read(account.client, 'tickets');
    expect(latest(first).get(key)?.fields['due_by']).toBeNull();
    clock.now += 30_000;
    const second = await read(account.client, 'tickets', { position: first.position });
    expect(latest(first, second).get(key)?.fields['due_by']).toMatch(/^2026-/);
  });

  test('T4: a reading that goes on from any stored page holds the same as one that was never stopped', async () => {
    await using account = await open({ counts: { tickets: 800 }, spanDays: 60 });
    const pagesInAll = (await read(account.client, 'tickets')).pages.length;
    for (let stopAt = 1; stopAt < pagesInAll; stopAt++) {
      const begun = await read(account.client, 'tickets', { pagesMax: stopAt });
      const rest = await read(account.client, 'tickets', { position: begun.position });
      expect(latest(begun, rest), `stopped after page ${stopAt}`).toEqual(oracle(account.simulator, 'tickets'));
    }
  });

  test('contacts deleted and renamed between the pages make no other contact disappear', async () => {
    await using account = await open({ counts: { contacts: 450, tickets: 10 } });
    const { account: people } = account.simulator;
    const keys = [...oracle(account.simulator, 'contacts').keys()];
    let n = 0;
    const first = await read(account.client, 'contacts', {
      afterPage: () => {
        if (n++ < 3) people.move('contacts', keys[n * 40] as number, 'deleted');
        if (n < 3) people.update('contacts', keys[n * 31 + 1] as number, { name: 'Aaa first of all' });
      },
    });
    const second = await read(account.client, 'contacts', { position: first.position });
    expect(versions(latest(first, second))).toEqual(versions(oracle(account.simulator, 'contacts')));
  });
});

describe('the order that the keyset relies on', () => {
  test('a list that is not ordered as asked stops the object', async () => {
    await using account = await open({
      counts: { tickets: 300 },
      intercept: ({ path, query }, response) => {
        if (!path.endsWith('/tickets') || query.get('page') !== '1') return false;
        response.setHeader('x-freshdesk-api-version', 'latest=v2; requested=v2');
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end('[{"id":1,"updated_at":"2026-01-02T00:00:00Z"},{"id":2,"updated_at":"2026-01-01T00:00:00Z"}]');
        return true;
      },
    });
    await expect(read(account.client, 'tickets')).rejects.toMatchObject({
      code: 'source_contract',
      message: expect.stringContaining('not ordered'),
    });
  });

  test('T13: a record without the field that it is read by stops the object instead of disappearing', async () => {
    await using account = await open({
      intercept: (_request, response) => {
        response.setHeader('x-freshdesk-api-version', 'latest=v2; requested=v2');
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end('[{"id":1,"updated_at":null}]');
        return true;
      },
    });
    await expect(read(account.client, 'tickets')).rejects.toMatchObject({
      code: 'source_contract',
      message: expect.stringContaining('updated_at'),
    });
  });
});

describe('T7: the spelling of the filter', () => {
  test('where the plain spelling is refused, the other one is used and remembered', async () => {
    await using account = await open({ counts: { contacts: 250, tickets: 10 }, refusedParams: ['updated_since'] });
    const first = await read(account.client, 'contacts');
    expect(latest(first)).toEqual(oracle(account.simulator, 'contacts'));
    const before = account.simulator.callCount;
    await read(account.client, 'contacts', { position: first.position });
    expect(account.simulator.callCount - before).toBe(3); // one for each view, none to try again
  });

  test('where the filter is taken and ignored, the object is read whole', async () => {
    await using account = await open({
      counts: { companies: 250, tickets: 10 },
      ignoredParams: ['updated_since', '_updated_since'],
    });
    const first = await read(account.client, 'companies');
    expect(latest(first)).toEqual(oracle(account.simulator, 'companies'));
    expect(first.pages.at(-1)?.generation).not.toBeNull();
  });
});

test('T5: a page that came back short is not the last one while the answer names a next', async () => {
  const pages = [[1, 2, 3], [4], [], [5, 6]];
  await using account = await open({
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
  expect(new Set((await read(account.client, 'roles')).records.map((r) => r.id))).toEqual(new Set([1, 2, 3, 4, 5, 6]));
});

test('a small list that refuses paging parameters is asked without them', async () => {
  await using account = await open({ refusedParams: ['page', 'per_page'], counts: { tickets: 10 } });
  const fields = await read(account.client, 'ticket_fields');
  expect(latest(fields)).toEqual(oracle(account.simulator, 'ticket_fields'));
  // Other refusals are not taken for that.
  await expect(
    account.client.list('/api/v2/ticket_fields', { foo: '1' }, { credits: 1, bucket: null }),
  ).rejects.toMatchObject({
    code: 'source_invalid_request',
  });
});

test('T17: a rating that is edited after it was given is seen, though the filter shows creations only', async () => {
  await using account = await open({ counts: { satisfaction_ratings: 300, tickets: 10 }, spanDays: 100 });
  const first = await read(account.client, 'satisfaction_ratings');
  const young = [...oracle(account.simulator, 'satisfaction_ratings')].find(
    ([, { fields }]) => Date.parse(String(fields['created_at'])) > Date.now() - 20 * 86_400_000,
  );
  account.simulator.account.update('satisfaction_ratings', young?.[0] as number, {
    feedback: 'even better, on second thoughts',
  });
  const second = await read(account.client, 'satisfaction_ratings', { position: first.position });
  expect(latest(first, second)).toEqual(oracle(account.simulator, 'satisfaction_ratings'));
  expect(second.records.length).toBeLessThan(first.records.length / 2);
});

describe('a complete list of several pages', () => {
  test.each([
    // [object, records, pages of 100, calls]: overlapping pages, the test of the filter, the other views, and what changed meanwhile.
    ['contacts', 800, 8, 9 + 1 + 2 + 1],
    ['companies', 250, 3, 3 + 1 + 1],
    ['satisfaction_ratings', 400, 4, 5 + 1],
    ['time_entries', 300, 3, 4 + 1],
    ['agents', 250, 3, 3],
    ['automation_rules', 2, 3, 3],
  ] as const)(
    '%s: a first reading of a quiet list returns each of its %i records once',
    async (name, count, pages, expected) => {
      await using account = await open({ counts: { [name]: count, tickets: 10 } });
      const reading = await read(account.client, name);
      expect(latest(reading)).toEqual(oracle(account.simulator, name));
      expect(reading.records).toHaveLength(count);
      expect(account.simulator.callCount).toBe(expected);
      expect(expected).toBeLessThanOrEqual(Math.ceil(pages * 1.15) + 4);
    },
  );

  test('a list without a filter is proven by one reading when records were added since the last run', async () => {
    await using account = await open({ counts: { agents: 250 } });
    const first = await read(account.client, 'agents');
    account.simulator.account.create('agents', { contact: { name: 'Ada' } });
    const before = account.simulator.callCount;
    const second = await read(account.client, 'agents', { position: first.position });
    expect(account.simulator.callCount - before).toBe(3);
    expect(textOfLine(second.pages.at(-1)?.lines.at(-1))).toContain('"generation"');
  });

  test('the children of one parent are read once when their list is quiet', async () => {
    await using account = await open({ counts: { tickets: 30, conversations: 0 } });
    for (let i = 0; i < 250; i++) account.simulator.account.addChild('conversations', 5, { body: `note ${i}` });
    const reading = await read(account.client, 'conversations', {
      parents: [{ object: 'conversations', parentId: '5', version: 'v' }],
    });
    expect(reading.records).toHaveLength(250);
    expect(account.simulator.callCount).toBe(3);
  });

  test('records deleted between two pages, more than the pages overlap by, make no other record disappear (I3)', async () => {
    for (const deletedAt of [1, 2, 3, 4, 5]) {
      await using account = await open({ counts: { contacts: 700, tickets: 10 } });
      const keys = [...oracle(account.simulator, 'contacts').keys()];
      const reading = await read(account.client, 'contacts', {
        afterPage: (_page, count) => {
          // From all over the list, so that about as many stand in front of the reader as behind it.
          if (count === deletedAt)
            for (let n = 0; n < 120; n++) account.simulator.account.remove('contacts', keys[n * 5] as number);
        },
      });
      const left = [...oracle(account.simulator, 'contacts').keys()];
      expect(
        left.filter((id) => !latest(reading).has(id)),
        `deleted after page ${deletedAt}`,
      ).toEqual([]);
    }
  });

  test('a contact that is renamed while its list is read is there when the reading has finished (I10)', async () => {
    await using account = await open({ counts: { contacts: 400, tickets: 10 } });
    const names = [...oracle(account.simulator, 'contacts')].flatMap(([id, { fields, deleted }]) =>
      deleted === null ? [[String(fields['name']), id] as const] : [],
    );
    const last = [...names].sort(([a], [b]) => (a < b ? 1 : -1))[0]?.[1] as number;
    const reading = await read(account.client, 'contacts', {
      afterPage: (_page, count) => {
        if (count === 2) account.simulator.account.update('contacts', last, { name: ' first of all' });
      },
    });
    expect(latest(reading).get(last)?.fields['name']).toBe(' first of all');
  });

  test.each([
    ['ignores the page size', (records: number[], page: number) => records.slice((page - 1) * 100, page * 100)],
    ['returns 40 records a page', (records: number[], page: number) => records.slice((page - 1) * 40, page * 40)],
  ])('a server that %s is read completely, by two readings that agree', async (_name, respond) => {
    const records = Array.from({ length: 330 }, (_, i) => i + 1);
    await using account = await open({
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
    const reading = await read(account.client, 'roles');
    expect([...latest(reading).keys()].sort((a, b) => a - b)).toEqual(records);
    expect(textOfLine(reading.pages.at(-1)?.lines.at(-1))).toContain('"generation"');
  });

  test('a list whose records differ in every response is read completely, by two readings that agree', async () => {
    let responses = 0;
    await using account = await open({
      counts: { companies: 330, tickets: 10 },
      intercept: ({ path, query }, response) => {
        if (!path.endsWith('/companies')) return false;
        const [page, size] = [Number(query.get('page')), Number(query.get('per_page'))];
        // No record changes.
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
    const reading = await read(account.client, 'companies');
    expect(latest(reading).size).toBe(330);
    expect(reading.pages.length).toBeLessThan(60);
  });

  test('an overlapping page that is too large for one response is read in parts, without gap or repetition', async () => {
    await using account = await open({ counts: { contacts: 330, tickets: 10 } });
    const client = new FreshdeskClient({
      account: { subdomain: 'demo', origin: account.simulator.origin },
      apiKey: 'demo-admin-key',
      creditClass: 'incremental',
      budget: { take: async () => {}, learn: async () => {}, block: async () => {} },
      limits: { bodyBytesMax: 30_000 },
    });
    const reading = await read(client, 'contacts');
    await client.close();
    expect(latest(reading)).toEqual(oracle(account.simulator, 'contacts'));
    expect(reading.records).toHaveLength(330);
  });
});

describe('a list whose filter does not return edits', () => {
  const DAY_MS = 86_400_000;

  /** Runs until an edit has arrived; the number of runs, and the calls of each. */
  async function syncsUntilCurrent(
    name: string,
    count: number,
    ageDays: number,
  ): Promise<{ syncs: number; calls: number[] }> {
    await using account = await open({ counts: { [name]: count, tickets: 10 }, spanDays: 400 });
    let { position } = await read(account.client, name, { readingId: 'run 0' });
    const column = name === 'time_entries' ? 'executed_at' : 'created_at';
    const [key] = [...oracle(account.simulator, name)]
      .map(
        ([id, { fields }]) =>
          [id, Math.abs(Date.now() - ageDays * DAY_MS - Date.parse(String(fields[column])))] as const,
      )
      .reduce((nearest, next) => (next[1] < nearest[1] ? next : nearest));
    account.simulator.account.update(name, key, { note: 'edited', feedback: 'edited' });
    const calls: number[] = [];
    for (let run = 1; run <= 100; run++) {
      const before = account.simulator.callCount;
      const reading = await read(account.client, name, { position, readingId: `run ${run}` });
      calls.push(account.simulator.callCount - before);
      position = reading.position;
      const found = reading.records.find((r) => r.id === key)?.fields;
      if (found?.['note'] === 'edited' || found?.['feedback'] === 'edited') return { syncs: run, calls };
    }
    throw new Error('never current');
  }

  test.each([
    ['time_entries', 300, 2],
    ['satisfaction_ratings', 400, 3],
    ['time_entries', 2500, 5],
    ['satisfaction_ratings', 2500, 5],
  ] as const)(
    '%s: an edit of one of %i records, however old it is, arrives after %i syncs at most',
    async (name, count, most) => {
      for (const ageDays of [31, 100, 200, 399]) {
        const { syncs } = await syncsUntilCurrent(name, count, ageDays);
        expect(syncs, `${ageDays} days old`).toBeLessThanOrEqual(most);
      }
    },
  );

  test('each sync reads a bounded number of pages again, and the first sync none', async () => {
    await using account = await open({ counts: { time_entries: 5000, tickets: 10 }, spanDays: 3650 });
    const callsOf = async (position: Position | null, readingId: string) => {
      const before = account.simulator.callCount;
      const reading = await read(account.client, 'time_entries', { position, readingId });
      return { position: reading.position, calls: account.simulator.callCount - before };
    };
    const first = await callsOf(null, 'run 0');
    expect(first.calls).toBe(1 + 57);
    const second = await callsOf(first.position, 'run 1');
    // One page of the lookback window, and a fifth of the list.
    expect(second.calls).toBe(1 + 12);
  });

  test('a killed run continues with the pages that it has left', async () => {
    await using account = await open({ counts: { time_entries: 1500, tickets: 10 }, spanDays: 3650 });
    const first = await read(account.client, 'time_entries', { readingId: 'run 0' });
    let position = first.position;
    const before = account.simulator.callCount;
    // 17 pages in all, 4 a run, after the page of the lookback window.
    for (let finished = false, slices = 0; !finished; slices++) {
      const known: Position | null = position;
      await read(account.client, 'time_entries', {
        position: known,
        readingId: 'run 1',
        pagesMax: 3,
        afterPage: (page) => {
          position = page.position;
          finished = page.finished;
        },
      });
      expect(slices).toBeLessThan(10);
    }
    expect(account.simulator.callCount - before).toBe(1 + 4);
  });

  test('a run whose leftover credits have run out finishes, and a later run continues', async () => {
    await using account = await open({ counts: { time_entries: 1500, tickets: 10 }, spanDays: 3650 });
    const first = await read(account.client, 'time_entries', { readingId: 'run 0' });
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
            throw new AppError('out_of_credits', 'none left', { retryAfterMs: 60_000 });
        },
        learn: async () => {},
        block: async () => {},
      },
    });
    const scarce = await read(client, 'time_entries', { position: first.position, readingId: 'run 1' });
    expect(scarce.pages.at(-1)).toMatchObject({ finished: true, reached: { completeAsOf: expect.any(Date) } });
    expect(classes).toEqual(['incremental', 'audit', 'audit', 'audit']);
    leftover = 100;
    const ids = new Set(scarce.records.map((r) => r.id));
    let { position } = scarce;
    for (let run = 2; run <= 5; run++) {
      const reading = await read(client, 'time_entries', { position, readingId: `run ${run}` });
      position = reading.position;
      for (const { id } of reading.records) ids.add(id);
    }
    await client.close();
    expect(ids.size).toBe(1500);
  });
});

describe('sweeps', () => {
  test('T18: a list that suddenly answers empty is not believed', async () => {
    let empty = false;
    await using account = await open({
      intercept: ({ path }, response) => {
        if (!empty || !path.endsWith('/groups')) return false;
        response.setHeader('x-freshdesk-api-version', 'latest=v2; requested=v2');
        response.writeHead(200, { 'content-type': 'application/json' }).end('[]');
        return true;
      },
    });
    const first = await read(account.client, 'groups');
    empty = true;
    await expect(read(account.client, 'groups', { position: first.position })).rejects.toMatchObject({
      code: 'source_shrunk',
    });
  });

  test('a record that is gone is missing from the generation of the next reading', async () => {
    await using account = await open();
    const first = await read(account.client, 'groups');
    account.simulator.account.remove('groups', first.records[0]?.id as number);
    const second = await read(account.client, 'groups', { position: first.position });
    expect(second.records.map((r) => r.id)).toEqual(first.records.slice(1).map((r) => r.id));
    expect(textOfLine(second.pages.at(-1)?.lines.at(-1))).toContain('"generation"');
  });
});

describe('children', () => {
  const work = (...ids: number[]) => ids.map((id) => ({ object: 'conversations', parentId: String(id), version: 'v' }));

  test('T12: all conversations of a ticket are read, whatever the size of a page', async () => {
    await using account = await open({ counts: { tickets: 30, conversations: 30 } });
    for (let i = 0; i < 250; i++) account.simulator.account.addChild('conversations', 5, { body: `note ${i}` });
    const reading = await read(account.client, 'conversations', {
      parents: work(...Array.from({ length: 30 }, (_, i) => i + 1)),
    });
    expect([...latest(reading).keys()].sort()).toEqual(
      [...oracle(account.simulator, 'conversations').keys(), ...deadParents(account)].sort(),
    );
  });

  /** Conversations of tickets in the trash exist as well, when somebody asks for them. */
  function deadParents(account: Awaited<ReturnType<typeof open>>): number[] {
    const { account: simulated } = account.simulator;
    const conversations = catalogue.find((o) => o.name === 'conversations');
    if (!conversations) throw new Error('no conversations');
    return [...oracle(account.simulator, 'tickets')]
      .filter(([, { deleted }]) => deleted !== null)
      .flatMap(([id]) =>
        (simulated.childrenOf(conversations, id) ?? []).map((text) => (JSON.parse(text) as { id: number }).id),
      );
  }

  test('folders within folders are read with their category, at any depth, and so is what stands in them', async () => {
    await using account = await open({ counts: { solution_categories: 2 } });
    const { account: simulated } = account.simulator;
    const categories = [...oracle(account.simulator, 'solution_categories').keys()];
    const [category] = categories as [number];
    const top = [...oracle(account.simulator, 'solution_folders')].find(
      ([, { fields }]) => fields['category_id'] === category,
    )?.[0] as number;
    simulated.editChild('solution_folders', top, { sub_folders_count: 1 });
    const inner = simulated.addChild('solution_folders', category, { parent_folder_id: top, sub_folders_count: 1 });
    const innermost = simulated.addChild('solution_folders', category, {
      parent_folder_id: inner,
      sub_folders_count: 0,
    });
    const parents = categories.map((id) => ({ object: 'solution_folders', parentId: String(id), version: 'v' }));
    const reading = await read(account.client, 'solution_folders', { parents });
    expect([...latest(reading).keys()].sort()).toEqual(
      [...oracle(account.simulator, 'solution_folders').keys()].sort(),
    );
    expect([...latest(reading).keys()]).toEqual(expect.arrayContaining([inner, innermost]));
    expect(reading.pages.flatMap((p) => p.work.map((w) => w.parentId))).toEqual(
      expect.arrayContaining([String(inner), String(innermost)]),
    );
    // The parent's answer is complete: it names them all.
    const complete = reading.pages
      .flatMap((p) => p.lines.map(textOfLine))
      .find((line) => line.includes('"complete"') && line.includes(String(category)));
    expect(complete).toContain(String(innermost));
  });

  test('T8: a parent that is gone is settled with no children; the others go on', async () => {
    await using account = await open({ counts: { tickets: 10 } });
    const reading = await read(account.client, 'conversations', { parents: work(1, 999, 2) });
    expect(
      reading.pages
        .flatMap((p) => p.settled)
        .map((s) => s.parentId)
        .sort(),
    ).toEqual(['1', '2', '999']);
    const gone = reading.pages.flatMap((p) => p.lines.map(textOfLine)).find((line) => line.includes('"999"')) as string;
    expect(JSON.parse(gone)).toMatchObject({ complete: { where: { ticket_id: '999' }, keys: [], confirmed: true } });
  });

  test('I7: a list that is empty says so, and only one that was doubted before is confirmed by it', async () => {
    await using account = await open({ counts: { tickets: 10, conversations: 0 } });
    const complete = async (doubted: boolean) => {
      const reading = await read(account.client, 'conversations', { parents: work(1).map((w) => ({ ...w, doubted })) });
      return (JSON.parse(textOfLine(reading.pages[0]?.lines[0])) as { complete: { keys: unknown[]; confirmed?: true } })
        .complete;
    };
    expect(await complete(false)).not.toHaveProperty('confirmed');
    expect(await complete(true)).toMatchObject({ keys: [], confirmed: true });
  });

  test('a parent that fails is reported as a failed unit and not settled, while the others are read (I7, T25)', async () => {
    await using account = await open({
      counts: { tickets: 120 },
      intercept: ({ path }, response) => {
        if (!path.includes('/tickets/7/')) return false;
        response.writeHead(500).end();
        return true;
      },
    });
    const { pages } = await read(account.client, 'conversations', {
      parents: work(...Array.from({ length: 100 }, (_, i) => i + 1)),
    });
    const settled = pages.flatMap((page) => page.settled.map((s) => s.parentId));
    expect(settled).toHaveLength(99);
    expect(settled).not.toContain('7');
    expect(pages.flatMap((page) => page.failed)).toEqual([
      { object: 'conversations', key: '7', code: 'source_unavailable', message: expect.stringContaining('status 500') },
    ]);
  });

  test.each([
    ['every parent fails and none was read before', 60, 60],
    ['parents fail after others were read', 60, 40],
  ])('the reading fails without failed units when %s (I7)', async (_title, parents, failing) => {
    await using account = await open({
      counts: { tickets: 120 },
      intercept: ({ path }, response) => {
        const id = Number(/tickets\/(\d+)\//.exec(path)?.[1]);
        // During an outage, what could be read before cannot be read either.
        if (failing < parents && id <= parents - failing && !isDown) {
          isDown = id === parents - failing;
          return false;
        }
        response.writeHead(500).end();
        return true;
      },
    });
    let isDown = false;
    const failed: unknown[] = [];
    const reading = read(account.client, 'conversations', {
      parents: work(...Array.from({ length: parents }, (_, i) => i + 1)),
      afterPage: (page) => failed.push(...page.failed),
    });
    await expect(reading).rejects.toMatchObject({ code: 'source_unavailable' });
    expect(failed).toEqual([]);
  });
});

describe('answers that are not what they should be', () => {
  const answering = (status: number, headers: Record<string, string>, body: string) =>
    open({
      intercept: (_request, response) => {
        response.writeHead(status, headers).end(body);
        return true;
      },
    });
  const json = { 'content-type': 'application/json', 'x-freshdesk-api-version': 'latest=v2; requested=v2' };

  test.each([
    ['a wrong key', 401, json, '{"code":"invalid_credentials","message":"You have to be logged in."}', 'source_auth'],
    ['no permission', 403, json, '{"code":"access_denied","message":"You are not authorized."}', 'source_forbidden'],
    [
      'a feature that the plan lacks (T9)',
      403,
      json,
      '{"code":"require_feature","message":"The Surveys feature(s) is/are not supported in your plan."}',
      'source_not_in_plan',
    ],
    [
      'a host that is not Freshdesk',
      404,
      { 'content-type': 'text/html' },
      '<html>helpdesk not found</html>',
      'source_not_freshdesk',
    ],
    ['a redirect', 302, { location: 'https://www.freshworks.com/' }, '', 'source_not_freshdesk'],
    ['a page of another product', 200, { 'content-type': 'text/html' }, '<html>Welcome</html>', 'source_not_freshdesk'],
    [
      'an HTML page with status 200',
      200,
      { 'content-type': 'text/html', 'x-freshdesk-api-version': 'v2' },
      '<html>Maintenance</html>',
      'source_unavailable',
    ],
    ['a wrapped list of another product', 200, json, '{"groups":[]}', 'source_contract'],
    ['a list of something else', 200, json, '[1,2]', 'source_contract'],
    ['cut JSON', 200, json, '[{"id":1},{"id":', 'source_unavailable'],
    ['a server at fault', 503, {}, '', 'source_unavailable'],
    [
      'a refused parameter',
      400,
      json,
      '{"description":"Validation failed","errors":[{"field":"page","message":"no","code":"invalid_value"}]}',
      'source_invalid_request',
    ],
  ])('%s', async (_name, status, headers, body, code) => {
    await using account = await answering(status, headers as Record<string, string>, body);
    await expect(read(account.client, 'groups')).rejects.toMatchObject({ code });
  });

  test('a fault that passes is met with another try', async () => {
    let faults = 0;
    await using account = await open({
      intercept: (_request, response) => {
        if (faults++ >= 2) return false;
        if (faults === 1) response.destroy();
        else response.writeHead(502).end();
        return true;
      },
    });
    expect((await read(account.client, 'groups')).records).toHaveLength(8);
  });
});

describe('detail', () => {
  test('a record whose lookup failed is looked up again by the next reading, and reported again if that fails (I7)', async () => {
    let isDamaged = false;
    await using account = await open({
      counts: { tickets: 40 },
      intercept: ({ path }, response) => {
        if (!isDamaged || !path.endsWith('/tickets/8')) return false;
        response.writeHead(500).end();
        return true;
      },
    });
    const { position } = await read(account.client, 'tickets');
    isDamaged = true;
    const lookups = ['7', '8', '9'].map((key) => ({ object: 'tickets', parentId: key, version: 'asked' }));
    const next = await read(account.client, 'tickets', { position, parents: lookups });
    expect(next.records.map(({ id }) => id)).toEqual(expect.arrayContaining([7, 9]));
    expect(next.pages.flatMap((page) => page.settled.map((s) => s.parentId)).toSorted()).toEqual(['7', '9']);
    expect(next.pages.flatMap((page) => page.failed)).toMatchObject([
      { object: 'tickets', key: '8', code: 'source_unavailable' },
    ]);
  });

  test('a record whose own address fails is loaded as the list shows it and reported as a failed unit (I7)', async () => {
    await using account = await open({
      counts: { tickets: 40 },
      intercept: ({ path }, response) => {
        if (!/tickets\/(7|8|9)$/.test(path)) return false;
        response.writeHead(500).end();
        return true;
      },
    });
    const reading = await read(account.client, 'tickets', { detail: true });
    expect(new Set(reading.records.map(({ id }) => id))).toEqual(new Set(oracle(account.simulator, 'tickets').keys()));
    expect(new Set(reading.pages.flatMap((page) => page.failed.map(({ key }) => key)))).toEqual(
      new Set(['7', '8', '9']),
    );
    expect(reading.records.find(({ id }) => id === 7)?.fields).not.toHaveProperty('attachments');
  });

  /** A client whose credits run out after so many, as often as it is told to. */
  const limited = (origin: string, credits: number) => {
    let left = credits;
    const take = async (_buckets: readonly string[], n: number) => {
      if (left < n) throw new AppError('out_of_credits', 'none left', { retryAfterMs: 1 });
      left -= n;
    };
    return new FreshdeskClient({
      account: { subdomain: 'demo', origin },
      apiKey: 'demo-admin-key',
      creditClass: 'incremental',
      budget: { take, learn: async () => {}, block: async () => {} },
    });
  };
  const withDetail = (simulator: FreshdeskSimulator, name: string) =>
    new Map(
      [...oracle(simulator, name)].map(([id, { deleted, fields }]) => [
        id,
        {
          deleted,
          fields: deleted === null ? { ...fields, ...simulator.account.detailOf(objectNamed(name), id) } : fields,
        },
      ]),
    );

  test.each(catalogue.filter((o) => (o.single?.columns ?? []).length > 0).map((o) => o.name))(
    '%s: each record has what only its own address shows',
    async (name) => {
      await using account = await open({ counts: { tickets: 150, contacts: 130 } });
      const reading = await read(account.client, name, { detail: true });
      expect(latest(reading)).toEqual(withDetail(account.simulator, name));
    },
  );

  test.each(['tickets', 'contacts', 'agents'])(
    '%s: a page that costs more than a minute’s credits is completed over several, and nothing is asked for twice',
    async (name) => {
      await using account = await open({ counts: { tickets: 150, contacts: 130, agents: 40 } });
      const readings: Reading[] = [];
      let position: Position | null = null;
      for (let finished = false; !finished; ) {
        const client = limited(account.simulator.origin, 40);
        const pages: Page[] = [];
        const known: Position | null = position;
        const outcome = await read(client, name, {
          detail: true,
          position: known,
          afterPage: (page) => {
            pages.push(page);
            position = page.position;
            finished = page.finished;
          },
        }).catch((error: AppError) => {
          expect(error.code).toBe('out_of_credits');
          return null;
        });
        await client.close();
        readings.push(outcome ?? { pages, position, records: recordsOf(pages) });
        expect(readings.length).toBeLessThan(40);
      }
      expect(latest(...readings)).toEqual(withDetail(account.simulator, name));
      const asked = [...account.simulator.calls]
        .filter(([path]) => path.endsWith('/{id}'))
        .reduce((sum, [, n]) => sum + n, 0);
      // Those in flight when the credits ran out, and a list of more than a page that is read until two readings agree.
      expect(asked).toBeLessThanOrEqual(
        oracle(account.simulator, name).size * (name === 'contacts' ? 2 : 1) + readings.length * 8,
      );
    },
  );
});
