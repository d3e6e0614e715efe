import { bigint, text } from '../columns.ts';
import { defineObject } from '../define-object.ts';
import { parseChoiceLabels } from '../labels.ts';

export const ticketSources = defineObject({
  name: 'ticket_sources',
  title: 'Ticket sources',
  description: 'Labels of `tickets.source`, including the account’s custom sources.',
  docs: 'https://developers.freshdesk.com/api/#list_all_ticket_fields',
  path: '/api/v2/ticket_fields',
  parseRecords: (response) => parseChoiceLabels(response, 'default_source'),
  strategy: { kind: 'full-list' },
  typicalCount: 5,
  columns: {
    id: bigint('Primary key: the value in `tickets.source`.'),
    label: text('Label for agents.'),
  },
});
