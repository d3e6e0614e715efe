import { bigint, text } from '../columns.ts';
import { defineObject } from '../define-object.ts';
import { parseChoiceLabels } from '../labels.ts';

export const ticketPriorities = defineObject({
  name: 'ticket_priorities',
  title: 'Ticket priorities',
  description: 'Labels of `tickets.priority`.',
  docs: 'https://developers.freshdesk.com/api/#list_all_ticket_fields',
  path: '/api/v2/ticket_fields',
  parseRecords: (response) => parseChoiceLabels(response, 'default_priority'),
  strategy: { kind: 'full-list' },
  typicalCount: 5,
  columns: {
    id: bigint('Primary key: the value in `tickets.priority`.'),
    label: text('Label for agents.'),
  },
});
