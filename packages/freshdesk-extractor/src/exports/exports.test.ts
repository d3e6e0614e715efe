import { createHash } from 'node:crypto';
import { parseJson, RawObject } from '@freshet/contracts';
import { describe, expect, test } from 'vitest';
import { getObject } from '../catalogue/index.ts';
import type { DailyExportStrategy } from '../catalogue/strategies.ts';
import { addDays, type DayState, type Days, foldDays, getCompleteRange } from './day-states.ts';
import { EntrySplitter } from './entry-splitter.ts';
import { EntryRecords, parseDayFirst, toCanonicalJson } from './export-entries.ts';
import { findFileUrl } from './export-file.ts';
import { HashCounter } from './hash-counter.ts';

const STRATEGY = getObject('ticket_activities').strategy as DailyExportStrategy;

/** Splits a document that arrives in chunks of the given size. */
function split(text: string, chunkSize: number): { entries: string[]; envelope: string } {
  const entries: string[] = [];
  const splitter = new EntrySplitter('list', (entry) => entries.push(entry.toString()));
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += chunkSize) splitter.write(Buffer.from(bytes.subarray(at, at + chunkSize)));
  return { entries, envelope: splitter.finish().toString() };
}

describe('EntrySplitter', () => {
  test.each([1, 2, 3, 7, 16, 1000])('finds the same entries as JSON.parse in chunks of %i bytes', (size) => {
    const list = [
      { a: 1, b: [{ c: '}]' }], d: '"\\' },
      {},
      { list: [1, 2], 'é☃"': { x: [[], {}] } },
      { text: '\u2028 \\" ]}, {' },
    ];
    const document = { x: { list: [{ no: 1 }] }, y: 'list', list, z: [[{ n: 1 }]] };
    for (const text of [JSON.stringify(document), JSON.stringify(document, null, 2), JSON.stringify({ list: [] })]) {
      const { entries, envelope } = split(text, size);
      const parsed = JSON.parse(text) as { list: unknown[] };
      expect(entries.map((entry) => JSON.parse(entry) as unknown)).toEqual(parsed.list);
      expect(JSON.parse(envelope)).toEqual({ ...parsed, list: [] });
    }
  });

  test.each([
    '{"list":[{"a":1},]}',
    '{"list":[,{"a":1}]}',
    '{"list":[{"a":1}{"b":2}]}',
    '{"list":[1]}',
    '{"list":[[]]}',
    '{"list":[{"a":1}',
    '{"list":[{"a":"1}]}',
    '{"list":[{"a":1}]',
  ])('rejects %s', (text) => {
    for (const size of [1, 5, 100]) expect(() => split(text, size)).toThrow(SyntaxError);
  });

  test('rejects a document whose envelope does not end (I9)', () => {
    const splitter = new EntrySplitter('list', () => {});
    expect(() => {
      for (;;) splitter.write(Buffer.alloc(1024, '['));
    }).toThrow(expect.objectContaining({ code: 'source_too_large' }));
  });

  test('rejects an entry that does not end (I9)', () => {
    const splitter = new EntrySplitter('list', () => {});
    splitter.write(Buffer.from('{"list":[{"a":"'));
    expect(() => {
      for (;;) splitter.write(Buffer.alloc(1024 * 1024, 'a'));
    }).toThrow(expect.objectContaining({ code: 'source_too_large' }));
  });
});

describe('EntryRecords', () => {
  const build = (...entries: string[]) => {
    const records = new EntryRecords(STRATEGY, 'id', '2026-01-02');
    return entries.map((entry) => parseJson(records.build(Buffer.from(entry)).toString()) as Record<string, unknown>);
  };

  test('adds key, day and position, converts the time, and keeps every other byte (I10)', () => {
    const entry = `{"performed_at":"02-01-2026 09:33:38 +0530", "ticket_id" : 9007199254740993,"performer_type":"user","performer_id":1,"activity":{"status":"Open","x\\u0041":1.50},"new":"\\u00e9"}`;
    const records = new EntryRecords(STRATEGY, 'id', '2026-01-02');
    expect(records.build(Buffer.from(entry)).toString()).toMatch(
      /^\{"id":"[0-9a-f]{32}-1","day":"2026-01-02","performed_at":"2026-01-02T04:03:38Z","position":1,"ticket_id" : 9007199254740993,"performer_type":"user","performer_id":1,"activity":\{"status":"Open","x\\u0041":1\.50\},"new":"\\u00e9"\}$/,
    );
  });

  test('the key depends on the fields that identify an entry, not on the order of their keys', () => {
    const toEntry = (activity: string, ticket = 1, time = '02-01-2026 00:00:00 +0000') =>
      `{"performed_at":"${time}","ticket_id":${ticket},"performer_type":"user","performer_id":1,"activity":${activity}}`;
    const records = build(
      toEntry('{"a":1,"b":{"c":2,"d":3}}'),
      toEntry('{"b":{"d":3,"c":2},"a":1}'),
      toEntry('{"a":1,"b":{"c":2,"d":4}}'),
      toEntry('{"a":1,"b":{"c":2,"d":3}}', 2),
      toEntry('{"a":1,"b":{"c":2,"d":3}}', 1, '02-01-2026 00:00:01 +0000'),
    );
    const keys = records.map(({ id }) => String(id).split('-') as [string, string]);
    expect(keys.map(([, ordinal]) => ordinal)).toEqual(['1', '2', '1', '1', '1']);
    expect(keys[1]?.[0]).toBe(keys[0]?.[0]);
    expect(new Set(keys.map(([hash]) => hash)).size).toBe(4);
  });

  test('the position counts the entries of a ticket within a second, regardless of entries of other tickets', () => {
    const toEntry = (status: string, ticket = 1, second = 1) =>
      `{"performed_at":"02-01-2026 00:00:0${second} +0000","ticket_id":${ticket},"activity":{"status":"${status}"}}`;
    const own = [toEntry('Open'), toEntry('Pending'), toEntry('Open'), toEntry('Open', 1, 2)];
    const positions = [1, 2, 3, 1];
    expect(build(...own).map(({ position }) => position)).toEqual(positions);
    const others = (n: number) => [toEntry('Open', 2), toEntry('Closed', 3, n)];
    const records = build(...own.flatMap((entry, n) => [...others(n), entry]));
    expect(records.filter(({ ticket_id: id }) => id === 1).map(({ position }) => position)).toEqual(positions);
    expect(records.filter(({ ticket_id: id }) => id === 1).map(({ id }) => id)).toEqual(
      build(...own).map(({ id }) => id),
    );
  });

  test('an invalid time is stored as Freshdesk sent it', () => {
    expect(build('{"performed_at":"31-02-2026 00:00:00 +0000"}')[0]?.['performed_at']).toBe(
      '31-02-2026 00:00:00 +0000',
    );
    expect(build('{"performed_at":12}')[0]?.['performed_at']).toBe(12);
    expect(build('{"ticket_id":1}')[0]?.['performed_at']).toBe(null);
  });
});

test.each([
  ['01-01-2022 09:33:38 +0000', '2022-01-01T09:33:38Z'],
  ['1-2-2022 09:33:38 +0000', '2022-02-01T09:33:38Z'],
  ['31-12-2022 23:30:00 -0100', '2023-01-01T00:30:00Z'],
  ['29-02-2024 00:00:00 +00:00', '2024-02-29T00:00:00Z'],
  ['29-02-2023 00:00:00 +0000', null],
  ['01-13-2022 00:00:00 +0000', null],
  ['01-01-2022 24:00:00 +0000', null],
  ['2022-01-01T00:00:00Z', null],
])('parseDayFirst(%s) returns %s', (text, expected) => {
  expect(parseDayFirst(text)).toBe(expected);
});

test('toCanonicalJson keeps the digits of large numbers', () => {
  expect(toCanonicalJson(parseJson('{"b":[1,null,{"d":9007199254740993,"c":"x"}],"a":true}'))).toBe(
    '{"a":true,"b":[1,null,{"c":"x","d":9007199254740993}]}',
  );
});

test.each([
  ['{"a":1,"b":{"c":2,"d":[{"e":3,"f":4}]}}', '{"b":{"d":[{"f":4,"e":3}],"c":2},"a":1}'],
  ['{"10":1,"9":2,"a":[3]}', '{"a":[3],"9":2,"10":1}'],
  ['{"__proto__":{"a":1},"toJSON":"x"}', '{"toJSON":"x","__proto__":{"a":1}}'],
  ['[-0,1.50,"\\u00e9",null,{}]', '[0,1.5,"é",null,{}]'],
])('toCanonicalJson serializes %s and %s equally', (one, other) => {
  expect(toCanonicalJson(parseJson(one))).toBe(toCanonicalJson(parseJson(other)));
});

test('HashCounter counts as a Map does', () => {
  const counter = new HashCounter();
  const counts = new Map<number, number>();
  for (let i = 0; i < 50_000; i++) {
    const value = i % 7 === 0 ? i % 100 : i;
    counts.set(value, (counts.get(value) ?? 0) + 1);
    const digest = createHash('sha256').update(String(value)).digest('hex');
    expect(counter.count(digest)).toBe(counts.get(value));
  }
  const zeros = '0'.repeat(16);
  expect([counter.count(zeros), counter.count(zeros)]).toEqual([1, 2]);
});

describe('findFileUrl', () => {
  const find = (text: string) => findFileUrl(RawObject.parse(Buffer.from(text)), '2022-01-01', 'x');

  test.each([
    ['{"export":{"url":"https://a"}}', 'https://a'],
    ['{"export":[{"created_at":"1-1-2022","url":"https://a"}]}', 'https://a'],
    [
      '{"export":[{"created_at":"02-01-2022","url":"https://b"},{"created_at":"01-01-2022","url":"https://a"}]}',
      'https://a',
    ],
    ['{"export":[{"created_at":"2-1-2022","url":"https://a"}]}', null],
    ['{"export":[{"url":"https://a"}]}', 'https://a'],
    ['{"export":{}}', null],
    ['{"export":[]}', null],
    ['{}', null],
  ])('%s → %s', (text, expected) => {
    expect(find(text)).toBe(expected);
  });

  test.each([
    '{"export":[{}]}',
    '{"export":["https://secret"]}',
    '{"export":{"link":"https://secret"}}',
    '{"export":[{"created_at":"1-1-2022","url":{"href":"https://secret"}}]}',
    '{"url":"https://secret"}',
    '{"export":null}',
  ])('%s is an error without the URL (I6)', (text) => {
    expect(() => find(text)).toThrow(
      expect.objectContaining({ code: 'source_contract', message: expect.not.stringContaining('secret') }),
    );
  });
});

describe('getCompleteRange', () => {
  const day = (n: number) => addDays('2026-01-01', n);
  const toDays = (pattern: string): Days => ({
    firstDay: day(0),
    range: null,
    states: Object.fromEntries(
      pattern.split('').flatMap((letter, n): [string, DayState][] => {
        const window = { from: `${day(n)}T00:00:00Z`, to: `${day(n + 1)}T00:00:00Z` };
        if (letter === 'c') return [[day(n), { state: 'complete', ...window }]];
        if (letter === 'r') return [[day(n), { state: 'read', ...window }]];
        if (letter === 'm') return [[day(n), { state: 'missing', requestedAt: day(0) }]];
        return [];
      }),
    ),
  });
  const describeRange = (days: Days) => {
    const range = getCompleteRange(days);
    return range === null
      ? null
      : [range.from, range.to].map((time) => (Date.parse(time) - Date.parse(day(0))) / 86_400_000);
  };

  test.each([
    ['', null],
    ['m', null],
    ['ccc', [0, 3]],
    ['cccr', [0, 3]],
    ['cccm', [0, 3]],
    ['ccmcc', [3, 5]],
    ['cc.cc', [3, 5]],
    ['ccrc', [3, 4]],
    ['cmmmr', [0, 1]],
  ] as const)('of the days %s is %j, also after old days were folded', (pattern, expected) => {
    const days = toDays(pattern);
    expect(describeRange(days)).toEqual(expected);
    for (let n = 0; n <= pattern.length; n++) expect(describeRange(foldDays(days, day(n)))).toEqual(expected);
  });

  test('days that leave a gap do not form one range', () => {
    const days = toDays('cc');
    const states = {
      ...days.states,
      [day(1)]: { state: 'complete', from: `${day(1)}T03:00:00Z`, to: `${day(2)}T03:00:00Z` },
    };
    expect(describeRange({ ...days, states: states as Days['states'] })).toEqual([1.125, 2.125]);
  });
});
