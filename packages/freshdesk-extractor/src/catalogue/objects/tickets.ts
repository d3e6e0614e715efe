import { bigint, boolean, type ColumnDraft, jsonb, numeric, text, timestamp } from '../columns.ts';
import { defineObject } from '../define-object.ts';

const EMAIL_LIST = {
  nullable: true,
  samples: [[], [], ['lea@acme.example'], ['a@x.example', 'b@y.example'], null, 'plain@string.example'],
};

/** Declares a column for each time in `stats`. */
function flattenStats(descriptions: Readonly<Record<string, string>>): Record<`stats_${string}`, ColumnDraft> {
  return Object.fromEntries(
    Object.entries(descriptions).map(([name, description]) => [
      `stats_${name}`,
      timestamp(`${description} From \`stats\`.`, { path: ['stats', name], nullable: true }),
    ]),
  );
}

export const tickets = defineObject({
  name: 'tickets',
  title: 'Tickets',
  description: 'Support tickets. Tickets in the trash or in spam are marked as deleted.',
  docs: 'https://developers.freshdesk.com/api/#list_all_tickets',
  path: '/api/v2/tickets',
  include: ['description', 'stats'],
  views: [
    { name: 'live', query: {}, deleteKind: null },
    { name: 'trash', query: { filter: 'deleted' }, deleteKind: 'trash' },
    { name: 'spam', query: { filter: 'spam' }, deleteKind: 'spam' },
  ],
  strategy: { kind: 'keyset', sinceParam: 'updated_since', cursorColumn: 'updated_at', lagSeconds: 120 },
  detail: {
    path: '/api/v2/tickets/{id}',
    include: ['stats'],
    columns: ['attachments', 'cloud_files', 'associated_tickets_list'],
    // Some months after a ticket is closed, Freshdesk moves it to the archive. The ticket still
    // exists, but no list contains it.
    fallbackLookups: [
      { path: '/api/v2/tickets/archived/{id}', outcome: 'archived', deleteKind: null, feature: 'Archive Tickets' },
    ],
  },
  hasDenseIds: true,
  webhookKey: 'ticket_id',
  maxPages: 300,
  bucket: 'tickets_list',
  hasHistoryLimit: true,
  searchPath: '/api/v2/search/tickets',
  customFields: { path: '/api/v2/ticket_fields', field: 'custom_fields' },
  typicalCount: 2000,
  list: {
    defaultOrder: ['created_at', 'desc'],
    orderBy: ['created_at', 'due_by', 'updated_at', 'status'],
    defaultWindowDays: 30,
    filters: ['filter', 'requester_id', 'email', 'unique_external_id', 'company_id'],
    includeColumns: {
      description: ['description', 'description_text'],
      stats: ['stats'],
      requester: ['requester'],
      company: ['company'],
    },
  },
  columns: {
    id: bigint('Primary key: the ticket number, counted from 1 in each account.'),
    subject: text('Subject line.', { nullable: true, textKind: 'title' }),
    description: text('First message (HTML).', { nullable: true, textKind: 'html' }),
    description_text: text('First message (plain text).', { nullable: true, textKind: 'paragraph' }),
    status: bigint('Status. `ticket_statuses` holds the labels of custom statuses (6 and above).', {
      values: {
        2: 'Open',
        3: 'Pending',
        4: 'Resolved',
        5: 'Closed',
        6: 'Waiting on Customer',
        7: 'Waiting on Third Party',
      },
    }),
    priority: bigint('Priority.', { values: { 1: 'Low', 2: 'Medium', 3: 'High', 4: 'Urgent' } }),
    source: bigint('Channel through which the ticket was created.', {
      values: {
        1: 'Email',
        2: 'Portal',
        3: 'Phone',
        4: 'Forum',
        5: 'Twitter',
        6: 'Facebook',
        7: 'Chat',
        9: 'Feedback Widget',
        10: 'Outbound Email',
        13: 'WhatsApp',
      },
    }),
    type: text('Ticket type. The account defines the values.', {
      nullable: true,
      samples: ['Question', 'Incident', 'Problem', 'Refund', null],
    }),
    requester_id: bigint('Contact who requested support.', { references: 'contacts', isOwner: true }),
    responder_id: bigint('Assigned agent.', { nullable: true, references: 'agents' }),
    group_id: bigint('Assigned group.', { nullable: true, references: 'groups' }),
    company_id: bigint('Company of the requester.', { nullable: true, references: 'companies' }),
    product_id: bigint('Product of the ticket.', { nullable: true, references: 'products' }),
    email_config_id: bigint('Mailbox that received the ticket.', { nullable: true, references: 'email_configs' }),
    to_emails: jsonb('Recipients of the first message. Null for channels other than email.', EMAIL_LIST),
    cc_emails: jsonb('CC recipients.', EMAIL_LIST),
    fwd_emails: jsonb('Addresses to which the ticket was forwarded.', EMAIL_LIST),
    reply_cc_emails: jsonb('CC recipients of replies.', EMAIL_LIST),
    ticket_cc_emails: jsonb('CC recipients of the first message.', EMAIL_LIST),
    ticket_bcc_emails: jsonb('BCC recipients of the first message.', { ...EMAIL_LIST, optional: true }),
    support_email: text('Support email address that received the ticket.', { nullable: true, textKind: 'email' }),
    due_by: timestamp('Time by which the ticket must be resolved. Freshdesk sets it some seconds after creation.', {
      nullable: true,
      setAfterCreation: true,
    }),
    fr_due_by: timestamp('Time by which the first response is due.', { nullable: true, setAfterCreation: true }),
    nr_due_by: timestamp('Time by which the next response is due.', { nullable: true }),
    fr_escalated: boolean('The first response is overdue.'),
    nr_escalated: boolean('The next response is overdue.'),
    is_escalated: boolean('The resolution is overdue.'),
    spam: boolean('The ticket is marked as spam.', { samples: [false] }),
    deleted: boolean('The ticket is in the trash. Only the list of deleted tickets contains this field.', {
      optional: true,
      samples: [],
    }),
    archived: boolean(
      'The ticket is in the archive. Archived tickets are read-only, and no list returns them. Audits set this column.',
      {
        optional: true,
        samples: [],
      },
    ),
    association_type: bigint('Role among associated tickets.', {
      nullable: true,
      values: { 1: 'Parent', 2: 'Child', 3: 'Tracker', 4: 'Related' },
    }),
    associated_tickets_count: bigint('Number of associated tickets.', {
      nullable: true,
      samples: [null, null, 1, 3],
    }),
    custom_fields: jsonb('All custom fields. Each field also has a column `cf_…`.', {
      samples: [
        {
          cf_reference_number: 'R-2291',
          cf_issue_type: 'Billing',
          cf_amount: 149.9,
          cf_paid: true,
          cf_delivery_date: '2025-02-14',
          cf_boxes: 3,
        },
        {
          cf_reference_number: null,
          cf_issue_type: null,
          cf_amount: null,
          cf_paid: null,
          cf_delivery_date: null,
          cf_boxes: null,
        },
        {
          cf_reference_number: '０１２ Ünïcode 🧾',
          cf_issue_type: 'Shipping',
          cf_amount: 0.1,
          cf_paid: false,
          cf_delivery_date: '2024-02-29',
          cf_boxes: 12,
        },
      ],
    }),
    attachments: jsonb('Attachments of the first message. Their URLs are signed and expire. Requires record details.', {
      optional: true,
      samples: [],
    }),
    cloud_files: jsonb('Files in cloud storage services. Requires record details.', { optional: true, samples: [] }),
    associated_tickets_list: jsonb('Ids of associated tickets. Requires record details.', {
      nullable: true,
      optional: true,
      samples: [],
    }),
    tags: jsonb('Tags.', { samples: [[], ['invoice'], ['vip', 'naïve café'], ['🔥']] }),
    form_id: bigint('Form with which the ticket was created.', {
      nullable: true,
      optional: true,
      samples: [null, 84170000001],
    }),
    source_additional_info: jsonb('Additional data of the channel.', {
      nullable: true,
      optional: true,
      samples: [null],
    }),
    structured_description: jsonb('Parts of the first message.', { nullable: true, optional: true, samples: [null] }),
    sentiment_score: numeric('Sentiment of the ticket as estimated by Freshdesk, from 0 to 100.', {
      nullable: true,
      optional: true,
      samples: [null, 41, 87.5],
    }),
    initial_sentiment_score: numeric('Sentiment of the first message as estimated by Freshdesk, from 0 to 100.', {
      nullable: true,
      optional: true,
      samples: [null, 50],
    }),
    stats: jsonb(
      'Times of responses and status changes: agent_responded_at, first_responded_at, resolved_at, closed_at, …',
      {
        samples: [
          {
            agent_responded_at: '2025-03-01T10:20:00Z',
            requester_responded_at: null,
            first_responded_at: '2025-03-01T10:04:02Z',
            status_updated_at: '2025-03-01T10:20:00Z',
            reopened_at: null,
            resolved_at: '2025-03-01T10:20:00Z',
            closed_at: null,
            pending_since: null,
          },
          {
            agent_responded_at: null,
            requester_responded_at: null,
            first_responded_at: null,
            status_updated_at: null,
            reopened_at: null,
            resolved_at: null,
            closed_at: null,
            pending_since: null,
          },
        ],
      },
    ),
    ...flattenStats({
      first_responded_at: 'Time of the first response of an agent.',
      agent_responded_at: 'Time of the last response of an agent.',
      requester_responded_at: 'Time of the last response of the requester.',
      status_updated_at: 'Time of the last change of the status.',
      reopened_at: 'Time of the last reopening. Earlier reopenings leave no trace.',
      resolved_at: 'Time of the last resolution.',
      closed_at: 'Time at which the ticket was closed.',
      pending_since: 'Time since which the status has been Pending.',
    }),
    created_at: timestamp('Creation time. It does not always increase with the id.'),
    updated_at: timestamp('Time of the last update. Time entries and edits of notes do not change it.'),
  },
});
