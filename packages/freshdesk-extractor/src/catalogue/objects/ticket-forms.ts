import { bigint, boolean, jsonb, TIMESTAMPS, text } from '../columns.ts';
import { defineObject } from '../define-object.ts';

export const ticketForms = defineObject({
  name: 'ticket_forms',
  title: 'Ticket forms',
  description: 'Forms for creating tickets.',
  docs: 'https://developers.freshdesk.com/api/#list_all_ticket_forms',
  path: '/api/v2/ticket-forms',
  strategy: { kind: 'full-list' },
  permission: 'admin',
  includedByDefault: false,
  typicalCount: 2,
  columns: {
    id: bigint('Primary key.'),
    name: text('Name in the API.', { textKind: 'title' }),
    title: text('Displayed name.', { textKind: 'title' }),
    default: boolean('True for the default form of the account.'),
    description: text('Description.', { nullable: true, textKind: 'paragraph' }),
    last_updated_by: bigint('Agent who last updated the form.', { nullable: true, references: 'agents' }),
    portals: jsonb('Portals that show the form.', { optional: true, samples: [[{ id: 1, name: 'Northlamp' }]] }),
    ...TIMESTAMPS,
  },
});
