import { bigint, text } from '../columns.ts';
import { defineObject } from '../define-object.ts';
import { parseChoiceLabels } from '../labels.ts';

export const ticketStatuses = defineObject({
  name: 'ticket_statuses',
  title: 'Ticket statuses',
  description: 'Labels of `tickets.status`, including the account’s custom statuses.',
  docs: 'https://developers.freshdesk.com/api/#list_all_ticket_fields',
  path: '/api/v2/ticket_fields',
  parseRecords: (response) => parseChoiceLabels(response, 'default_status'),
  strategy: { kind: 'full-list' },
  typicalCount: 5,
  columns: {
    id: bigint('Primary key: the value in `tickets.status`.'),
    label: text('Label for agents.'),
    label_for_customers: text('Label for customers.', { nullable: true }),
  },
});
