import { bigint, boolean, text, timestamp } from '../columns.ts';
import { defineObject } from '../define-object.ts';

export const timeEntries = defineObject({
  name: 'time_entries',
  title: 'Time entries',
  description: 'Time that agents spent on tickets.',
  docs: 'https://developers.freshdesk.com/api/#list_all_time_entries',
  path: '/api/v2/time_entries',
  // The only filter uses a business date, which users can edit. The lookback window covers most
  // edits, and the rolling reread of the complete list covers the rest. Audits find deleted
  // entries.
  strategy: {
    kind: 'changed-since',
    sinceParams: ['executed_after'],
    cursorColumn: 'executed_at',
    lagSeconds: 120,
    lookbackDays: 30,
    rereadSyncs: 5,
  },
  feature: 'Timesheets',
  typicalCount: { perRecordOf: 'tickets', factor: 0.15 },
  list: { filters: ['company_id', 'agent_id', 'executed_before', 'billable'] },
  columns: {
    id: bigint('Primary key.'),
    ticket_id: bigint('Ticket on which the time was spent.', { references: 'tickets', isOwner: true }),
    agent_id: bigint('Agent.', { nullable: true, references: 'agents' }),
    company_id: bigint('Company of the ticket.', { nullable: true, references: 'companies' }),
    billable: boolean('The time is billable.'),
    timer_running: boolean('The timer is running.'),
    note: text('Note.', { nullable: true, samples: ['', 'Call', 'Rückruf ☎️', null] }),
    time_spent: text('Time spent, as hh:mm. Hours can exceed 23.', { samples: ['01:30', '00:01', '26:05'] }),
    time_spent_in_seconds: bigint('Time spent, in seconds.', { optional: true, samples: [5400, 103, 93900] }),
    executed_at: timestamp('Business date of the work. Users can edit it.'),
    start_time: timestamp('Start time of the timer.'),
    created_at: timestamp('Creation time.'),
    updated_at: timestamp('Time of the last update. Updates of time entries do not change the ticket’s `updated_at`.'),
  },
});
