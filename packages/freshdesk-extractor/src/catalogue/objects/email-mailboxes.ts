import { bigint, boolean, jsonb, TIMESTAMPS, text } from '../columns.ts';
import { defineObject } from '../define-object.ts';

export const emailMailboxes = defineObject({
  name: 'email_mailboxes',
  title: 'Email mailboxes',
  description: 'Mailboxes that create tickets, with their connection settings. Freshdesk does not return passwords.',
  docs: 'https://developers.freshdesk.com/api/#list_all_email_mailboxes',
  path: '/api/v2/email/mailboxes',
  strategy: { kind: 'full-list' },
  permission: 'admin',
  typicalCount: 3,
  list: { filters: ['support_email', 'forward_email', 'product_id', 'group_id', 'active'] },
  columns: {
    id: bigint('Primary key. Equals the id of the email configuration.'),
    name: text('Name.', { nullable: true, textKind: 'title' }),
    support_email: text('Support email address.', { textKind: 'email' }),
    product_id: bigint('Product of the mailbox.', { nullable: true, references: 'products' }),
    group_id: bigint('Group to which tickets from this mailbox are assigned.', {
      nullable: true,
      references: 'groups',
    }),
    default_reply_email: boolean('True for the default sender of replies.'),
    active: boolean('The mailbox is verified and active.'),
    mailbox_type: text('Mailbox type: a Freshdesk mailbox or a custom mailbox.', {
      samples: ['freshdesk_mailbox', 'custom_mailbox'],
    }),
    failure_code: text(
      'Reason for the failure of the mailbox. If there is none, some accounts return the text "null".',
      {
        nullable: true,
        samples: [null, 'null'],
      },
    ),
    freshdesk_mailbox: jsonb('Settings of a Freshdesk mailbox: forward_email.', {
      optional: true,
      samples: [{ forward_email: 'x@demo.freshdesk.com' }],
    }),
    custom_mailbox: jsonb('Settings of a custom mailbox: access_type, incoming, outgoing.', {
      optional: true,
      samples: [{ access_type: 'both', incoming: { port: 993, use_ssl: true } }],
    }),
    ...TIMESTAMPS,
  },
});
