import { bigint, boolean, TIMESTAMPS, text } from '../columns.ts';
import { defineObject } from '../define-object.ts';

export const emailConfigs = defineObject({
  name: 'email_configs',
  title: 'Email configurations',
  description: 'Email addresses that create tickets.',
  docs: 'https://developers.freshdesk.com/api/#list_all_email_configs',
  path: '/api/v2/email_configs',
  strategy: { kind: 'full-list' },
  permission: 'admin',
  typicalCount: 3,
  columns: {
    id: bigint('Primary key. Equals the id of the email mailbox.'),
    name: text('Name.', { nullable: true, textKind: 'title' }),
    product_id: bigint('Product of the address.', { nullable: true, references: 'products' }),
    to_email: text('Address to which emails are forwarded.', { textKind: 'email' }),
    reply_email: text('Sender address of replies.', { textKind: 'email' }),
    group_id: bigint('Group to which tickets from this address are assigned.', {
      nullable: true,
      references: 'groups',
    }),
    primary_role: boolean('True for the primary address.'),
    active: boolean('The address is verified and active.'),
    ...TIMESTAMPS,
  },
});
