import { bigint, jsonb, TIMESTAMPS, text } from '../columns.ts';
import { defineObject } from '../define-object.ts';

export const satisfactionRatings = defineObject({
  name: 'satisfaction_ratings',
  title: 'Satisfaction ratings',
  description: 'Responses to satisfaction surveys.',
  docs: 'https://developers.freshdesk.com/api/#list_all_satisfaction_ratings',
  path: '/api/v2/surveys/satisfaction_ratings',
  // The filter returns only new ratings, but customers can add feedback later. The lookback window
  // covers most of these edits, and the rolling reread of the complete list covers the rest.
  strategy: {
    kind: 'changed-since',
    sinceParams: ['created_since'],
    cursorColumn: 'created_at',
    lagSeconds: 120,
    lookbackDays: 30,
    rereadSyncs: 5,
  },
  feature: 'Surveys',
  hasHistoryLimit: true,
  typicalCount: { perRecordOf: 'tickets', factor: 0.2 },
  list: { defaultOrder: ['created_at', 'desc'], filters: ['user_id'] },
  columns: {
    id: bigint('Primary key.'),
    survey_id: bigint('Survey.', { references: 'surveys' }),
    user_id: bigint('Contact who rated.', { references: 'contacts', isOwner: true }),
    agent_id: bigint('Rated agent.', { nullable: true, references: 'agents' }),
    group_id: bigint('Rated group.', { nullable: true, references: 'groups' }),
    ticket_id: bigint('Rated ticket.', { references: 'tickets', isOwner: true }),
    feedback: text('Feedback text of the customer.', { nullable: true, textKind: 'paragraph' }),
    ratings: jsonb(
      'Question → rating: 103 (extremely happy) … 100 (neutral) … -103 (extremely unhappy). Classic accounts use 1 to 3.',
      {
        samples: [{ default_question: 103, question_84110001011: 100 }, { default_question: -103 }],
      },
    ),
    ...TIMESTAMPS,
  },
});
