import { describe, expect, test } from 'vitest';
import { FreshdeskSimulator, SimulatedAccount } from './index.ts';

const NOW = Date.parse('2026-06-30T12:00:00Z');
const OPTIONS = { seed: 3, asOf: new Date(NOW), spanDays: 30, counts: { tickets: 500 } };
const listDays = () => Array.from({ length: 40 }, (_, n) => new Date(NOW - n * 86_400_000).toISOString().slice(0, 10));

describe('listActivities', () => {
  test('returns the creation of each generated ticket, and one change to its final status', () => {
    const account = new SimulatedAccount({ ...OPTIONS, now: () => NOW });
    const activities = listDays()
      .reverse()
      .flatMap((day) => account.listActivities(day));
    const creations = activities.filter(({ activity }) => activity['new_ticket']);
    expect(creations.map(({ ticketId }) => ticketId).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 500 }, (_, n) => n + 1),
    );
    for (const { text } of account.listAllRecords('tickets')) {
      const ticket = JSON.parse(text) as { id: number; status: number; created_at: string; updated_at: string };
      const own = activities.filter(({ ticketId }) => ticketId === ticket.id);
      const toSeconds = (time: string) => Date.parse(time) / 1000;
      expect(own[0]?.performedAt).toBe(toSeconds(ticket.created_at));
      const labels = ['', '', 'Open', 'Pending', 'Resolved', 'Closed', 'Waiting on Customer', 'Waiting on Third Party'];
      expect(own.at(-1)?.activity['status']).toBe(labels[ticket.status]);
      if (own.length > 1) expect(own.at(-1)?.performedAt).toBe(toSeconds(ticket.updated_at));
    }
  });

  test('returns what happened to a ticket, at the times of the account’s clock', () => {
    let now = NOW;
    const account = new SimulatedAccount({ ...OPTIONS, counts: { tickets: 0, groups: 3 }, now: () => now });
    const at = (seconds: number, change: () => void) => {
      now = NOW + seconds * 1000;
      change();
    };
    const [group] = [...account.listAllRecords('groups')].map(
      ({ text }) => JSON.parse(text) as { id: number; name: string },
    );
    const fields = { status: 2, priority: 1, group_id: null, responder_id: null, tags: ['a'], source: 1, type: null };
    const key = account.create('tickets', { ...fields, requester_id: 77 });
    const other = account.create('tickets', { ...fields, requester_id: 78 });
    at(1, () => account.update('tickets', key, { responder_id: 5, group_id: group?.id, subject: 'x' }));
    at(2, () => account.update('tickets', key, { subject: 'y' }));
    at(3, () => account.update('tickets', key, { status: 4, priority: 1, tags: ['b'] }));
    at(4, () => account.createChild('conversations', key, { incoming: true, private: false, source: 0, user_id: 77 }));
    at(5, () => account.createChild('conversations', key, { private: true, source: 2, user_id: 5 }));
    at(6, () => account.move('tickets', key, 'spam'));
    at(7, () => account.move('tickets', key, 'live'));
    at(8, () => account.move('tickets', key, 'trash'));
    at(9, () => account.mergeAndClose('tickets', other, [key]));
    const activities = account.listActivities('2026-06-30').map((activity) => {
      const { performedAt, ticketId, performerId } = activity;
      return [performedAt - NOW / 1000, ticketId, performerId, activity.activity];
    });
    const created = {
      new_ticket: true,
      status: 'Open',
      group: null,
      agent_id: null,
      ticket_type: null,
      priority: 1,
      source: 1,
    };
    expect(activities).toEqual([
      [0, key, 77, { ...created, requester_id: 77 }],
      [0, other, 78, { ...created, requester_id: 78 }],
      [1, key, 5, { agent_id: 5, group: group?.name }],
      [3, key, 5, { status: 'Resolved', added_tags: ['b'], removed_tags: ['a'] }],
      [4, key, 77, { note: { id: expect.any(Number), type: 0 } }],
      [5, key, 5, { note: { id: expect.any(Number), type: 4 } }],
      [6, key, 5, { spam: true }],
      [7, key, 5, { spam: false }],
      [8, key, 5, { deleted: true }],
      [9, key, 5, { status: 'Closed' }],
      [9, key, 5, { merged_into: other }],
      [9, other, null, { merged_tickets: [key] }],
    ]);
  });

  test('the history of a day does not change when generated tickets change later', () => {
    let now = NOW;
    const account = new SimulatedAccount({ ...OPTIONS, now: () => now });
    const before = account.listActivities('2026-06-20');
    now += 1000;
    for (let key = 1; key <= 500; key++) account.update('tickets', key, { status: 5, priority: 4 });
    expect(account.listActivities('2026-06-20')).toEqual(before);
  });
});

describe('the file server of the export', () => {
  const fetchFile = async (simulator: FreshdeskSimulator, day: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`${simulator.origin}/api/v2/export/ticket_activities?created_at=${day}`, {
      headers: { authorization: `Basic ${Buffer.from('demo-admin-key:X').toString('base64')}` },
    });
    const { export: file } = (await response.json()) as { export: { url?: string } };
    return file.url === undefined ? null : await fetch(file.url, { headers });
  };

  test('keeps the files of 30 days that have ended, on another origin, and rejects credentials and expired URLs', async () => {
    let now = NOW;
    const simulator = new FreshdeskSimulator({ ...OPTIONS, now: () => now });
    await simulator.listen();
    try {
      const file = await fetchFile(simulator, '2026-06-29');
      expect(new URL(file?.url ?? '').origin).not.toBe(simulator.origin);
      const body = (await file?.json()) as { metadata: object; activities_data: { performed_at: string }[] };
      expect(body.metadata).toEqual({
        start_at: '29-06-2026 00:00:00 +0000',
        end_at: '29-06-2026 23:59:59 +0000',
        activities_count: body.activities_data.length,
      });
      expect(body.activities_data[0]?.performed_at).toMatch(/^29-06-2026 \d\d:\d\d:\d\d \+0000$/);
      expect(await fetchFile(simulator, '2026-06-30')).toBeNull();
      expect(await fetchFile(simulator, '2026-05-30')).toBeNull();
      expect((await fetchFile(simulator, '2026-05-31'))?.status).toBe(200);
      for (const headers of [{ authorization: 'Basic eDp5' }, { cookie: 'a=b' }])
        expect((await fetchFile(simulator, '2026-06-29', headers))?.status).toBe(400);
      now += 301_000;
      const expired = await fetch(file?.url ?? '');
      expect([expired.status, await expired.text()]).toEqual([403, expect.stringContaining('Request has expired')]);
      const forged = await fetch((file?.url ?? '').replace(/expires=\d+/, `expires=${now}`));
      expect(forged.status).toBe(403);
    } finally {
      await simulator.close();
    }
  });
});
