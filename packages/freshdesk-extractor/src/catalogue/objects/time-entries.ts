import { bigint, boolean, defineObject, text, timestamp } from '../define.ts';

export const timeEntries = defineObject({
  name: 'time_entries',
  title: 'Time entries',
  description: 'Time that agents spent on tickets.',
  docs: 'https://developers.freshdesk.com/api/#list_all_time_entries',
  path: '/api/v2/time_entries',
  // The only time filter is on a business date that users edit. A lookback window finds most edits, a rolling reading of the
  // complete list the others. Deleted entries are found by audits.
  way: {
    kind: 'since',
    sinceParams: ['executed_after'],
    column: 'executed_at',
    lagSeconds: 120,
    lookbackDays: 30,
    rereadSyncs: 5,
  },
  feature: 'Timesheets',
  typicalCount: { each: 'tickets', times: 0.15 },
  list: { filters: ['company_id', 'agent_id', 'executed_before', 'billable'] },
  columns: {
    id: bigint('Key.'),
    ticket_id: bigint('The ticket.', { references: 'tickets', owner: true }),
    agent_id: bigint('The agent.', { nullable: true, references: 'agents' }),
    company_id: bigint('The ticket’s company.', { nullable: true, references: 'companies' }),
    billable: boolean('Can be charged.'),
    timer_running: boolean('Still counting.'),
    note: text('Note.', { nullable: true, samples: ['', 'Call', 'Rückruf ☎️', null] }),
    time_spent: text('Hours and minutes as hh:mm; hours may exceed 23.', { samples: ['01:30', '00:01', '26:05'] }),
    time_spent_in_seconds: bigint('The same in seconds.', { optional: true, samples: [5400, 103, 93900] }),
    executed_at: timestamp('The day it was done; users may edit it.'),
    start_time: timestamp('When the timer started.'),
    created_at: timestamp('When it was created.'),
    updated_at: timestamp('When it last changed; the ticket’s own does not move with it.'),
  },
});
