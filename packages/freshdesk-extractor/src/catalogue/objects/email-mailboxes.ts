import { bigint, boolean, defineObject, jsonb, text, timestamp } from '../define.ts';

export const emailMailboxes = defineObject({
  name: 'email_mailboxes',
  title: 'Email mailboxes',
  description: 'Mailboxes that tickets come to, with how they are connected. Passwords are never in an answer.',
  docs: 'https://developers.freshdesk.com/api/#list_all_email_mailboxes',
  path: '/api/v2/email/mailboxes',
  way: { kind: 'sweep' },
  permission: 'admin',
  typicalCount: 3,
  list: { filters: ['support_email', 'forward_email', 'product_id', 'group_id', 'active'] },
  columns: {
    id: bigint('Key; the same as of the email config.'),
    name: text('Name.', { nullable: true, like: 'title' }),
    support_email: text('Address that customers write to.', { like: 'email' }),
    product_id: bigint('Product it serves.', { nullable: true, references: 'products' }),
    group_id: bigint('Group that its tickets go to.', { nullable: true, references: 'groups' }),
    default_reply_email: boolean('Answers come from it where nothing else says so.'),
    active: boolean('Verified and in use.'),
    mailbox_type: text('Freshdesk’s own or a custom one.', { samples: ['freshdesk_mailbox', 'custom_mailbox'] }),
    failure_code: text('Why it fails; the text "null" has been seen for none.', {
      nullable: true,
      samples: [null, 'null'],
    }),
    freshdesk_mailbox: jsonb('Freshdesk’s own: forward_email.', {
      optional: true,
      samples: [{ forward_email: 'x@demo.freshdesk.com' }],
    }),
    custom_mailbox: jsonb('A custom one: access_type, incoming, outgoing.', {
      optional: true,
      samples: [{ access_type: 'both', incoming: { port: 993, use_ssl: true } }],
    }),
    created_at: timestamp('When it was created.'),
    updated_at: timestamp('When it last changed.'),
  },
});
