import { bigint, defineObject, text } from '../define.ts';
import { labelsOf } from '../labels.ts';

export const ticketStatuses = defineObject({
  name: 'ticket_statuses',
  title: 'Ticket statuses',
  description: 'Labels of the values of `tickets.status`, the account’s own among them.',
  docs: 'https://developers.freshdesk.com/api/#list_all_ticket_fields',
  path: '/api/v2/ticket_fields',
  rows: (fields) => labelsOf(fields, 'default_status'),
  way: { kind: 'sweep' },
  typicalCount: 5,
  columns: {
    id: bigint('The value, as `tickets.status` holds it.'),
    label: text('Its label for agents.'),
    label_for_customers: text('Its label for customers.', { nullable: true }),
  },
});
