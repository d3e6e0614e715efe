import { bigint, defineObject, jsonb, text, timestamp } from '../define.ts';

export const solutionFolders = defineObject({
  name: 'solution_folders',
  title: 'Solutions: folders',
  description: 'Folders of a category, and those within them.',
  docs: 'https://developers.freshdesk.com/api/#list_all_solution_folder',
  path: '/api/v2/solutions/categories/{id}/folders',
  way: {
    kind: 'children',
    parent: 'solution_categories',
    column: 'category_id',
    versionFields: [],
    elsewhere: null,
    within: {
      path: '/api/v2/solutions/folders/{id}/subfolders',
      column: 'parent_folder_id',
      count: 'sub_folders_count',
    },
  },
  includedByDefault: false,
  typicalCount: { each: 'solution_categories', times: 3 },
  columns: {
    id: bigint('Key.'),
    category_id: bigint('The category; the list does not say, so it is added.', { references: 'solution_categories' }),
    name: text('Name.', { like: 'title' }),
    description: text('Description.', { nullable: true, like: 'paragraph' }),
    articles_count: bigint('Articles in it.', { optional: true, samples: [0, 4] }),
    sub_folders_count: bigint('Folders in it.', { optional: true, samples: [0] }),
    parent_folder_id: bigint('The folder it stands in; null at the top of its category.', {
      nullable: true,
      optional: true,
      samples: [null],
    }),
    hierarchy: jsonb('The way to it from the category.', { optional: true, samples: [[]] }),
    visibility: bigint('Who sees it.', {
      values: {
        1: 'All',
        2: 'Logged in',
        3: 'Agents',
        4: 'Companies',
        5: 'Bots',
        6: 'Contact segments',
        7: 'Company segments',
      },
    }),
    company_ids: jsonb('Companies that see it, when visibility is 4.', { optional: true, samples: [] }),
    contact_segment_ids: jsonb('Segments that see it, when visibility is 6.', { optional: true, samples: [] }),
    company_segment_ids: jsonb('Segments that see it, when visibility is 7.', { optional: true, samples: [] }),
    icon_url: text('Picture.', { nullable: true, optional: true, samples: [null] }),
    created_at: timestamp('When it was created.'),
    updated_at: timestamp('When it last changed.'),
  },
});
