import { isJsonObject, type Json, type JsonObject } from '@freshet/contracts';
import { bigint, boolean, defineObject, jsonb, text, timestamp } from '../define.ts';

const pathOf = (type: number) => `/api/v2/automations/${type}/rules`;
const RULE = {
  position: 1,
  active: true,
  performer: { type: 1, members: [84010000101] },
  events: [{ field_name: 'responder_id', from: '--', to: 84010000101 }],
  conditions: [{ name: 'condition_set_1', match_type: 'all', properties: [] }],
  operator: null,
  outdated: false,
  last_updated_by: 84010000101,
  affected_tickets_count: null,
  summary: { performer: 'When an agent acts' },
  created_at: '2024-12-14T11:18:11.201Z',
  updated_at: '2024-12-14T11:18:11.201Z',
};

export const automationRules = defineObject({
  name: 'automation_rules',
  title: 'Automation rules',
  description:
    'Rules that act on tickets when they are created, change, or every hour. Keys and passwords of webhooks are left out.',
  docs: 'https://developers.freshdesk.com/api/#automations',
  path: pathOf(1),
  rows: (answer) =>
    isJsonObject(answer) && Array.isArray(answer['rules'])
      ? answer['rules'].filter(isJsonObject).map(withoutSecrets)
      : [],
  // On creation, every hour, on change. [documented]
  way: { kind: 'sweep', paths: [pathOf(1), pathOf(3), pathOf(4)] },
  permission: 'admin',
  includedByDefault: false,
  typicalCount: 3,
  list: {
    answers: {
      [pathOf(1)]: {
        rules: [
          {
            id: 84190000101,
            name: 'Greet',
            automation_type_id: 1,
            ...RULE,
            actions: [{ field_name: 'status', value: 3 }],
          },
        ],
      },
      [pathOf(3)]: { rules: [], meta: { count: 0 } },
      [pathOf(4)]: {
        rules: [
          {
            id: 84190000102,
            name: 'Tell another system',
            automation_type_id: 4,
            ...RULE,
            actions: [
              {
                field_name: 'trigger_webhook',
                url: 'https://hooks.example/in',
                auth_header: { username: 'u', password: 'p' },
                api_key: 'k',
              },
            ],
          },
        ],
        meta: { count: 1 },
      },
    },
  },
  columns: {
    id: bigint('Key.'),
    name: text('Name.'),
    position: bigint('Its place among the rules of its type.'),
    active: boolean('In use.'),
    automation_type_id: bigint('When it acts.', { values: { 1: 'On creation', 3: 'Every hour', 4: 'On change' } }),
    performer: jsonb('Whose acts it follows.', { nullable: true, optional: true }),
    events: jsonb('What has to happen.', { nullable: true, optional: true }),
    conditions: jsonb('What has to be true.', { nullable: true, optional: true }),
    operator: text('How its conditions are joined.', { nullable: true, optional: true }),
    actions: jsonb('What it does; keys, passwords and headers of webhooks are left out.', {
      nullable: true,
      optional: true,
    }),
    outdated: boolean('It refers to something that is gone.', { optional: true }),
    last_updated_by: bigint('Who changed it last.', { nullable: true, optional: true, references: 'agents' }),
    affected_tickets_count: bigint('Tickets that it changed lately.', { nullable: true, optional: true }),
    summary: jsonb('The rule in words.', { nullable: true, optional: true }),
    created_at: timestamp('When it was created.'),
    updated_at: timestamp('When it last changed.'),
  },
});

const SECRET = /key|pass|secret|token|auth|header|credential/i;

/** A rule may hold what opens other systems; that is nobody's to read in a warehouse. */
function withoutSecrets(rule: JsonObject): JsonObject {
  return strip(rule) as JsonObject;
}

function strip(value: Json): Json {
  if (Array.isArray(value)) return value.map(strip);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, inner]) => (SECRET.test(name) ? [] : [[name, strip(inner)]])),
  );
}
