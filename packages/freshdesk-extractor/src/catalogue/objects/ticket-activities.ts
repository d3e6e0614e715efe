import { bigint, date, jsonb, text, timestamp } from '../columns.ts';
import { defineObject } from '../define-object.ts';

export const ticketActivities = defineObject({
  name: 'ticket_activities',
  title: 'Ticket activities',
  description:
    'Every change of a ticket, with its time and its author, from the daily export of ticket activities. Freshdesk keeps the export of a day for 30 days.',
  docs: 'https://support.freshdesk.com/en/support/solutions/articles/226460',
  path: '/api/v2/export/ticket_activities',
  strategy: {
    kind: 'daily-export',
    dayParam: 'created_at',
    retentionDays: 30,
    entriesField: 'activities_data',
    countField: 'activities_count',
    timeField: 'performed_at',
    identityFields: ['ticket_id', 'performer_type', 'performer_id', 'activity'],
    dayColumn: 'day',
    positionColumn: 'position',
    lookupColumn: 'ticket_id',
  },
  permission: 'admin',
  feature: 'Ticket Activity Export',
  // The export belongs to Freshdesk's legacy reports. Many accounts lack it or have not enabled it.
  includedByDefault: false,
  includedIfAvailable: true,
  hasHistoryLimit: true,
  typicalCount: { perRecordOf: 'tickets', factor: 5 },
  columns: {
    id: text('Primary key: a hash of the entry, and its number among equal entries of the day.'),
    day: date(
      'Day of the file that holds the entry. The file of a day starts at midnight in the time zone of the account.',
    ),
    ticket_id: bigint('Ticket.', { references: 'tickets', isOwner: true }),
    performed_at: timestamp('Time of the activity.'),
    position: bigint(
      'Position among the entries of the file with the same ticket and the same time, from 1. Times have no fractions of a second, so the position is the only order of changes within a second.',
    ),
    performer_type: text('Author of the activity.', { samples: ['user', 'system'] }),
    performer_id: bigint('Agent or contact who performed the activity. Null for an activity of the system.', {
      nullable: true,
      references: 'contacts',
      isOwner: true,
    }),
    activity: jsonb('Everything that changed: fields and their new values, notes, tags, automation rules.'),
    // Freshdesk sends the labels of some values and the numbers of others, so these columns hold
    // text.
    status: text('New status: a label, such as Pending, or a number. Null if the status did not change.', {
      path: ['activity', 'status'],
      nullable: true,
    }),
    priority: text('New priority: a number or a label. Null if the priority did not change.', {
      path: ['activity', 'priority'],
      nullable: true,
    }),
    group: text('New group: a name or an id. Null if the group did not change.', {
      path: ['activity', 'group'],
      nullable: true,
    }),
    agent: text('New agent: an id or a name. Null if the agent did not change.', {
      path: ['activity', 'agent_id'],
      nullable: true,
    }),
  },
});
