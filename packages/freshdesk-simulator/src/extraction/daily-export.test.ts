import { AppError } from '@freshet/contracts';
import {
  buildMask,
  estimate,
  extract,
  getObject,
  getPositionReset,
  listOwnerFields,
  type Page,
  type Position,
  testConnection,
} from '@freshet/freshdesk-extractor';
import { describe, expect, test } from 'vitest';
import type { ExportFault, SimulatorOptions } from '../index.ts';
import { openSource, parseRecords, type ReadObjectOptions, readObject, toLineText } from '../test-support/source.ts';

const OBJECT = 'ticket_activities';
const DAY_MS = 86_400_000;
const ACCOUNT = { asOf: new Date('2026-06-30T12:00:00Z'), spanDays: 60, counts: { tickets: 300 } };

/** A simulated account whose clock the test moves. */
async function openAccount(options: SimulatorOptions = {}, ...rest: [string?, object?]) {
  const clock = { now: Date.parse('2026-06-30T12:00:00Z') };
  const faults = new Map<string, ExportFault>();
  const source = await openSource(
    { ...ACCOUNT, now: () => clock.now, exportFault: (day) => faults.get(day) ?? null, ...options },
    ...rest,
  );
  const read = (position: Position | null = null, more: ReadObjectOptions = {}) =>
    readObject(source.client, OBJECT, { position, ...more });
  const { exportFiles, account } = source.simulator;
  return {
    ...source,
    clock,
    faults,
    read,
    account,
    files: exportFiles.requestsByDay,
    clear: () => exportFiles.requestsByDay.clear(),
  };
}

const getCoverage = (pages: readonly Page[]) => {
  const coverage = pages.at(-1)?.coverage ?? null;
  return coverage && [coverage.completeBackTo, coverage.completeAsOf].map((time) => time.toISOString().slice(0, 16));
};
const getFailures = (pages: readonly Page[]) =>
  pages.flatMap((page) => page.failedUnits.map(({ key, code }) => `${key} ${code}`));
const getKeys = ({ records }: { records: readonly { fields: object }[] }) =>
  records.map(({ fields }) => (fields as { id: string }).id);
const toUnits = (days: readonly string[]) => days.map((day) => ({ object: OBJECT, parentId: day, version: '' }));

describe('readDailyExport', () => {
  test.each(['object', 'list'] as const)(
    'a first sync reads the file of each kept day once, if the response is of the shape %s',
    async (exportShape) => {
      await using account = await openAccount({ exportShape });
      account.account.create('tickets');
      const { records, pages } = await account.read();
      const days = [...account.files.keys()].sort();
      expect([days[0], days.at(-1), days.length]).toEqual(['2026-05-31', '2026-06-29', 30]);
      expect(account.simulator.requestsByPath.get('/api/v{id}/export/ticket_activities')).toBe(30);
      const expected = days.flatMap((day) => account.account.listActivities(day).map((a) => ({ day, ...a })));
      expect(expected.length).toBeGreaterThan(150);
      const read = records
        .map(({ fields }) => ({
          day: fields['day'],
          performedAt: Date.parse(fields['performed_at'] as string) / 1000,
          ticketId: fields['ticket_id'],
          performerType: fields['performer_type'],
          performerId: fields['performer_id'],
          activity: fields['activity'],
        }))
        .sort((a, b) => ((a.day as string) < (b.day as string) ? -1 : 1));
      const byDay = Map.groupBy(read, ({ day }) => day);
      expect(days.flatMap((day) => byDay.get(day) ?? [])).toEqual(expected);
      expect(new Set(getKeys({ records })).size).toBe(records.length);
      // The file of yesterday may still grow, so coverage does not include it.
      expect(getCoverage(pages)).toEqual(['2026-05-31T00:00', '2026-06-29T00:00']);
    },
  );

  test('rereads yesterday once, and finds added entries without duplicates', async () => {
    await using account = await openAccount();
    const ticket = account.account.create('tickets', { status: 2 });
    const first = await account.read();
    account.clear();
    const unchanged = await account.read(first.position);
    expect([unchanged.records.length, account.files.size]).toEqual([0, 0]);
    account.clock.now += DAY_MS;
    const second = await account.read(unchanged.position);
    expect([...account.files.keys()]).toEqual(['2026-06-29', '2026-06-30']);
    const known = new Set(getKeys(first));
    const rereadKeys = getKeys(second).filter((key) => known.has(key));
    expect(rereadKeys).toHaveLength(account.account.listActivities('2026-06-29').length);
    expect(second.records.filter(({ fields }) => fields['ticket_id'] === ticket)).toHaveLength(1);
    expect(getCoverage(second.pages)).toEqual(['2026-05-31T00:00', '2026-06-30T00:00']);
    account.clear();
    const third = await account.read(second.position);
    expect([third.records.length, account.files.size]).toEqual([0, 0]);
  });

  test('equal entries of a day have different keys, which a second read repeats', async () => {
    await using account = await openAccount();
    const ticket = account.account.create('tickets', { status: 2 });
    for (const status of [3, 2, 3, 2, 3]) account.account.update('tickets', ticket, { status });
    account.clock.now += DAY_MS;
    const first = await account.read();
    const changes = first.records.filter(({ fields }) => fields['ticket_id'] === ticket);
    const suffixes = getKeys({ records: changes }).map((key) => key.split('-')[1]);
    expect(suffixes).toEqual(['1', '1', '1', '2', '2', '3']);
    account.clock.now += DAY_MS;
    const second = await account.read(first.position);
    const keys = getKeys({ records: second.records.filter(({ fields }) => fields['ticket_id'] === ticket) });
    expect(keys).toEqual(getKeys({ records: changes }));
  });

  test('days that Freshdesk no longer keeps are reported as failed units, and coverage starts after them', async () => {
    await using account = await openAccount();
    const first = await account.read();
    account.clear();
    account.clock.now += 40 * DAY_MS;
    const second = await account.read(first.position);
    const days = Array.from({ length: 11 }, (_, i) => new Date(Date.parse('2026-06-29') + i * DAY_MS));
    expect(getFailures(second.pages)).toEqual(days.map((day) => `${day.toISOString().slice(0, 10)} source_not_found`));
    expect(second.pages.flatMap((page) => page.failedUnits)[0]?.message).toMatch(/read only once.*30 days/);
    expect(second.pages.flatMap((page) => page.failedUnits)[1]?.message).toMatch(/are lost/);
    // No request is sent for them, now or later.
    expect(account.files.has('2026-07-09')).toBe(false);
    expect(account.files.size).toBe(30);
    expect(getCoverage(second.pages)).toEqual(['2026-07-10T00:00', '2026-08-08T00:00']);
    const { requestCount } = account.simulator;
    const retry = await account.read(second.position, { parents: toUnits(['2026-07-01']) });
    expect(getFailures(retry.pages)).toEqual(['2026-07-01 source_not_found']);
    expect(account.simulator.requestCount).toBe(requestCount);
  });

  test.each([
    ['missing', 'source_not_found', /does not exist/],
    ['not-found', 'source_not_found', /does not exist/],
    ['wrong-count', 'source_contract', /has \d+ entries, but states \d+/],
    ['cut', 'source_unavailable', /not complete JSON/],
    ['truncated', 'source_unavailable', /complete response/],
    ['expired', 'source_unavailable', /status 403.*expired/],
    ['slow', 'source_unavailable', /too slowly/],
    ['oversized', 'source_too_large', /more than 1048576 bytes/],
    ['redirect', 'source_unavailable', /status 401/],
  ] as const)(
    'a day whose file is %s becomes a failed unit, and is complete after a later attempt',
    async (fault, code, message) => {
      const limits = { fileBytesMax: 1024 * 1024, ...(fault === 'slow' ? { bodyTimeoutMs: 1000 } : {}) };
      await using account = await openAccount({}, 'demo-admin-key', { limits });
      const first = await account.read();
      for (let day = 0; day < 4; day++) {
        for (let n = 0; n < 4; n++) account.account.create('tickets');
        account.clock.now += DAY_MS;
      }
      account.faults.set('2026-07-01', fault);
      const second = await account.read(first.position);
      expect(getFailures(second.pages)).toEqual([`2026-07-01 ${code}`]);
      const [unit] = second.pages.flatMap((page) => page.failedUnits);
      expect(unit?.message).toMatch(message);
      expect(unit?.message).not.toMatch(/Signature/);
      // Coverage claims only the days after the hole.
      expect(getCoverage(second.pages)).toEqual(['2026-07-02T00:00', '2026-07-03T00:00']);
      account.faults.clear();
      const third = await account.read(second.position, { parents: toUnits(['2026-07-01']) });
      expect(third.pages.flatMap((page) => page.completedUnits.map(({ parentId }) => parentId))).toEqual([
        '2026-07-01',
      ]);
      expect(third.records).toHaveLength(4);
      expect(getCoverage(third.pages)).toEqual(['2026-05-31T00:00', '2026-07-03T00:00']);
    },
  );

  test('a missing day whose failed unit a user has discarded is requested once a day, and is not reported again', async () => {
    await using account = await openAccount();
    const first = await account.read();
    account.clock.now += 4 * DAY_MS;
    account.faults.set('2026-07-01', 'cut');
    const second = await account.read(first.position);
    account.clear();
    const third = await account.read(second.position);
    expect([account.files.size, getFailures(third.pages)]).toEqual([0, []]);
    account.clock.now += DAY_MS;
    const fourth = await account.read(third.position);
    expect(account.files.get('2026-07-01')).toBe(3);
    expect([getFailures(second.pages), getFailures(fourth.pages)]).toEqual([['2026-07-01 source_unavailable'], []]);
    expect(getCoverage(fourth.pages)?.[0]).toBe('2026-07-02T00:00');
    account.faults.clear();
    account.clock.now += DAY_MS;
    const fifth = await account.read(fourth.position);
    expect(getCoverage(fifth.pages)).toEqual(['2026-05-31T00:00', '2026-07-05T00:00']);
  });

  test('the file of yesterday may not exist yet, and is requested at most once an hour', async () => {
    await using account = await openAccount();
    const first = await account.read();
    account.clock.now += DAY_MS;
    account.faults.set('2026-06-30', 'missing');
    const second = await account.read(first.position);
    expect(getFailures(second.pages)).toEqual([]);
    account.faults.clear();
    account.clear();
    const third = await account.read(second.position);
    expect(account.files.size).toBe(0);
    account.clock.now += 3_600_000;
    await account.read(third.position);
    expect([...account.files.keys()]).toEqual(['2026-06-30']);
  });

  test('a worker that is killed within a file leaves a position from which the day is read again', async () => {
    await using account = await openAccount({ counts: { tickets: 5000 }, spanDays: 4 });
    account.clock.now += DAY_MS;
    const complete = await account.read();
    const interrupted = await account.read(null, { pagesMax: 1 });
    expect(interrupted.pages[0]).toMatchObject({ hasPendingRequest: true, completedUnits: [] });
    const rest = await account.read(interrupted.position);
    const keys = new Set([...getKeys(interrupted), ...getKeys(rest)]);
    expect([...keys].sort()).toEqual(getKeys(complete).sort());
    expect(getCoverage(rest.pages)).toEqual(getCoverage(complete.pages));
  });

  test('an account whose days start later than in UTC has the coverage of its files', async () => {
    await using account = await openAccount({ exportOffsetHours: 10 });
    account.clock.now = Date.parse('2026-06-30T04:00:00Z');
    // The day before has not ended in the time zone of the account.
    const first = await account.read();
    expect(account.files.has('2026-06-29')).toBe(false);
    expect(getCoverage(first.pages)).toEqual(['2026-05-31T10:00', '2026-06-29T10:00']);
    account.clock.now += 12 * 3_600_000;
    const second = await account.read(first.position);
    expect(getFailures(second.pages)).toEqual([]);
    account.clock.now += DAY_MS;
    const third = await account.read(second.position);
    expect(getCoverage(third.pages)).toEqual(['2026-05-31T10:00', '2026-06-30T10:00']);
  });

  test('days before the first file are no failures in a first sync, and a day without a file among others is one', async () => {
    await using account = await openAccount({ exportRetentionDays: 10 });
    account.faults.set('2026-06-25', 'missing');
    const { pages } = await account.read();
    expect(getFailures(pages)).toEqual(['2026-06-25 source_not_found']);
    expect(getCoverage(pages)).toEqual(['2026-06-26T00:00', '2026-06-29T00:00']);
  });

  test('a restart reads all kept files again, and keeps the coverage of older days', async () => {
    await using account = await openAccount();
    const first = await account.read();
    account.clock.now += 3 * DAY_MS;
    const second = await account.read(first.position);
    account.clear();
    const reset = getPositionReset(getObject(OBJECT))?.(second.position as Position) ?? null;
    account.clock.now += DAY_MS;
    const third = await account.read(reset);
    expect(account.files.size).toBe(30);
    expect(getFailures(third.pages)).toEqual([]);
    expect(getCoverage(third.pages)).toEqual(['2026-05-31T00:00', '2026-07-03T00:00']);
  });

  test('an account without the export fails the object after a few requests, until it has a file', async () => {
    await using account = await openAccount({ exportRetentionDays: 0 });
    const error = await account.read().catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'source_not_in_plan', message: expect.stringContaining('Enable') });
    expect(account.simulator.requestCount).toBe(7);
  });

  test('an outage of the API fails the slice and no day', async () => {
    await using account = await openAccount({
      intercept: (_request, response) => {
        response.writeHead(503).end();
        return true;
      },
    });
    const pages: Page[] = [];
    await expect(account.read(null, { afterPage: (page) => pages.push(page) })).rejects.toMatchObject({
      code: 'source_unavailable',
    });
    expect(getFailures(pages)).toEqual([]);
  });

  test.each([
    ['demo-agent-key', [], 'source_forbidden'],
    ['demo-admin-key', ['Ticket Activity Export'], 'source_not_in_plan'],
  ] as const)('the key %s of a plan without %j fails with %s', async (key, missingFeatures, code) => {
    await using account = await openAccount({ missingFeatures }, key);
    await expect(account.read()).rejects.toMatchObject({ code });
    const verdict = code === 'source_forbidden' ? 'forbidden' : 'not_in_plan';
    expect((await testConnection(account.client, [getObject(OBJECT)])).objects[0]?.verdict).toBe(verdict);
  });

  test('the connection test finds the export with one request', async () => {
    await using account = await openAccount();
    const before = account.simulator.requestCount;
    expect((await testConnection(account.client, [getObject(OBJECT)])).objects[0]).toMatchObject({
      verdict: 'available',
    });
    expect(account.simulator.requestCount - before).toBe(2);
  });

  test('a file on a blocked address is not requested (OWASP API7)', async () => {
    const refusal = new AppError('address_refused', '127.0.0.1 is a blocked address.');
    const outboundPolicy = {
      check: () => {
        throw refusal;
      },
      lookup: () => {
        throw refusal;
      },
    };
    await using account = await openAccount({}, 'demo-admin-key', { outboundPolicy });
    await expect(account.read()).rejects.toMatchObject({ code: 'address_refused' });
    expect(account.files.size).toBe(0);
  });

  test('the estimate of a sync is one credit for each day', async () => {
    const now = Date.now();
    await using account = await openSource({ ...ACCOUNT, asOf: new Date(now) });
    const options = { historyFrom: null, objectsWithDetail: new Set<string>() };
    const object = getObject(OBJECT);
    // The estimate counts the tickets, for one credit.
    const [first] = await estimate(account.client, [object], new Map(), options);
    expect(first).toMatchObject({ credits: 30, bucket: null });
    const { position } = await readObject(account.client, OBJECT);
    expect(account.client.creditsSpent).toEqual({ incremental: 31 });
    const states = new Map([[OBJECT, { position, parents: 0, pending: 0 }]]);
    expect(await estimate(account.client, [object], states, options)).toMatchObject([{ credits: 0, records: 0 }]);
  });

  test('masks the activity, and drops the activities of erased contacts and tickets', async () => {
    await using account = await openAccount();
    const all = await account.read();
    const [{ fields: erased } = { fields: {} as Record<string, unknown> }] = all.records.filter(
      ({ fields }) => fields['performer_type'] === 'user',
    );
    const performer = String(erased['performer_id']);
    const owners = listOwnerFields(getObject(OBJECT)).map((owner) => ({
      ...owner,
      keys: new Set(owner.field === 'performer_id' ? [performer] : []),
    }));
    expect(owners.map(({ field }) => field)).toEqual(['id', 'ticket_id', 'performer_id']);
    const pages: Page[] = [];
    const extraction = extract(account.client, getObject(OBJECT), null, {
      historyFrom: null,
      readingId: 'r',
      fetchUnits: async () => [],
      mask: buildMask({ activity: { drop: true } }, () => Buffer.alloc(32)),
      erasedOwners: owners,
    });
    for await (const page of extraction) pages.push(page);
    const records = parseRecords(pages);
    const isErased = ({ fields }: (typeof records)[number]) => String(fields['performer_id']) === performer;
    expect(records).toHaveLength(all.records.length - all.records.filter(isErased).length);
    expect(records.every(({ fields }) => fields['activity'] === null)).toBe(true);
  });

  test('no line marks a row as deleted, even if a second file has lost entries', async () => {
    await using account = await openAccount();
    const first = await account.read();
    account.clock.now += DAY_MS;
    account.faults.set('2026-06-29', 'shortened');
    const second = await account.read(first.position);
    const reread = second.records.filter(({ fields }) => fields['day'] === '2026-06-29');
    expect(reread).toHaveLength(Math.floor(account.account.listActivities('2026-06-29').length / 2));
    const lines = [...first.pages, ...second.pages].flatMap((page) => page.lines.map(toLineText));
    expect(lines.every((line) => line.startsWith('{"record":'))).toBe(true);
    expect(getCoverage(second.pages)?.[1]).toBe('2026-06-30T00:00');
  });
});
