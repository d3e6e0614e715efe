import { getObject } from '@freshet/freshdesk-extractor';
import { describe, expect, test } from 'vitest';
import { SimulatedAccount } from '../account.ts';
import { CLOSED, RESOLVED } from './directory.ts';
import type { LogEntry } from './event-log.ts';
import { generateLog } from './generate-log.ts';
import { AccountClock, Replay } from './replay.ts';
import { setUpScenario } from './scenario.ts';

const TO = Date.parse('2026-11-01T12:00:00Z');
const FROM = TO - 420 * 86_400_000;

function replayLog(seed: number) {
  const clock = new AccountClock(FROM - 86_400_000);
  const counts = { tickets: 0, conversations: 0, business_hours: 0, groups: 0, agents: 8, contacts: 50 };
  const account = new SimulatedAccount({
    seed,
    asOf: new Date(TO),
    spanDays: 450,
    now: clock.now,
    counts: { ...counts, satisfaction_ratings: 0, time_entries: 0 },
  });
  const { directory } = setUpScenario(account);
  const options = { seed, tickets: 400, from: FROM, to: TO, timeZone: 'Europe/Berlin', directory, firstTicketId: 1 };
  const log = generateLog(options);
  const replay = new Replay(account, clock, log);
  replay.advanceTo(TO);
  return { account, log, replay, options };
}

interface TicketRecord {
  readonly id: number;
  readonly status: number;
  readonly created_at: string;
  readonly updated_at: string;
  readonly stats: Readonly<Record<string, string | null>>;
}

const listRecords = (account: SimulatedAccount, name: string) =>
  [...account.listAllRecords(name)].map(({ view, text }) => ({
    view: view.name,
    record: JSON.parse(text) as TicketRecord,
  }));

function groupByTicket(log: readonly LogEntry[]): Map<number, LogEntry[]> {
  return Map.groupBy(log, ({ ticketId }) => ticketId) as Map<number, LogEntry[]>;
}

describe('generateLog', () => {
  const { log, options } = replayLog(1);

  test('generates the same log from the same seed', () => {
    expect(generateLog(options)).toEqual(log);
    expect(generateLog({ ...options, seed: 2 })).not.toEqual(log);
  });

  test('generates every kind of event, in the order of time', () => {
    const kinds = new Set(log.map(({ event }) => (event.kind === 'message' ? event.type : event.kind)));
    expect([...kinds].sort()).toEqual([
      'automatic_reply',
      'created',
      'customer_message',
      'forward',
      'merged',
      'moved',
      'private_note',
      'public_note',
      'rated',
      'reply',
      'survey_feedback',
      'time_tracked',
      'updated',
    ]);
    expect(log.every(({ at }, n) => at >= (log[n - 1]?.at ?? FROM) && at <= TO)).toBe(true);
  });

  test('creates tickets in the order of their keys, also if several are created in the same second', () => {
    const busy = { ...options, tickets: 300, from: TO - 3 * 60_000 };
    for (let seed = 1; seed <= 20; seed++) {
      const created = generateLog({ ...busy, seed }).filter(({ event }) => event.kind === 'created');
      expect(created.map(({ ticketId }) => ticketId)).toEqual(Array.from({ length: 300 }, (_, n) => n + 1));
    }
  });

  test('begins the events of each ticket with its creation', () => {
    for (const entries of groupByTicket(log).values()) {
      expect(entries[0]?.event.kind).toBe('created');
      expect(entries.filter(({ event }) => event.kind === 'created')).toHaveLength(1);
    }
  });
});

describe('Replay', () => {
  const { account, log } = replayLog(3);
  const tickets = listRecords(account, 'tickets');

  test('leaves each ticket in the state of its last events', () => {
    expect(tickets).toHaveLength(400);
    const byTicket = groupByTicket(log);
    for (const { view, record } of tickets) {
      let status = 0;
      let expectedView = 'live';
      for (const { event } of byTicket.get(record.id) ?? []) {
        if (event.kind === 'created' || event.kind === 'updated') status = event.status ?? status;
        else if (event.kind === 'merged') status = CLOSED;
        else if (event.kind === 'moved') expectedView = event.view;
      }
      expect({ status: record.status, view }, `ticket ${record.id}`).toEqual({ status, view: expectedView });
    }
  });

  test('gives each ticket times that agree with its status', () => {
    for (const { record } of tickets) {
      const { stats, status } = record;
      const isResolved = status === RESOLVED || status === CLOSED;
      expect(stats['resolved_at'] !== null, `ticket ${record.id}`).toBe(isResolved);
      expect(stats['closed_at'] !== null, `ticket ${record.id}`).toBe(status === CLOSED);
      if (isResolved)
        expect(Date.parse(stats['resolved_at'] as string)).toBeGreaterThanOrEqual(Date.parse(record.created_at));
    }
  });

  test('creates every message, rating and time entry of the log', () => {
    const count = (kind: LogEntry['event']['kind']) => log.filter(({ event }) => event.kind === kind).length;
    const conversations = tickets.flatMap(
      ({ record }) => account.listChildren(getObject('conversations'), record.id) ?? [],
    );
    expect(conversations).toHaveLength(count('message'));
    expect(listRecords(account, 'satisfaction_ratings')).toHaveLength(count('rated'));
    expect(listRecords(account, 'time_entries')).toHaveLength(count('time_tracked'));
  });
});
