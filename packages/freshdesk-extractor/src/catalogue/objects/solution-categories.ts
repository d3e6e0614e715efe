import { bigint, jsonb, TIMESTAMPS, text } from '../columns.ts';
import { defineObject } from '../define-object.ts';

export const solutionCategories = defineObject({
  name: 'solution_categories',
  title: 'Solution categories',
  description: 'Categories of the knowledge base.',
  docs: 'https://developers.freshdesk.com/api/#list_all_solution_category',
  path: '/api/v2/solutions/categories',
  strategy: { kind: 'full-list' },
  includedByDefault: false,
  typicalCount: 2,
  columns: {
    id: bigint('Primary key.'),
    name: text('Name.', { textKind: 'title' }),
    description: text('Description.', { nullable: true, textKind: 'paragraph' }),
    visible_in_portals: jsonb('Ids of the portals that show the category, on accounts with several portals.', {
      optional: true,
      samples: [[84170000900]],
    }),
    icon: jsonb('Icon.', { optional: true, samples: [{}] }),
    ...TIMESTAMPS,
  },
});
