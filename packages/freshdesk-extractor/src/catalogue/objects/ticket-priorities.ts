import { bigint, defineObject, text } from '../define.ts';
import { labelsOf } from '../labels.ts';

export const ticketPriorities = defineObject({
  name: 'ticket_priorities',
  title: 'Ticket priorities',
  description: 'Labels of the values of `tickets.priority`.',
  docs: 'https://developers.freshdesk.com/api/#list_all_ticket_fields',
  path: '/api/v2/ticket_fields',
  rows: (fields) => labelsOf(fields, 'default_priority'),
  way: { kind: 'sweep' },
  typicalCount: 5,
  columns: {
    id: bigint('The value, as `tickets.priority` holds it.'),
    label: text('Its label for agents.'),
  },
});
