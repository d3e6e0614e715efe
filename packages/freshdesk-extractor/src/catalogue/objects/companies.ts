import { bigint, jsonb, TIMESTAMPS, text, timestamp } from '../columns.ts';
import { defineObject } from '../define-object.ts';

export const companies = defineObject({
  name: 'companies',
  title: 'Companies',
  description: 'Companies, to which contacts belong.',
  docs: 'https://developers.freshdesk.com/api/#list_all_companies',
  path: '/api/v2/companies',
  // Some accounts ignore or reject the filter, so Freshet tests it for each account.
  strategy: {
    kind: 'changed-since',
    sinceParams: ['updated_since', '_updated_since'],
    cursorColumn: 'updated_at',
    lagSeconds: 120,
    lookbackDays: 0,
  },
  detail: { path: '/api/v2/companies/{id}' },
  searchPath: '/api/v2/search/companies',
  customFields: { path: '/api/v2/company_fields', field: 'custom_fields' },
  typicalCount: { perRecordOf: 'tickets', factor: 0.05 },
  list: { defaultOrder: ['name', 'asc'] },
  columns: {
    id: bigint('Primary key.'),
    name: text('Name. Unique in the account.', { textKind: 'title' }),
    description: text('Description written by agents.', { nullable: true, textKind: 'paragraph' }),
    note: text('Note written by agents.', { nullable: true, textKind: 'paragraph' }),
    domains: jsonb('Email domains.', { samples: [[], ['acme.example'], ['acme.example', 'lanterns.example']] }),
    health_score: text('Health score. The account defines the values.', {
      nullable: true,
      samples: ['Happy', 'At risk', null],
    }),
    account_tier: text('Account tier. The account defines the values.', {
      nullable: true,
      samples: ['Premium', 'Basic', null],
    }),
    industry: text('Industry. The account defines the values.', { nullable: true, samples: ['Automotive', null] }),
    renewal_date: timestamp('Renewal date of the contract, as midnight UTC.', {
      nullable: true,
      samples: ['2026-06-30T00:00:00Z', null],
    }),
    org_company_id: bigint('Id in the Freshworks organization. Exceeds 2^53.', { nullable: true, optional: true }),
    org_company_id_str: text('Id in the Freshworks organization, as text.', {
      nullable: true,
      optional: true,
      samples: [],
    }),
    custom_fields: jsonb('All custom fields. Each field also has a column `cf_…`.', {
      optional: true,
      samples: [
        { website: 'https://acme.example', contract_no: 4471, strategic: true, signed_on: '2023-07-01' },
        { website: null, contract_no: null, strategic: null, signed_on: null },
      ],
    }),
    ...TIMESTAMPS,
  },
});
