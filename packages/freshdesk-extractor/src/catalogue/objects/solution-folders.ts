import { bigint, jsonb, TIMESTAMPS, text } from '../columns.ts';
import { defineObject } from '../define-object.ts';

export const solutionFolders = defineObject({
  name: 'solution_folders',
  title: 'Solution folders',
  description: 'Folders and subfolders of the knowledge base.',
  docs: 'https://developers.freshdesk.com/api/#list_all_solution_folder',
  path: '/api/v2/solutions/categories/{id}/folders',
  strategy: {
    kind: 'children',
    parent: 'solution_categories',
    parentColumn: 'category_id',
    versionFields: [],
    fallbackPath: null,
    nested: {
      path: '/api/v2/solutions/folders/{id}/subfolders',
      parentColumn: 'parent_folder_id',
      countColumn: 'sub_folders_count',
    },
  },
  includedByDefault: false,
  typicalCount: { perRecordOf: 'solution_categories', factor: 3 },
  columns: {
    id: bigint('Primary key.'),
    category_id: bigint('Category of the folder. Freshet adds it, because the response does not contain it.', {
      references: 'solution_categories',
    }),
    name: text('Name.', { textKind: 'title' }),
    description: text('Description.', { nullable: true, textKind: 'paragraph' }),
    articles_count: bigint('Number of articles.', { optional: true, samples: [0, 4] }),
    sub_folders_count: bigint('Number of subfolders.', { optional: true, samples: [0] }),
    parent_folder_id: bigint('Parent folder. Null for a folder at the top level of its category.', {
      nullable: true,
      optional: true,
      samples: [null],
    }),
    hierarchy: jsonb('Path from the category to the folder.', { optional: true, samples: [[]] }),
    visibility: bigint('Users who can see the folder.', {
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
    company_ids: jsonb('Ids of the companies that can see the folder, if `visibility` is 4.', {
      optional: true,
      samples: [],
    }),
    contact_segment_ids: jsonb('Ids of the contact segments that can see the folder, if `visibility` is 6.', {
      optional: true,
      samples: [],
    }),
    company_segment_ids: jsonb('Ids of the company segments that can see the folder, if `visibility` is 7.', {
      optional: true,
      samples: [],
    }),
    icon_url: text('URL of the icon.', { nullable: true, optional: true, samples: [null] }),
    ...TIMESTAMPS,
  },
});
