import { boolean, TIMESTAMPS, text } from '../columns.ts';
import { defineObject } from '../define-object.ts';
import { buildSampleFields, FIELD_COLUMNS } from '../field-definitions.ts';

export const contactFields = defineObject({
  name: 'contact_fields',
  title: 'Contact fields',
  description: 'Definitions of contact fields.',
  docs: 'https://developers.freshdesk.com/api/#list_all_contact_fields',
  path: '/api/v2/contact_fields',
  strategy: { kind: 'full-list' },
  permission: 'admin',
  typicalCount: 4,
  list: {
    defaultOrder: ['position', 'asc'],
    fixedRecords: buildSampleFields(84140000000, [
      { id: 1, name: 'name', label: 'Full name', position: 1, type: 'default_name' },
      {
        id: 6,
        name: 'time_zone',
        label: 'Time zone',
        position: 6,
        type: 'default_time_zone',
        choices: { Berlin: '(GMT+01:00) Berlin', Tokyo: '(GMT+09:00) Tokyo' },
      },
      { id: 11, name: 'department', label: 'Department', position: 11, type: 'custom_text' },
      { id: 12, name: 'vip', label: 'VIP', position: 12, type: 'custom_checkbox' },
    ]),
  },
  columns: {
    ...FIELD_COLUMNS,
    label_for_customers: text('Label for customers.', { nullable: true, optional: true }),
    required_for_customers: boolean('Customers must fill in the field.', { optional: true }),
    customers_can_edit: boolean('Customers can edit the field.', { optional: true }),
    displayed_for_customers: boolean('Customers can see the field.', { optional: true }),
    displayed_for_agents: boolean('Agents can see the field.', { optional: true }),
    agents_can_edit: boolean('Agents can edit the field.', { optional: true }),
    quick_add_for_agent: boolean('The field is part of the short form.', { optional: true }),
    unique: boolean('Values are unique among contacts.', { optional: true }),
    editable_in_signup: boolean('The field is part of the sign-up form.', { optional: true }),
    ...TIMESTAMPS,
  },
});
