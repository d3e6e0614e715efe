import { bigint, jsonb, TIMESTAMPS, text } from '../columns.ts';
import { defineObject } from '../define-object.ts';

export const skills = defineObject({
  name: 'skills',
  title: 'Skills',
  description: 'Skills for skill-based ticket assignment.',
  docs: 'https://developers.freshdesk.com/api/#list_all_skills',
  path: '/api/v2/admin/skills',
  strategy: { kind: 'full-list' },
  permission: 'admin',
  feature: 'Skill based round robin',
  includedByDefault: false,
  typicalCount: 2,
  columns: {
    id: bigint('Primary key.'),
    name: text('Name.', { textKind: 'title' }),
    rank: bigint('Position in the matching order.', { samples: [1, 2] }),
    agents: jsonb('Agents who have the skill, as objects with an id.', {
      samples: [[{ id: 84010000101 }], []],
    }),
    match_type: text('Conditions that must match: `all` or `any`.', { samples: ['all', 'any'] }),
    conditions: jsonb('Conditions that a ticket must meet to require the skill. Each value is a list or text.', {
      samples: [
        [{ resource_type: 'contact', field_name: 'language', operator: 'in', value: ['de'] }],
        [{ resource_type: 'ticket', field_name: 'status', operator: 'is', value: '2' }],
      ],
    }),
    ...TIMESTAMPS,
  },
});
