import { bigint, boolean, defineObject, jsonb, text, timestamp } from '../define.ts';

const CREATED = { created_at: '2023-06-01T08:00:10Z', updated_at: '2024-06-01T08:00:10Z' };

export const companyFields = defineObject({
  name: 'company_fields',
  title: 'Company fields',
  description: 'Fields of companies.',
  docs: 'https://developers.freshdesk.com/api/#list_all_company_fields',
  path: '/api/v2/company_fields',
  way: { kind: 'sweep' },
  permission: 'admin',
  typicalCount: 6,
  list: {
    defaultOrder: ['position', 'asc'],
    fixed: [
      { id: 84150000001, name: 'name', label: 'Company name', position: 1, type: 'default_name', default: true, ...CREATED },
      {
        id: 84150000005,
        name: 'health_score',
        label: 'Health score',
        position: 5,
        type: 'default_health_score',
        default: true,
        choices: ['At risk', 'Doing okay', 'Happy'],
        ...CREATED,
      },
      { id: 84150000011, name: 'website', label: 'Website', position: 11, type: 'custom_url', default: false, ...CREATED },
      { id: 84150000012, name: 'contract_no', label: 'Contract number', position: 12, type: 'custom_number', default: false, ...CREATED },
      { id: 84150000013, name: 'strategic', label: 'Strategic', position: 13, type: 'custom_checkbox', default: false, ...CREATED },
      { id: 84150000014, name: 'signed_on', label: 'Signed on', position: 14, type: 'custom_date', default: false, ...CREATED },
    ],
  },
  columns: {
    id: bigint('Key.'),
    name: text('The field’s name in records.'),
    label: text('Its label for agents.'),
    description: text('What it is for.', { nullable: true, optional: true }),
    position: bigint('Its place in the form.'),
    type: text('Kind of field: default_… or custom_….'),
    default: boolean('Comes with every account.'),
    choices: jsonb('Values it takes, in one of several shapes: a list of texts, of objects, or an object of value and label.', {
      nullable: true,
      optional: true,
    }),
    required_for_agents: boolean('Agents must fill it.', { optional: true }),
    displayed_for_agents: boolean('Agents see it.', { optional: true }),
    agents_can_edit: boolean('Agents may change it.', { optional: true }),
    quick_add_for_agent: boolean('Part of the short form.', { optional: true }),
    unique: boolean('No two companies have the same value.', { optional: true }),
    created_at: timestamp('When it was created.'),
    updated_at: timestamp('When it last changed.'),
  },
});
