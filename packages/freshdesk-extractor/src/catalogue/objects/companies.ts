import { bigint, defineObject, jsonb, text, timestamp } from '../define.ts';

export const companies = defineObject({
  name: 'companies',
  title: 'Companies',
  description: 'Companies that contacts belong to.',
  docs: 'https://developers.freshdesk.com/api/#list_all_companies',
  path: '/api/v2/companies',
  // The filter works on some accounts and is ignored or refused on others, so the account is asked.
  way: {
    kind: 'since',
    sinceParams: ['updated_since', '_updated_since'],
    column: 'updated_at',
    lagSeconds: 120,
    lookbackDays: 0,
  },
  single: { path: '/api/v2/companies/{id}' },
  search: '/api/v2/search/companies',
  customFields: { path: '/api/v2/company_fields', field: 'custom_fields' },
  typicalCount: { each: 'tickets', times: 0.05 },
  list: { defaultOrder: ['name', 'asc'] },
  columns: {
    id: bigint('Key.'),
    name: text('Name, unique in the account.', { like: 'title' }),
    description: text('What agents wrote about it.', { nullable: true, like: 'paragraph' }),
    note: text('Note.', { nullable: true, like: 'paragraph' }),
    domains: jsonb('Mail domains.', { samples: [[], ['acme.example'], ['acme.example', 'lanterns.example']] }),
    health_score: text('One of the account’s own list.', { nullable: true, samples: ['Happy', 'At risk', null] }),
    account_tier: text('One of the account’s own list.', { nullable: true, samples: ['Premium', 'Basic', null] }),
    industry: text('One of the account’s own list.', { nullable: true, samples: ['Automotive', null] }),
    renewal_date: timestamp('When the contract renews: midnight of a day.', {
      nullable: true,
      samples: ['2026-06-30T00:00:00Z', null],
    }),
    org_company_id: bigint('Key in the organisation; greater than 2^53.', { nullable: true, optional: true }),
    org_company_id_str: text('The same key as text.', { nullable: true, optional: true, samples: [] }),
    custom_fields: jsonb('All of the account’s own fields; each is a column of its own as well.', {
      optional: true,
      samples: [
        { website: 'https://acme.example', contract_no: 4471, strategic: true, signed_on: '2023-07-01' },
        { website: null, contract_no: null, strategic: null, signed_on: null },
      ],
    }),
    created_at: timestamp('When it was created.', {}),
    updated_at: timestamp('When it last changed.', {}),
  },
});
