import { bigint, defineObject, jsonb, text, timestamp } from '../define.ts';

export const skills = defineObject({
  name: 'skills',
  title: 'Skills',
  description: 'Skills by which tickets are assigned.',
  docs: 'https://developers.freshdesk.com/api/#list_all_skills',
  path: '/api/v2/admin/skills',
  way: { kind: 'sweep' },
  permission: 'admin',
  feature: 'Skill based round robin',
  includedByDefault: false,
  typicalCount: 2,
  columns: {
    id: bigint('Key.'),
    name: text('Name.', { like: 'title' }),
    rank: bigint('Its place in the order of matching.', { samples: [1, 2] }),
    agents: jsonb('Agents that have it, each with its id.', { samples: [[{ id: 84010000101 }], []] }),
    match_type: text('Whether all conditions must match, or any.', { samples: ['all', 'any'] }),
    conditions: jsonb('Conditions of tickets that need it; a value is a list or a text.', {
      samples: [
        [{ resource_type: 'contact', field_name: 'language', operator: 'in', value: ['de'] }],
        [{ resource_type: 'ticket', field_name: 'status', operator: 'is', value: '2' }],
      ],
    }),
    created_at: timestamp('When it was created.'),
    updated_at: timestamp('When it last changed.'),
  },
});
