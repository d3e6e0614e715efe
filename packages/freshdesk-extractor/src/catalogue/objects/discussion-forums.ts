import { bigint, jsonb, text } from '../columns.ts';
import { defineObject } from '../define-object.ts';

export const discussionForums = defineObject({
  name: 'discussion_forums',
  title: 'Discussion forums',
  description: 'Forums of discussion categories. Freshdesk returns no timestamps.',
  docs: 'https://developers.freshdesk.com/api/#list_all_forums',
  path: '/api/v2/discussions/categories/{id}/forums',
  strategy: {
    kind: 'children',
    parent: 'discussion_categories',
    parentColumn: 'forum_category_id',
    versionFields: [],
    fallbackPath: null,
  },
  typicalCount: { perRecordOf: 'discussion_categories', factor: 2 },
  columns: {
    id: bigint('Primary key.'),
    name: text('Name.', { textKind: 'title' }),
    description: text('Description.', { nullable: true, textKind: 'paragraph' }),
    position: bigint('Position in the category.', { samples: [1, 2, 3] }),
    forum_category_id: bigint('Category of the forum.', { references: 'discussion_categories' }),
    forum_type: bigint('Forum type.', { values: { 1: 'How-tos', 2: 'Ideas', 3: 'Problems', 4: 'Announcements' } }),
    forum_visibility: bigint('Users who can see the forum.', {
      values: { 1: 'All', 2: 'Logged in', 3: 'Agents', 4: 'Companies' },
    }),
    company_ids: jsonb('Ids of the companies that can see the forum, if `forum_visibility` is 4.', {
      optional: true,
      samples: [[84030000001]],
    }),
    topics_count: bigint('Number of topics.', { optional: true, samples: [0, 3] }),
    comments_count: bigint('Number of comments.', { optional: true, samples: [0, 7] }),
    posts_count: bigint('Number of comments. Only older accounts have this field.', { optional: true, samples: [] }),
  },
});
