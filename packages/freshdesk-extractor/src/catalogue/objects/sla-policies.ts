import { bigint, boolean, jsonb, TIMESTAMPS, text } from '../columns.ts';
import { defineObject } from '../define-object.ts';

export const slaPolicies = defineObject({
  name: 'sla_policies',
  title: 'SLA policies',
  description: 'SLA policies, which set the target times for responding to tickets and resolving them.',
  docs: 'https://developers.freshdesk.com/api/#list_all_sla_policies',
  path: '/api/v2/sla_policies',
  strategy: { kind: 'full-list' },
  permission: 'admin',
  typicalCount: 3,
  columns: {
    id: bigint('Primary key.'),
    name: text('Name.', { textKind: 'title' }),
    description: text('Description.', { nullable: true, textKind: 'paragraph' }),
    active: boolean('The policy is active.'),
    is_default: boolean('True for the default policy, which applies if no other policy matches.'),
    position: bigint('Position in the matching order. The list is not sorted by position.', { samples: [1, 2, 3] }),
    applicable_to: jsonb(
      'Conditions of the policy: company_ids, group_ids, sources, ticket_types, product_ids. `{}` for the default policy.',
      {
        samples: [{}, { ticket_types: ['Incident'] }],
      },
    ),
    sla_target: jsonb(
      'Priority → respond_within, resolve_within and next_respond_within (seconds), business_hours, escalation_enabled.',
      {
        optional: true,
        samples: [
          {
            priority_4: {
              respond_within: 3600,
              resolve_within: 14400,
              next_respond_within: null,
              business_hours: false,
              escalation_enabled: true,
            },
          },
        ],
      },
    ),
    escalation: jsonb('Escalations: times and notified agents. The id -1 in agent_ids means the assigned agent.', {
      samples: [{}, { response: { escalation_time: 1800, agent_ids: [-1] } }],
    }),
    ...TIMESTAMPS,
  },
});
