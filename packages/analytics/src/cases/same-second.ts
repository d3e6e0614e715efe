import type { HandCase } from './case.ts';

/** Cases with several activities in one second. */
export const SAME_SECOND_CASES: readonly HandCase[] = [
  {
    title: 'Several changes in one second',
    account: 'activities',
    ticket: { created_at: '2025-02-03T08:00:00Z', status: 3, responder_id: 2 },
    activities: [
      {
        at: '2025-02-03T08:00:00Z',
        activity: { new_ticket: true, status: 'Open', group: 'Berlin', agent_id: 1, priority: 1 },
      },
      { at: '2025-02-03T09:00:00Z', activity: { status: 'Pending' } },
      { at: '2025-02-03T09:00:00Z', activity: { agent_id: 2 } },
    ],
    calculation: 'The changes at 09:00 begin one period. No period of zero minutes is left between them.',
    expected: {
      periods: [
        { status: 2, agent_id: 1, minutes: 60 },
        { status: 3, agent_id: 2, minutes: null },
      ],
    },
  },
  {
    title: 'Several changes of the status in one second',
    account: 'activities',
    ticket: {
      created_at: '2025-02-03T08:00:00Z',
      status: 4,
      stats: { resolved_at: '2025-02-03T10:00:00Z', status_updated_at: '2025-02-03T10:00:00Z' },
    },
    activities: [
      {
        at: '2025-02-03T08:00:00Z',
        activity: { new_ticket: true, status: 'Open', group: 'Berlin', agent_id: 1, priority: 1 },
      },
      { at: '2025-02-03T09:00:00Z', activity: { status: 'Resolved' } },
      { at: '2025-02-03T09:00:00Z', activity: { status: 'Pending' } },
      { at: '2025-02-03T10:00:00Z', activity: { status: 'Resolved' } },
    ],
    calculation:
      'In the order of the exported file, Pending is the last status at 09:00. The resolution at 09:00 has no duration, so the ticket was not reopened.',
    expected: {
      metrics: { reopens: 0, full_resolution_minutes: 120 },
      periods: [
        { status: 2, minutes: 60 },
        { status: 3, minutes: 60, is_reopening: false },
        { status: 4, minutes: null, is_resolution: true },
      ],
    },
  },
  {
    title: 'A status that changes and changes back in one second',
    account: 'activities',
    ticket: { created_at: '2025-02-03T08:00:00Z', status: 2 },
    activities: [
      {
        at: '2025-02-03T08:00:00Z',
        activity: { new_ticket: true, status: 'Open', group: 'Berlin', agent_id: 1, priority: 1 },
      },
      { at: '2025-02-03T09:00:00Z', activity: { status: 'Pending' } },
      { at: '2025-02-03T09:00:00Z', activity: { status: 'Open', agent_id: 2 } },
      { at: '2025-02-03T09:00:00Z', activity: { agent_id: 1 } },
    ],
    calculation: 'After the last change of 09:00, status and agent are the same as before, so no period ends at 09:00.',
    expected: { periods: [{ status: 2, agent_id: 1, minutes: null }] },
  },
];
