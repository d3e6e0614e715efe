import { bigint, defineObject, jsonb, text, timestamp } from '../define.ts';

export const satisfactionRatings = defineObject({
  name: 'satisfaction_ratings',
  title: 'Satisfaction ratings',
  description: 'Answers to satisfaction surveys.',
  docs: 'https://developers.freshdesk.com/api/#list_all_satisfaction_ratings',
  path: '/api/v2/surveys/satisfaction_ratings',
  // The filter returns creations only, and customers extend their feedback later. Most do so within the lookback window; a
  // rolling reading of the complete list finds the others.
  way: {
    kind: 'since',
    sinceParams: ['created_since'],
    column: 'created_at',
    lagSeconds: 120,
    lookbackDays: 30,
    rereadSyncs: 5,
  },
  feature: 'Surveys',
  history: true,
  typicalCount: { each: 'tickets', times: 0.2 },
  list: { defaultOrder: ['created_at', 'desc'], filters: ['user_id'] },
  columns: {
    id: bigint('Key.'),
    survey_id: bigint('The survey.', { references: 'surveys' }),
    user_id: bigint('Who rated.', { references: 'contacts', owner: true }),
    agent_id: bigint('The agent rated.', { nullable: true, references: 'agents' }),
    group_id: bigint('The group rated.', { nullable: true, references: 'groups' }),
    ticket_id: bigint('The ticket rated.', { references: 'tickets', owner: true }),
    feedback: text('What the customer wrote.', { nullable: true, like: 'paragraph' }),
    ratings: jsonb(
      'Question → rating: 103 extremely happy … 100 neutral … -103 extremely unhappy; classic accounts 1 to 3.',
      {
        samples: [{ default_question: 103, question_84110001011: 100 }, { default_question: -103 }],
      },
    ),
    created_at: timestamp('When it was given.'),
    updated_at: timestamp('When it last changed.'),
  },
});
