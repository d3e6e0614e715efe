import { bigint, boolean, defineObject, jsonb, text } from '../define.ts';

export const scenarioAutomations = defineObject({
  name: 'scenario_automations',
  title: 'Scenario automations',
  description: 'Sets of actions that agents apply with one click. Many accounts send no timestamps.',
  docs: 'https://developers.freshdesk.com/api/#list_all_scenario_automations',
  path: '/api/v2/scenario_automations',
  way: { kind: 'sweep' },
  permission: 'admin',
  includedByDefault: false,
  typicalCount: 3,
  columns: {
    id: bigint('Key.'),
    name: text('Name.', { like: 'title' }),
    description: text('Description.', { nullable: true, samples: ['', 'Escalate', null] }),
    actions: jsonb('What it does: name and value of each action; a value may be missing.', {
      samples: [[{ name: 'priority', value: '3' }, { name: 'send_email_to_requester' }]],
    }),
    private: boolean('Only its author sees it.'),
  },
});
