import { bigint, boolean, defineObject, jsonb, text, timestamp } from '../define.ts';

export const surveys = defineObject({
  name: 'surveys',
  title: 'Surveys',
  description: 'Satisfaction surveys.',
  docs: 'https://developers.freshdesk.com/api/#list_all_survey',
  path: '/api/v2/surveys',
  way: { kind: 'sweep' },
  feature: 'Surveys',
  typicalCount: 2,
  list: { filters: ['state'] },
  columns: {
    id: bigint('Key.'),
    title: text('Title.', { like: 'title' }),
    active: boolean('In use.'),
    questions: jsonb('Questions, each with id, label and accepted_ratings.', {
      samples: [
        [{ id: 'default_question', label: 'How did we do?', accepted_ratings: [103, 100, -103], default: true }],
      ],
    }),
    created_at: timestamp('When it was created.'),
    updated_at: timestamp('When it last changed.'),
  },
});
