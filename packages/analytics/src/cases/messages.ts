import type { HandCase } from './case.ts';

/** Cases of responses and messages. */
export const MESSAGE_CASES: readonly HandCase[] = [
  {
    title: 'Automatic replies, replies of rules, forwards and private notes are not responses',
    account: 'stats',
    ticket: { created_at: '2025-02-03T08:00:00Z' },
    messages: [
      { at: '2025-02-03T08:01:00Z', kind: 'automatic reply' },
      { at: '2025-02-03T08:02:00Z', kind: 'reply of an automation rule' },
      { at: '2025-02-03T08:03:00Z', kind: 'forward' },
      { at: '2025-02-03T08:04:00Z', kind: 'private note', author: 2 },
      { at: '2025-02-03T08:30:00Z', kind: 'reply' },
    ],
    calculation: 'The reply at 08:30 is the first response, 30 minutes after the creation.',
    expected: {
      metrics: { first_response_minutes: 30, agent_responses: 1, private_notes: 1, agents_involved: 2 },
    },
  },
  {
    title: 'A public note is a response',
    account: 'stats',
    ticket: { created_at: '2025-02-03T08:00:00Z' },
    messages: [{ at: '2025-02-03T08:10:00Z', kind: 'public note' }],
    calculation: 'The note at 08:10 is the first response.',
    expected: { metrics: { first_response_minutes: 10, agent_responses: 1, private_notes: 0 } },
  },
  {
    title: 'A ticket without a response',
    account: 'stats',
    ticket: { created_at: '2025-02-03T08:00:00Z' },
    messages: [{ at: '2025-02-03T08:10:00Z', kind: 'customer message' }],
    calculation: 'The creation and the message are two customer messages. No response exists.',
    expected: {
      metrics: {
        first_response_minutes: null,
        first_response_minutes_business: null,
        agent_responses: 0,
        customer_messages: 2,
        agents_involved: 0,
      },
      responses: [],
    },
  },
  {
    title: 'An outbound ticket has no first response',
    account: 'stats',
    ticket: { created_at: '2025-02-03T08:00:00Z', source: 10 },
    messages: [
      { at: '2025-02-03T09:00:00Z', kind: 'customer message' },
      { at: '2025-02-03T09:20:00Z', kind: 'reply' },
    ],
    calculation: 'The reply answers the message of 09:00 after 20 minutes, and is not a first response.',
    expected: {
      metrics: { first_response_minutes: null, customer_messages: 1, agent_responses: 1 },
      responses: [{ waited_since: '2025-02-03T09:00:00Z', minutes: 20, is_first: false }],
    },
  },
  {
    title: 'A response is measured from the first unanswered message',
    account: 'stats',
    ticket: { created_at: '2025-02-03T08:00:00Z' },
    messages: [
      { at: '2025-02-03T08:10:00Z', kind: 'reply' },
      { at: '2025-02-03T09:00:00Z', kind: 'customer message' },
      { at: '2025-02-03T09:30:00Z', kind: 'customer message' },
      { at: '2025-02-03T10:00:00Z', kind: 'reply', author: 2 },
    ],
    calculation: 'The second reply answers the messages of 09:00 and 09:30, so the customer waited since 09:00.',
    expected: {
      metrics: { customer_messages: 3, agent_responses: 2, agents_involved: 2 },
      responses: [
        { waited_since: '2025-02-03T08:00:00Z', minutes: 10, business_minutes: 10, is_first: true },
        { waited_since: '2025-02-03T09:00:00Z', minutes: 60, business_minutes: 60, is_first: false, agent_id: 2 },
      ],
    },
  },
  {
    title: 'A second reply for which no customer waited',
    account: 'stats',
    ticket: { created_at: '2025-02-03T08:00:00Z' },
    messages: [
      { at: '2025-02-03T08:10:00Z', kind: 'reply' },
      { at: '2025-02-03T11:00:00Z', kind: 'reply' },
    ],
    calculation: 'No customer message lies between the replies, so the second reply has no waiting time.',
    expected: {
      responses: [
        { waited_since: '2025-02-03T08:00:00Z', minutes: 10 },
        { waited_since: null, minutes: null, business_minutes: null, is_first: false },
      ],
    },
  },
  {
    title: 'Messages with the same time are ordered by id',
    account: 'stats',
    ticket: { created_at: '2025-02-03T08:00:00Z' },
    messages: [
      { at: '2025-02-03T08:10:00Z', kind: 'reply' },
      { at: '2025-02-03T09:00:00Z', kind: 'customer message' },
      { at: '2025-02-03T09:00:00Z', kind: 'reply' },
      { at: '2025-02-03T09:00:00Z', kind: 'customer message' },
    ],
    calculation: 'The second reply has a greater id than the message before it, and answers it after 0 minutes.',
    expected: {
      responses: [
        { waited_since: '2025-02-03T08:00:00Z', minutes: 10 },
        { waited_since: '2025-02-03T09:00:00Z', minutes: 0, business_minutes: 0 },
      ],
    },
  },
  {
    title: 'Survey feedback is not a customer message',
    account: 'stats',
    ticket: { created_at: '2025-02-03T08:00:00Z' },
    messages: [
      { at: '2025-02-03T08:10:00Z', kind: 'reply' },
      { at: '2025-02-03T12:00:00Z', kind: 'survey feedback' },
      { at: '2025-02-03T13:00:00Z', kind: 'reply' },
    ],
    calculation: 'Only the creation is a customer message, so no customer waited for the second reply.',
    expected: {
      metrics: { customer_messages: 1 },
      responses: [{ minutes: 10 }, { waited_since: null, minutes: null }],
    },
  },
  {
    title: 'A reply that is older than the ticket is counted',
    account: 'stats',
    ticket: { created_at: '2025-02-03T08:00:00Z' },
    messages: [
      { at: '2025-02-03T07:59:59Z', kind: 'reply' },
      { at: '2025-02-03T08:30:00Z', kind: 'reply' },
    ],
    calculation: 'The first reply precedes the creation by one second because of differing clocks.',
    expected: {
      metrics: { first_response_minutes: 0, skewed_times: 1 },
      responses: [
        { minutes: 0, is_skewed: true, is_first: true },
        { minutes: null, is_skewed: false },
      ],
    },
  },
  {
    title: 'The latest rating counts',
    account: 'stats',
    ticket: { created_at: '2025-02-03T08:00:00Z' },
    ratings: [
      { at: '2025-02-05T08:00:00Z', code: -103 },
      { at: '2025-02-06T08:00:00Z', code: 102 },
    ],
    calculation: 'The code 102 (very happy) is the score 2.',
    expected: { metrics: { csat_score: 2 } },
  },
  {
    title: 'A neutral rating',
    account: 'stats',
    ticket: { created_at: '2025-02-03T08:00:00Z' },
    ratings: [{ at: '2025-02-05T08:00:00Z', code: 100 }],
    calculation: 'The code 100 is the score 0.',
    expected: { metrics: { csat_score: 0 } },
  },
  {
    title: 'Time entries',
    account: 'stats',
    ticket: { created_at: '2025-02-03T08:00:00Z' },
    timeEntries: ['01:30', '00:05', '26:05'],
    calculation: '90 + 5 + 1,565 minutes. The hours of an entry can exceed 23.',
    expected: { metrics: { minutes_tracked: 1660 } },
  },
];
