import type { HandCase } from './case.ts';

/** Cases with a history of tickets, and without activities. */
export const HISTORY_CASES: readonly HandCase[] = [
  {
    title: 'Periods from the history of tickets',
    account: 'history',
    ticket: {
      created_at: '2025-02-03T08:00:00Z',
      status: 4,
      group_id: 20,
      updated_at: '2025-02-03T16:00:00Z',
      stats: { status_updated_at: '2025-02-03T15:30:00Z', resolved_at: '2025-02-03T15:30:00Z' },
    },
    versions: [
      { from: '2025-02-03T08:00:00Z', status: 2, group_id: 10 },
      { from: '2025-02-03T12:00:00Z', status: 3, group_id: 10, status_updated_at: '2025-02-03T11:00:00Z' },
      { from: '2025-02-03T16:00:00Z', status: 4, group_id: 20, status_updated_at: '2025-02-03T15:30:00Z' },
    ],
    calculation:
      'The status became Pending at 11:00 and Resolved at 15:30, because a version states the time of the status. ' +
      'The group changed at 16:00, when the version begins.',
    expected: {
      metrics: {
        requester_wait_minutes: 180,
        agent_wait_minutes: 270,
        full_resolution_minutes: 450,
        groups_involved: 2,
        is_exact: false,
      },
      periods: [
        { status: 2, group_id: 10, minutes: 180, evidence: 'history' },
        { status: 3, group_id: 10, minutes: 270 },
        { status: 4, group_id: 10, minutes: 30, is_resolution: true },
        { status: 4, group_id: 20, minutes: null, is_resolution: false, is_group_change: true },
      ],
    },
  },
  {
    title: 'A history that begins after the creation',
    account: 'history',
    ticket: {
      created_at: '2025-02-03T08:00:00Z',
      status: 4,
      stats: { status_updated_at: '2025-02-03T10:00:00Z', resolved_at: '2025-02-03T10:00:00Z' },
    },
    versions: [{ from: '2025-02-03T12:00:00Z', status: 4, group_id: 10, status_updated_at: '2025-02-03T10:00:00Z' }],
    calculation: 'The first version shows that the ticket was resolved at 10:00. The status before is not known.',
    expected: {
      metrics: { full_resolution_minutes: 120, is_exact: false },
      periods: [
        { status: null, minutes: 120, group_id: 10 },
        { status: 4, minutes: null },
      ],
    },
  },
];
