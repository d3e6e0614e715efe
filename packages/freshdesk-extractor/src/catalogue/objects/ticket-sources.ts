import { bigint, defineObject, text } from '../define.ts';
import { labelsOf } from '../labels.ts';

export const ticketSources = defineObject({
  name: 'ticket_sources',
  title: 'Ticket sources',
  description: 'Labels of the values of `tickets.source`, the account’s own among them.',
  docs: 'https://developers.freshdesk.com/api/#list_all_ticket_fields',
  path: '/api/v2/ticket_fields',
  rows: (fields) => labelsOf(fields, 'default_source'),
  way: { kind: 'sweep' },
  typicalCount: 5,
  columns: {
    id: bigint('The value, as `tickets.source` holds it.'),
    label: text('Its label for agents.'),
  },
});
