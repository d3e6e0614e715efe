import { bigint, boolean, defineObject, jsonb, text, timestamp } from '../define.ts';

export const ticketForms = defineObject({
  name: 'ticket_forms',
  title: 'Ticket forms',
  description: 'Forms that tickets are made with.',
  docs: 'https://developers.freshdesk.com/api/#list_all_ticket_forms',
  path: '/api/v2/ticket-forms',
  way: { kind: 'sweep' },
  permission: 'admin',
  includedByDefault: false,
  typicalCount: 2,
  columns: {
    id: bigint('Key.'),
    name: text('Name in the API.', { like: 'title' }),
    title: text('Name for people.', { like: 'title' }),
    default: boolean('The account’s default form.'),
    description: text('Description.', { nullable: true, like: 'paragraph' }),
    last_updated_by: bigint('Who changed it last.', { nullable: true, references: 'agents' }),
    portals: jsonb('Portals that show it.', { optional: true, samples: [[{ id: 1, name: 'Northlamp' }]] }),
    created_at: timestamp('When it was created.'),
    updated_at: timestamp('When it last changed.'),
  },
});
