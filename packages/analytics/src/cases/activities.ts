import type { HandCase } from './case.ts';

/** Cases with the export of activities. */
export const ACTIVITY_CASES: readonly HandCase[] = [
  {
    title: 'Waits of the requester and of the agent',
    account: 'activities',
    ticket: {
      created_at: '2025-02-03T08:00:00Z',
      status: 4,
      stats: { resolved_at: '2025-02-03T12:00:00Z', status_updated_at: '2025-02-03T12:00:00Z' },
    },
    activities: [
      {
        at: '2025-02-03T08:00:00Z',
        activity: { new_ticket: true, status: 'Open', priority: 1, group: 'Berlin', agent_id: 1 },
      },
      { at: '2025-02-03T09:00:00Z', activity: { status: 'Pending' } },
      { at: '2025-02-03T11:00:00Z', activity: { status: 'Open' } },
      { at: '2025-02-03T12:00:00Z', activity: { status: 'Resolved' } },
    ],
    calculation:
      'Open from 08:00 to 09:00 and from 11:00 to 12:00 is 120 minutes. Pending from 09:00 to 11:00 is 120 minutes.',
    expected: {
      metrics: {
        requester_wait_minutes: 120,
        agent_wait_minutes: 120,
        requester_wait_minutes_business: 120,
        agent_wait_minutes_business: 120,
        full_resolution_minutes: 240,
        reopens: 0,
        is_exact: true,
      },
      periods: [
        { status: 2, minutes: 60, business_minutes: 60, group_id: 10, agent_id: 1 },
        { status: 3, minutes: 120 },
        { status: 2, minutes: 60 },
        { status: 4, minutes: null, business_minutes: null },
      ],
    },
  },
  {
    title: 'Statuses, groups and priorities as numbers and as labels',
    account: 'activities',
    ticket: {
      created_at: '2025-02-03T08:00:00Z',
      status: 7,
      priority: 4,
      group_id: 20,
      responder_id: 2,
      stats: { status_updated_at: '2025-02-03T09:00:00Z' },
    },
    activities: [
      {
        at: '2025-02-03T08:00:00Z',
        activity: { new_ticket: true, status: 2, priority: 'Low', group_id: 10, agent_id: '1' },
      },
      {
        at: '2025-02-03T09:00:00Z',
        activity: { status: 'in progress', priority: '4', group: 'New York', agent: 'Tomas' },
      },
    ],
    calculation: 'Labels are matched without regard to case. At 09:00, everything changes.',
    expected: {
      periods: [
        { status: 2, priority: 1, group_id: 10, agent_id: 1, minutes: 60 },
        { status: 7, priority: 4, group_id: 20, agent_id: 2, minutes: null, is_assignment: true },
      ],
    },
  },
  {
    title: 'The group changes while the ticket is open',
    account: 'activities',
    ticket: {
      created_at: '2025-02-03T14:00:00Z',
      status: 4,
      group_id: 20,
      stats: { resolved_at: '2025-02-03T16:00:00Z', status_updated_at: '2025-02-03T16:00:00Z' },
    },
    activities: [
      {
        at: '2025-02-03T14:00:00Z',
        activity: { new_ticket: true, status: 'Open', group: 'Berlin', agent_id: 1, priority: 1 },
      },
      { at: '2025-02-03T15:30:00Z', activity: { group: 'New York' } },
      { at: '2025-02-03T16:00:00Z', activity: { status: 'Resolved' } },
    ],
    calculation:
      'Berlin is open from 15:00 to 16:30 local time, which is 90 minutes. New York is open from 10:30 to 11:00, which is 30 minutes.',
    expected: {
      metrics: { full_resolution_minutes: 120, full_resolution_minutes_business: 120, groups_involved: 2 },
      periods: [
        { status: 2, group_id: 10, business_minutes: 90 },
        { status: 2, group_id: 20, business_minutes: 30, is_group_change: true },
        { status: 4, group_id: 20 },
      ],
    },
  },
  {
    title: 'The group changes to a closed calendar',
    account: 'activities',
    ticket: {
      created_at: '2025-02-04T07:00:00Z',
      status: 4,
      group_id: 50,
      stats: { resolved_at: '2025-02-04T10:00:00Z', status_updated_at: '2025-02-04T10:00:00Z' },
    },
    activities: [
      {
        at: '2025-02-04T07:00:00Z',
        activity: { new_ticket: true, status: 'Open', group: 'Berlin', agent_id: 1, priority: 1 },
      },
      { at: '2025-02-04T08:00:00Z', activity: { group: 'Closed' } },
      { at: '2025-02-04T10:00:00Z', activity: { status: 'Resolved' } },
    ],
    messages: [{ at: '2025-02-04T09:00:00Z', kind: 'reply' }],
    calculation: 'One hour in Berlin counts. From 08:00 on, the calendar of the group is closed.',
    expected: {
      metrics: {
        full_resolution_minutes: 180,
        full_resolution_minutes_business: 60,
        first_response_minutes: 120,
        first_response_minutes_business: 60,
        first_response_group_id: 50,
      },
      responses: [{ minutes: 120, business_minutes: 60, group_id: 50 }],
    },
  },
  {
    title: 'A ticket that was reopened twice',
    account: 'activities',
    ticket: {
      created_at: '2025-02-03T08:00:00Z',
      status: 5,
      stats: { closed_at: '2025-02-03T14:00:00Z', resolved_at: '2025-02-03T13:00:00Z' },
    },
    activities: [
      {
        at: '2025-02-03T08:00:00Z',
        activity: { new_ticket: true, status: 'Open', group: 'Berlin', agent_id: 1, priority: 1 },
      },
      { at: '2025-02-03T09:00:00Z', activity: { status: 'Resolved' } },
      { at: '2025-02-03T10:00:00Z', activity: { status: 'Open' } },
      { at: '2025-02-03T11:00:00Z', activity: { status: 'Closed' } },
      { at: '2025-02-03T12:00:00Z', activity: { status: 'Pending' } },
      { at: '2025-02-03T13:00:00Z', activity: { status: 'Resolved' } },
      { at: '2025-02-03T14:00:00Z', activity: { status: 'Closed' } },
    ],
    calculation:
      'The first resolution was at 09:00 and the last at 13:00. The change from Resolved to Closed at 14:00 is neither. ' +
      'The requester waited from 08:00 to 09:00 and from 10:00 to 11:00.',
    expected: {
      metrics: {
        reopens: 2,
        first_resolution_minutes: 60,
        full_resolution_minutes: 300,
        requester_wait_minutes: 120,
        agent_wait_minutes: 60,
        is_exact: true,
      },
    },
  },
  {
    title: 'A custom status that stops the clock',
    account: 'activities',
    ticket: {
      created_at: '2025-02-03T08:00:00Z',
      status: 4,
      stats: { resolved_at: '2025-02-03T11:00:00Z' },
    },
    activities: [
      {
        at: '2025-02-03T08:00:00Z',
        activity: { new_ticket: true, status: 'Open', group: 'Berlin', agent_id: 1, priority: 1 },
      },
      { at: '2025-02-03T09:00:00Z', activity: { status: 'Waiting on carrier' } },
      { at: '2025-02-03T10:00:00Z', activity: { status: 'In progress' } },
      { at: '2025-02-03T11:00:00Z', activity: { status: 'Resolved' } },
    ],
    calculation: 'Waiting on carrier stops the clock for 60 minutes. Open and In progress do not, for 60 minutes each.',
    expected: { metrics: { agent_wait_minutes: 60, requester_wait_minutes: 120 } },
  },
  {
    title: 'A period that has not ended does not count as a wait',
    account: 'activities',
    ticket: { created_at: '2025-02-03T08:00:00Z', status: 3, stats: { status_updated_at: '2025-02-03T09:00:00Z' } },
    activities: [
      {
        at: '2025-02-03T08:00:00Z',
        activity: { new_ticket: true, status: 'Open', group: 'Berlin', agent_id: 1, priority: 1 },
      },
      { at: '2025-02-03T09:00:00Z', activity: { status: 'Pending' } },
    ],
    calculation: 'The ticket was open for 60 minutes. It is still pending.',
    expected: {
      metrics: { requester_wait_minutes: 60, agent_wait_minutes: 0, full_resolution_minutes: null, is_exact: true },
    },
  },
  {
    title: 'A ticket that was created as resolved',
    account: 'activities',
    ticket: { created_at: '2025-02-03T08:00:00Z', status: 4, stats: { resolved_at: '2025-02-03T08:00:00Z' } },
    activities: [
      {
        at: '2025-02-03T08:00:00Z',
        activity: { new_ticket: true, status: 'Resolved', group: 'Berlin', agent_id: 1, priority: 1 },
      },
    ],
    calculation: 'The creation is also the resolution.',
    expected: {
      metrics: { first_resolution_minutes: 0, full_resolution_minutes: 0, reopens: 0 },
      periods: [{ status: 4, is_creation: true, is_resolution: true, is_reopening: false }],
    },
  },
  {
    title: 'A change that the export does not contain yet',
    account: 'activities',
    ticket: {
      created_at: '2025-02-03T08:00:00Z',
      status: 5,
      updated_at: '2025-02-05T09:00:00Z',
      stats: {
        resolved_at: '2025-02-05T08:00:00Z',
        closed_at: '2025-02-05T09:00:00Z',
        status_updated_at: '2025-02-05T09:00:00Z',
      },
    },
    activities: [
      {
        at: '2025-02-03T08:00:00Z',
        activity: { new_ticket: true, status: 'Open', group: 'Berlin', agent_id: 1, priority: 1 },
      },
    ],
    calculation:
      'The export shows only the creation. The times of the resolution and of the closure come from `stats`.',
    expected: {
      metrics: { full_resolution_minutes: 2880, is_exact: false },
      periods: [
        { status: 2, minutes: 2880, evidence: 'activities' },
        { status: 4, minutes: 60, evidence: 'stats', is_resolution: true },
        { status: 5, minutes: null, evidence: 'stats', is_resolution: false },
      ],
    },
  },
  {
    title: 'A ticket that is older than the activities',
    account: 'activities',
    ticket: {
      created_at: '2024-12-01T08:00:00Z',
      status: 4,
      stats: { resolved_at: '2025-02-03T08:00:00Z', status_updated_at: '2025-02-03T08:00:00Z' },
    },
    activities: [{ at: '2025-02-03T08:00:00Z', activity: { status: 'Resolved' } }],
    calculation: 'The resolution is known from the activities, and the status before it is not known. 64 days pass.',
    expected: {
      metrics: { full_resolution_minutes: 92_160, is_exact: false },
      periods: [
        { status: null, minutes: 92_160, group_id: 10 },
        { status: 4, evidence: 'activities' },
      ],
    },
  },
  {
    title: 'A ticket that the activities lack',
    account: 'activities',
    ticket: { created_at: '2025-02-03T08:00:00Z', status: 4, stats: { resolved_at: '2025-02-03T09:00:00Z' } },
    calculation: 'The export lacks the ticket, so `stats` is used and nothing is exact.',
    expected: { metrics: { full_resolution_minutes: 60, requester_wait_minutes: null, is_exact: false } },
  },
  {
    title: 'A merged ticket with activities',
    account: 'activities',
    ticket: { created_at: '2025-02-03T08:00:00Z', status: 5, stats: { closed_at: '2025-02-03T09:00:00Z' } },
    activities: [
      {
        at: '2025-02-03T08:00:00Z',
        activity: { new_ticket: true, status: 'Open', group: 'Berlin', agent_id: 1, priority: 1 },
      },
      { at: '2025-02-03T09:00:00Z', activity: { merged_into: 4711, status: 'Closed' } },
    ],
    calculation: 'The activity states the primary ticket. A merged ticket does not count in aggregates.',
    expected: { metrics: { is_merged: true, is_counted: false, full_resolution_minutes: 60 } },
  },
  {
    title: 'An agent is assigned and removed',
    account: 'activities',
    ticket: { created_at: '2025-02-03T08:00:00Z', status: 2, responder_id: null },
    activities: [
      {
        at: '2025-02-03T08:00:00Z',
        activity: { new_ticket: true, status: 'Open', group: 'Berlin', agent_id: null, priority: 1 },
      },
      { at: '2025-02-03T09:00:00Z', activity: { agent_id: 1 } },
      { at: '2025-02-03T10:00:00Z', activity: { agent_id: null } },
    ],
    calculation: 'The ticket has no agent, then agent 1 for 60 minutes, then no agent.',
    expected: {
      periods: [
        { agent_id: null, is_assignment: false, minutes: 60 },
        { agent_id: 1, is_assignment: true, minutes: 60 },
        { agent_id: null, is_assignment: false, minutes: null },
      ],
    },
  },
];
