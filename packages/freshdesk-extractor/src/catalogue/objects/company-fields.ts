import { boolean, TIMESTAMPS } from '../columns.ts';
import { defineObject } from '../define-object.ts';
import { buildSampleFields, FIELD_COLUMNS } from '../field-definitions.ts';

export const companyFields = defineObject({
  name: 'company_fields',
  title: 'Company fields',
  description: 'Definitions of company fields.',
  docs: 'https://developers.freshdesk.com/api/#list_all_company_fields',
  path: '/api/v2/company_fields',
  strategy: { kind: 'full-list' },
  permission: 'admin',
  typicalCount: 6,
  list: {
    defaultOrder: ['position', 'asc'],
    fixedRecords: buildSampleFields(84150000000, [
      { id: 1, name: 'name', label: 'Company name', position: 1, type: 'default_name' },
      {
        id: 5,
        name: 'health_score',
        label: 'Health score',
        position: 5,
        type: 'default_health_score',
        choices: ['At risk', 'Doing okay', 'Happy'],
      },
      { id: 11, name: 'website', label: 'Website', position: 11, type: 'custom_url' },
      { id: 12, name: 'contract_no', label: 'Contract number', position: 12, type: 'custom_number' },
      { id: 13, name: 'strategic', label: 'Strategic', position: 13, type: 'custom_checkbox' },
      { id: 14, name: 'signed_on', label: 'Signed on', position: 14, type: 'custom_date' },
    ]),
  },
  columns: {
    ...FIELD_COLUMNS,
    displayed_for_agents: boolean('Agents can see the field.', { optional: true }),
    agents_can_edit: boolean('Agents can edit the field.', { optional: true }),
    quick_add_for_agent: boolean('The field is part of the short form.', { optional: true }),
    unique: boolean('Values are unique among companies.', { optional: true }),
    ...TIMESTAMPS,
  },
});
