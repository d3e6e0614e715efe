import { bigint, boolean, jsonb, text, timestamp } from '../columns.ts';
import { defineObject } from '../define-object.ts';

const EMAIL_LIST = { nullable: true, samples: [[], ['lea@acme.example'], null, ['a@x.example', 'ü@y.example']] };

export const conversations = defineObject({
  name: 'conversations',
  title: 'Conversations',
  description: 'Replies and notes of tickets. The first message of a ticket is in `tickets.description` instead.',
  docs: 'https://developers.freshdesk.com/api/#list_all_ticket_notes',
  path: '/api/v2/tickets/{id}/conversations',
  strategy: {
    kind: 'children',
    parent: 'tickets',
    parentColumn: 'ticket_id',
    versionFields: ['updated_at'],
    fallbackPath: '/api/v2/tickets/archived/{id}/conversations',
  },
  hasHistoryLimit: true,
  typicalCount: { perRecordOf: 'tickets', factor: 2.5 },
  list: { defaultOrder: ['created_at', 'asc'] },
  columns: {
    id: bigint('Primary key.'),
    ticket_id: bigint('Ticket of the message.', { references: 'tickets', isOwner: true }),
    body: text('Message (HTML).', { nullable: true, textKind: 'html' }),
    body_text: text('Message (plain text).', { nullable: true, textKind: 'paragraph' }),
    structured_body: jsonb('Parts of the message (web chat).', { nullable: true, optional: true, samples: [null] }),
    incoming: boolean('True for a message from a customer.'),
    private: boolean('Only agents can see the message.'),
    user_id: bigint('Author: an agent or a contact.', { nullable: true, references: 'contacts', isOwner: true }),
    source: bigint('Type of message.', {
      values: {
        0: 'Reply',
        2: 'Note',
        5: 'From a tweet',
        6: 'Survey feedback',
        7: 'Facebook post',
        8: 'Forwarded email',
        9: 'Phone',
        10: 'MobiHelp',
        11: 'E-commerce',
      },
    }),
    category: bigint('Subtype of message. Not documented by Freshdesk.', { optional: true, samples: [1, 2, 3] }),
    support_email: text('Support email address.', { nullable: true, textKind: 'email' }),
    from_email: text('Sender, as `Name <address>`.', { nullable: true, textKind: 'email' }),
    to_emails: jsonb('Recipients.', EMAIL_LIST),
    cc_emails: jsonb('CC recipients.', EMAIL_LIST),
    bcc_emails: jsonb('BCC recipients.', EMAIL_LIST),
    email_failure_count: bigint('Number of recipients to whom delivery failed.', {
      nullable: true,
      samples: [null, null, 1],
    }),
    outgoing_failures: jsonb('Recipients to whom delivery failed.', { nullable: true, samples: [null] }),
    delivery_details: jsonb('Recipients with failed and pending deliveries.', {
      nullable: true,
      optional: true,
      samples: [null, { failed_emails: [], pending_emails: [] }],
    }),
    thread_id: bigint('Thread of the message.', { nullable: true, samples: [null] }),
    thread_message_id: bigint('Id of the message in its thread.', { nullable: true, samples: [null] }),
    threading_type: text('Threading method.', { nullable: true, optional: true, samples: [null] }),
    automation_id: bigint('Automation rule that created the message.', { nullable: true, samples: [null] }),
    automation_type_id: bigint('Type of the automation rule.', { nullable: true, samples: [null] }),
    auto_response: boolean('True for an automatic response.', { optional: true }),
    source_additional_info: jsonb('Additional data of the channel.', { nullable: true, samples: [null] }),
    attachments: jsonb('Attachments. Their URLs are signed, expire, and differ between responses.', {
      samples: [
        [],
        [],
        [
          {
            id: 84090000921,
            name: 'rechnung.pdf',
            content_type: 'application/pdf',
            size: 48211,
            created_at: '2025-03-01T10:10:31Z',
            updated_at: '2025-03-01T10:10:33Z',
            attachment_url:
              'https://demo.attachments3.freshdesk.com/data/helpdesk/attachments/production/84090000921/original/rechnung.pdf?Expires=1741088400&Signature=YmFy&Key-Pair-Id=KEXAMPLE',
          },
        ],
      ],
    }),
    cloud_files: jsonb('Files in cloud storage services.', { optional: true, samples: [[]] }),
    deleted: boolean('Set in responses to forwarded messages.', { optional: true, samples: [] }),
    has_quoted_text: boolean('The message quotes an earlier message.', { optional: true, samples: [] }),
    last_edited_at: timestamp('Time of the last edit. Edits do not change `updated_at`.', { nullable: true }),
    last_edited_user_id: bigint('Agent who last edited the message.', { nullable: true, references: 'agents' }),
    created_at: timestamp('Creation time.'),
    updated_at: timestamp('Equals `created_at`: edits do not change it.'),
  },
});
