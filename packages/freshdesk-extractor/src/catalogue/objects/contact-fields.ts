import { bigint, boolean, defineObject, jsonb, text, timestamp } from '../define.ts';

const CREATED = { created_at: '2023-06-01T08:00:10Z', updated_at: '2024-06-01T08:00:10Z' };

export const contactFields = defineObject({
  name: 'contact_fields',
  title: 'Contact fields',
  description: 'Fields of contacts.',
  docs: 'https://developers.freshdesk.com/api/#list_all_contact_fields',
  path: '/api/v2/contact_fields',
  way: { kind: 'sweep' },
  permission: 'admin',
  typicalCount: 4,
  list: {
    defaultOrder: ['position', 'asc'],
    fixed: [
      { id: 84140000001, name: 'name', label: 'Full name', position: 1, type: 'default_name', default: true, ...CREATED },
      {
        id: 84140000006,
        name: 'time_zone',
        label: 'Time zone',
        position: 6,
        type: 'default_time_zone',
        default: true,
        choices: { Berlin: '(GMT+01:00) Berlin', Tokyo: '(GMT+09:00) Tokyo' },
        ...CREATED,
      },
      { id: 84140000011, name: 'department', label: 'Department', position: 11, type: 'custom_text', default: false, ...CREATED },
      { id: 84140000012, name: 'vip', label: 'VIP', position: 12, type: 'custom_checkbox', default: false, ...CREATED },
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
    label_for_customers: text('Its label for customers.', { nullable: true, optional: true }),
    required_for_customers: boolean('Customers must fill it.', { optional: true }),
    customers_can_edit: boolean('Customers may change it.', { optional: true }),
    displayed_for_customers: boolean('Customers see it.', { optional: true }),
    displayed_for_agents: boolean('Agents see it.', { optional: true }),
    agents_can_edit: boolean('Agents may change it.', { optional: true }),
    quick_add_for_agent: boolean('Part of the short form.', { optional: true }),
    unique: boolean('No two contacts have the same value.', { optional: true }),
    editable_in_signup: boolean('Part of the sign-up form.', { optional: true }),
    created_at: timestamp('When it was created.'),
    updated_at: timestamp('When it last changed.'),
  },
});
