import { bigint, boolean, jsonb, TIMESTAMPS, text } from '../columns.ts';
import { defineObject } from '../define-object.ts';

export const surveys = defineObject({
  name: 'surveys',
  title: 'Surveys',
  description: 'Satisfaction surveys.',
  docs: 'https://developers.freshdesk.com/api/#list_all_survey',
  path: '/api/v2/surveys',
  strategy: { kind: 'full-list' },
  feature: 'Surveys',
  typicalCount: 2,
  list: { filters: ['state'] },
  columns: {
    id: bigint('Primary key.'),
    title: text('Title.', { textKind: 'title' }),
    active: boolean('The survey is active.'),
    questions: jsonb('Questions, each with id, label and accepted_ratings.', {
      samples: [
        [{ id: 'default_question', label: 'How did we do?', accepted_ratings: [103, 100, -103], default: true }],
      ],
    }),
    ...TIMESTAMPS,
  },
});
