import type { HandCase } from './case.ts';

/** Cases of resolutions without activities and history, in which only `stats` is known. */
export const RESOLUTION_CASES: readonly HandCase[] = [
  {
    title: 'A resolved ticket',
    account: 'stats',
    ticket: { created_at: '2025-02-03T08:00:00Z', status: 4, stats: { resolved_at: '2025-02-04T08:00:00Z' } },
    messages: [{ at: '2025-02-03T08:10:00Z', kind: 'reply' }],
    calculation:
      'The ticket was resolved after 24 hours. In Berlin, Monday 09:00 to 17:00 and Tuesday 08:00 to 09:00 is 540 minutes. ' +
      'It has one response and was not reopened.',
    expected: {
      metrics: {
        first_resolution_minutes: 1440,
        first_resolution_minutes_business: 540,
        full_resolution_minutes: 1440,
        full_resolution_minutes_business: 540,
        reopens: 0,
        is_one_touch: true,
        is_first_contact_resolution: true,
        requester_wait_minutes: null,
        agent_wait_minutes: null,
        is_exact: false,
      },
      periods: [
        { status: null, minutes: 1440, is_resolved: false, evidence: 'stats' },
        { status: 4, started_at: '2025-02-04T08:00:00Z', ended_at: null, minutes: null, is_resolution: true },
      ],
    },
  },
  {
    title: 'A ticket that was resolved and closed two days later',
    account: 'stats',
    ticket: {
      created_at: '2025-02-03T08:00:00Z',
      status: 5,
      stats: { resolved_at: '2025-02-03T10:00:00Z', closed_at: '2025-02-05T10:00:00Z' },
    },
    calculation: 'The change from Resolved to Closed is not a resolution, so the resolution took two hours.',
    expected: {
      metrics: { first_resolution_minutes: 120, full_resolution_minutes: 120, reopens: 0 },
      periods: [
        { status: null, minutes: 120 },
        { status: 4, minutes: 2880, is_resolution: true },
        { status: 5, minutes: null, is_resolution: false, is_reopening: false },
      ],
    },
  },
  {
    title: 'A ticket that was closed without being resolved',
    account: 'stats',
    ticket: { created_at: '2025-02-03T08:00:00Z', status: 5, stats: { closed_at: '2025-02-03T11:00:00Z' } },
    calculation: 'Closed counts as resolved, so the resolution took three hours.',
    expected: { metrics: { first_resolution_minutes: 180, full_resolution_minutes: 180 } },
  },
  {
    title: 'A reopened ticket that is open',
    account: 'stats',
    ticket: {
      created_at: '2025-02-03T08:00:00Z',
      status: 2,
      stats: { reopened_at: '2025-02-04T08:00:00Z', status_updated_at: '2025-02-04T08:00:00Z' },
    },
    calculation: 'The time of the resolution before the reopening is not known.',
    expected: {
      metrics: { reopens: 1, first_resolution_minutes: null, full_resolution_minutes: null, is_exact: false },
    },
  },
  {
    title: 'A reopened ticket that was resolved again',
    account: 'stats',
    ticket: {
      created_at: '2025-02-03T08:00:00Z',
      status: 4,
      stats: { reopened_at: '2025-02-04T08:00:00Z', resolved_at: '2025-02-05T08:00:00Z' },
    },
    messages: [{ at: '2025-02-03T08:10:00Z', kind: 'reply' }],
    calculation:
      'The last resolution is known, the first is not. One response and a reopening are not a first contact resolution.',
    expected: {
      metrics: {
        reopens: 1,
        first_resolution_minutes: null,
        full_resolution_minutes: 2880,
        is_one_touch: true,
        is_first_contact_resolution: false,
      },
    },
  },
  {
    title: 'A resolved ticket with two responses',
    account: 'stats',
    ticket: { created_at: '2025-02-03T08:00:00Z', status: 4, stats: { resolved_at: '2025-02-03T10:00:00Z' } },
    messages: [
      { at: '2025-02-03T08:10:00Z', kind: 'reply' },
      { at: '2025-02-03T09:10:00Z', kind: 'reply' },
    ],
    calculation: 'Two responses are not one touch.',
    expected: { metrics: { is_one_touch: false, is_first_contact_resolution: false } },
  },
  {
    title: 'A response after the resolution',
    account: 'stats',
    ticket: { created_at: '2025-02-03T08:00:00Z', status: 4, stats: { resolved_at: '2025-02-03T10:00:00Z' } },
    messages: [{ at: '2025-02-03T11:00:00Z', kind: 'reply' }],
    calculation: 'The only response was sent after the resolution, so it did not resolve the ticket.',
    expected: { metrics: { is_one_touch: true, is_first_contact_resolution: false } },
  },
  {
    title: 'A custom status that counts as resolved',
    account: 'stats',
    ticket: { created_at: '2025-02-03T08:00:00Z', status: 8, stats: { status_updated_at: '2025-02-03T09:00:00Z' } },
    calculation: 'The table ticket_status_settings states that status 8 is resolved.',
    expected: { metrics: { first_resolution_minutes: 60, full_resolution_minutes: 60, is_resolved: true } },
  },
  {
    title: 'A pending ticket',
    account: 'stats',
    ticket: { created_at: '2025-02-03T08:00:00Z', status: 3, stats: { status_updated_at: '2025-02-03T09:00:00Z' } },
    calculation: 'The status before 09:00 is not known. The ticket is pending since 09:00.',
    expected: {
      metrics: { full_resolution_minutes: null, is_resolved: false },
      periods: [
        { status: null, minutes: 60, stops_sla_timer: null },
        { status: 3, minutes: null, stops_sla_timer: true },
      ],
    },
  },
  {
    title: 'Spam',
    account: 'stats',
    ticket: {
      created_at: '2025-02-03T08:00:00Z',
      spam: true,
      _freshet_deleted_at: '2025-02-04T08:00:00Z',
      _freshet_delete_kind: 'spam',
    },
    calculation: 'Spam has a row, but does not count in aggregates.',
    expected: { metrics: { is_spam: true, is_deleted: false, is_counted: false } },
  },
  {
    title: 'A ticket in the trash',
    account: 'stats',
    ticket: {
      created_at: '2025-02-03T08:00:00Z',
      _freshet_deleted_at: '2025-02-04T08:00:00Z',
      _freshet_delete_kind: 'trash',
    },
    calculation: 'A deleted ticket has a row, but does not count in aggregates.',
    expected: { metrics: { is_spam: false, is_deleted: true, is_counted: false } },
  },
  {
    title: 'A merged ticket without activities',
    account: 'stats',
    ticket: { created_at: '2025-02-03T08:00:00Z', status: 5, stats: { closed_at: '2025-02-03T09:00:00Z' } },
    messages: [
      { at: '2025-02-03T09:00:00Z', kind: 'private note', text: 'This ticket is closed and merged into ticket 4711' },
    ],
    calculation: 'The private note on the closed ticket is the evidence of the merge.',
    expected: { metrics: { is_merged: true, is_counted: false } },
  },
];

/** Cases of targets. The due times are those of Freshdesk. */
export const TARGET_CASES: readonly HandCase[] = [
  {
    title: 'Met targets',
    account: 'stats',
    ticket: {
      created_at: '2025-02-03T08:00:00Z',
      status: 4,
      fr_due_by: '2025-02-03T09:00:00Z',
      due_by: '2025-02-03T12:00:00Z',
      stats: { resolved_at: '2025-02-03T12:00:00Z' },
    },
    messages: [{ at: '2025-02-03T08:30:00Z', kind: 'reply' }],
    calculation: 'The response precedes its due time, and the resolution is exactly at its due time.',
    expected: {
      targets: {
        first_response: { state: 'met', achieved_at: '2025-02-03T08:30:00Z', minutes_over: null },
        resolution: { state: 'met', minutes_over: null },
        next_response: { state: 'not_applicable' },
      },
    },
  },
  {
    title: 'Missed targets',
    account: 'stats',
    ticket: {
      created_at: '2025-02-03T08:00:00Z',
      status: 4,
      fr_due_by: '2025-02-03T09:00:00Z',
      due_by: '2025-02-03T12:00:00Z',
      stats: { resolved_at: '2025-02-03T14:30:00Z' },
    },
    messages: [{ at: '2025-02-03T09:15:00Z', kind: 'reply' }],
    calculation: 'The response is 15 minutes late, and the resolution is 150 minutes late.',
    expected: {
      targets: {
        first_response: { state: 'missed', minutes_over: 15 },
        resolution: { state: 'missed', minutes_over: 150 },
      },
    },
  },
  {
    title: 'A ticket that was resolved in time without a response',
    account: 'stats',
    ticket: {
      created_at: '2025-02-03T08:00:00Z',
      status: 4,
      fr_due_by: '2025-02-03T12:00:00Z',
      stats: { resolved_at: '2025-02-03T09:00:00Z' },
    },
    calculation: 'A response was no longer needed when it became due.',
    expected: { targets: { first_response: { state: 'not_applicable', achieved_at: null } } },
  },
  {
    title: 'A ticket that was resolved without a response after its due time',
    account: 'stats',
    ticket: {
      created_at: '2025-02-03T08:00:00Z',
      status: 4,
      fr_due_by: '2025-02-03T08:30:00Z',
      stats: { resolved_at: '2025-02-03T09:00:00Z' },
    },
    calculation: 'No response was sent by 08:30. The target was missed by 30 minutes when the ticket was resolved.',
    expected: { targets: { first_response: { state: 'missed', achieved_at: null, minutes_over: 30 } } },
  },
  {
    title: 'Open and overdue targets',
    account: 'stats',
    ticket: {
      created_at: '2025-02-03T08:00:00Z',
      status: 2,
      fr_due_by: '2025-02-03T09:00:00Z',
      due_by: '2999-02-03T09:00:00Z',
    },
    calculation: 'The response is due since 2025, and the resolution is due in the year 2999.',
    expected: { targets: { first_response: { state: 'overdue' }, resolution: { state: 'open', minutes_over: null } } },
  },
  {
    title: 'A pending ticket after its due time',
    account: 'stats',
    ticket: {
      created_at: '2025-02-03T08:00:00Z',
      status: 3,
      due_by: '2025-02-03T12:00:00Z',
      stats: { status_updated_at: '2025-02-03T09:00:00Z' },
    },
    calculation: 'The status Pending stops the clock, so the target is not overdue.',
    expected: { targets: { resolution: { state: 'open' } } },
  },
  {
    title: 'The next response',
    account: 'stats',
    ticket: { created_at: '2025-02-03T08:00:00Z', status: 2, nr_due_by: '2025-02-03T11:00:00Z' },
    messages: [
      { at: '2025-02-03T08:10:00Z', kind: 'reply' },
      { at: '2025-02-03T10:00:00Z', kind: 'customer message' },
      { at: '2025-02-03T10:45:00Z', kind: 'reply' },
    ],
    calculation: 'The reply at 10:45 answers the latest customer message before the due time.',
    expected: { targets: { next_response: { state: 'met', achieved_at: '2025-02-03T10:45:00Z' } } },
  },
];
