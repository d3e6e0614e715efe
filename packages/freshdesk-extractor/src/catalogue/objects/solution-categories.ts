import { bigint, defineObject, jsonb, text, timestamp } from '../define.ts';

export const solutionCategories = defineObject({
  name: 'solution_categories',
  title: 'Solutions: categories',
  description: 'Top level of the knowledge base.',
  docs: 'https://developers.freshdesk.com/api/#list_all_solution_category',
  path: '/api/v2/solutions/categories',
  way: { kind: 'sweep' },
  includedByDefault: false,
  typicalCount: 2,
  columns: {
    id: bigint('Key.'),
    name: text('Name.', { like: 'title' }),
    description: text('Description.', { nullable: true, like: 'paragraph' }),
    visible_in_portals: jsonb('Portals that show it, where there are several.', {
      optional: true,
      samples: [[84170000900]],
    }),
    icon: jsonb('Picture.', { optional: true, samples: [{}] }),
    created_at: timestamp('When it was created.'),
    updated_at: timestamp('When it last changed.'),
  },
});
