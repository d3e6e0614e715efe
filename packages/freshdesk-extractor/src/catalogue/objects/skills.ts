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
    rank: bigint('Position in the order of matching.', { samples: [1, 2] }),
    agents: jsonb('Agents with the skill, each with its id.', { samples: [[{ id: 84010000101 }], []] }),
    match_type: text('Whether `all` or `any` conditions must match.', { samples: ['all', 'any'] }),
    conditions: jsonb('Conditions of tickets that require the skill. A value is a list or text.', {
      samples: [
        [{ resource_type: 'contact', field_name: 'language', operator: 'in', value: ['de'] }],
        [{ resource_type: 'ticket', field_name: 'status', operator: 'is', value: '2' }],
      ],
    }),
    ...TIMESTAMPS,
  },
});
