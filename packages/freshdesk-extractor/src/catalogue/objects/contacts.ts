import { bigint, boolean, jsonb, text, timestamp } from '../columns.ts';
import { defineObject } from '../define-object.ts';

export const contacts = defineObject({
  name: 'contacts',
  title: 'Contacts',
  description: 'Verified, unverified and blocked contacts. Soft-deleted contacts are marked as deleted.',
  docs: 'https://developers.freshdesk.com/api/#list_all_contacts',
  path: '/api/v2/contacts',
  views: [
    { name: 'live', query: {}, deleteKind: null },
    { name: 'blocked', query: { state: 'blocked' }, deleteKind: null },
    { name: 'deleted', query: { state: 'deleted' }, deleteKind: 'deleted' },
  ],
  // The documented name of the filter is not accepted by all accounts, so Freshet tests both names.
  strategy: {
    kind: 'changed-since',
    sinceParams: ['updated_since', '_updated_since'],
    cursorColumn: 'updated_at',
    lagSeconds: 120,
    lookbackDays: 0,
  },
  bucket: 'contacts_list',
  // A contact who became an agent keeps the id, but only the agents endpoint returns the person.
  detail: {
    path: '/api/v2/contacts/{id}',
    columns: ['other_emails', 'tags', 'avatar'],
    fallbackLookups: [
      { path: '/api/v2/agents/{id}', outcome: 'became_agent', deleteKind: 'became_agent', feature: null },
    ],
  },
  person: { staff: 'agents' },
  searchPath: '/api/v2/search/contacts',
  customFields: { path: '/api/v2/contact_fields', field: 'custom_fields' },
  typicalCount: { perRecordOf: 'tickets', factor: 0.4 },
  list: {
    defaultOrder: ['name', 'asc'],
    filters: ['email', 'mobile', 'phone', 'company_id', 'state', 'contact_type', 'unique_external_id'],
  },
  columns: {
    id: bigint('Primary key. Agents and contacts share one sequence of ids.'),
    name: text('Full name.', { textKind: 'person' }),
    first_name: text('First name.', { nullable: true, optional: true, samples: ['Lea', '由紀', null] }),
    last_name: text('Last name.', { nullable: true, optional: true, samples: ['Sommer', '田中 🌸', null] }),
    email: text('Primary email address.', { nullable: true, textKind: 'email' }),
    phone: text('Phone number.', { nullable: true, textKind: 'phone' }),
    mobile: text('Mobile phone number.', { nullable: true, textKind: 'phone' }),
    active: boolean('The contact is verified.'),
    job_title: text('Job title.', { nullable: true, textKind: 'title' }),
    address: text('Postal address.', { nullable: true, textKind: 'title' }),
    description: text('Description written by agents.', { nullable: true, textKind: 'paragraph' }),
    language: text('Language code.', { nullable: true, samples: ['en', 'de', 'ja-JP', null] }),
    time_zone: text('Time zone (Rails name).', {
      nullable: true,
      samples: ['Berlin', 'Eastern Time (US & Canada)', null],
    }),
    company_id: bigint('Primary company.', { nullable: true, references: 'companies' }),
    other_companies: jsonb('Additional companies.', { nullable: true, optional: true, samples: [[], [84030000002]] }),
    view_all_tickets: boolean('The contact can see all tickets of the company.', { nullable: true, optional: true }),
    other_emails: jsonb('Additional email addresses. On many accounts, this field requires record details.', {
      optional: true,
      samples: [],
    }),
    tags: jsonb('Tags. On many accounts, this field requires record details.', { optional: true, samples: [] }),
    twitter_id: text('Twitter handle or id.', { nullable: true, samples: [null, 'acme'] }),
    twitter_profile_status: boolean('The Twitter profile is verified.', {
      nullable: true,
      optional: true,
      samples: [false],
    }),
    twitter_followers_count: bigint('Number of Twitter followers.', {
      nullable: true,
      optional: true,
      samples: [null, 12],
    }),
    facebook_id: text('Facebook id. Freshdesk returns a number or text.', {
      nullable: true,
      samples: [null, 1000042, 'acme.page'],
    }),
    unique_external_id: text('Id in an external system.', { nullable: true, samples: [null, 'crm-000177'] }),
    csat_rating: bigint('Most recent satisfaction rating.', { nullable: true, samples: [null, 103, -102] }),
    preferred_source: text('Preferred channel.', {
      nullable: true,
      samples: [null, 'phone', 'outbound_email'],
    }),
    contact_type: text('`contact` or `visitor`.', { optional: true, samples: ['contact', 'visitor'] }),
    visitor_id: text('Id as a visitor.', { nullable: true, optional: true, textKind: 'uuid' }),
    org_contact_id: bigint('Id in the Freshworks organization. Exceeds 2^53.', { nullable: true, optional: true }),
    org_contact_id_str: text('Id in the Freshworks organization, as text.', {
      nullable: true,
      optional: true,
      samples: [],
    }),
    other_phone_numbers: jsonb('Additional phone numbers.', { nullable: true, optional: true, samples: [[], null] }),
    social_handler: jsonb('Handles in social networks.', { nullable: true, optional: true, samples: [] }),
    devices: jsonb('Devices.', { nullable: true, optional: true, samples: [] }),
    first_seen: timestamp('Time of the first chat.', { nullable: true, optional: true }),
    last_seen: timestamp('Time of the last chat.', { nullable: true, optional: true }),
    ip_address: text('IP address during the last chat.', { nullable: true, optional: true, samples: [null] }),
    avatar: jsonb('Profile picture. Requires record details.', { nullable: true, optional: true, samples: [] }),
    deleted: boolean('The contact is soft-deleted.', { optional: true, samples: [] }),
    custom_fields: jsonb('All custom fields. Each field also has a column `cf_…`.', {
      samples: [
        { department: 'Einkauf', vip: true },
        { department: null, vip: null },
      ],
    }),
    created_at: timestamp('Creation time.'),
    updated_at: timestamp('Time of the last update. A new rating does not change it.'),
  },
});
