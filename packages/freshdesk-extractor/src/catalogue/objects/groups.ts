import { bigint, boolean, defineObject, jsonb, text, timestamp } from '../define.ts';

export const groups = defineObject({
  name: 'groups',
  title: 'Groups',
  description: 'Teams of agents.',
  docs: 'https://developers.freshdesk.com/api/#list_all_groups',
  path: '/api/v2/groups',
  way: { kind: 'sweep' },
  single: { path: '/api/v2/groups/{id}', columns: ['agent_ids'] },
  permission: 'admin',
  typicalCount: 8,
  list: { defaultOrder: ['name', 'asc'] },
  columns: {
    id: bigint('Key.'),
    name: text('Name.', { like: 'title' }),
    description: text('Description.', { nullable: true, like: 'paragraph' }),
    escalate_to: bigint('Who is told when a ticket stays unassigned.', { nullable: true, references: 'agents' }),
    unassigned_for: text('After how long that is.', { nullable: true, samples: ['30m', '1h', '1d', null] }),
    business_hour_id: bigint('Business hours that apply.', { nullable: true, references: 'business_hours' }),
    group_type: text('Kind of group.', { optional: true, samples: ['support_agent_group', 'field_agent_group'] }),
    auto_ticket_assign: text(
      'How tickets are assigned: 0 off, 1 round robin, 2 by skill, 3 by load, 12 omniroute; older accounts send true or false.',
      {
        samples: [0, 1, 2, true, false],
      },
    ),
    agent_ids: jsonb('Members; only the single view shows them.', { optional: true, nullable: true, samples: [] }),
    allow_agents_to_change_availability: boolean('Agents may change their availability.', {
      optional: true,
      samples: [],
    }),
    agent_availability_status: boolean('Availability is used.', { optional: true, samples: [] }),
    created_at: timestamp('When it was created.'),
    updated_at: timestamp('When it last changed; changes of membership may not move it.'),
  },
});
