import { bigint, boolean, defineObject, text, timestamp } from '../define.ts';

export const emailConfigs = defineObject({
  name: 'email_configs',
  title: 'Email configs',
  description: 'Mailboxes that tickets come to.',
  docs: 'https://developers.freshdesk.com/api/#list_all_email_configs',
  path: '/api/v2/email_configs',
  way: { kind: 'sweep' },
  permission: 'admin',
  typicalCount: 3,
  columns: {
    id: bigint('Key; the same as of the email mailbox.'),
    name: text('Name.', { nullable: true, like: 'title' }),
    product_id: bigint('Product it serves.', { nullable: true, references: 'products' }),
    to_email: text('Address mails are forwarded to.', { like: 'email' }),
    reply_email: text('Address that answers come from.', { like: 'email' }),
    group_id: bigint('Group that its tickets go to.', { nullable: true, references: 'groups' }),
    primary_role: boolean('The primary mailbox.'),
    active: boolean('Verified and in use.'),
    created_at: timestamp('When it was created.'),
    updated_at: timestamp('When it last changed.'),
  },
});
