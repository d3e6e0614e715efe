import { bigint, defineObject, jsonb, text } from '../define.ts';

export const discussionForums = defineObject({
  name: 'discussion_forums',
  title: 'Discussions: forums',
  description: 'Forums of a category. They have no timestamps.',
  docs: 'https://developers.freshdesk.com/api/#list_all_forums',
  path: '/api/v2/discussions/categories/{id}/forums',
  way: {
    kind: 'children',
    parent: 'discussion_categories',
    column: 'forum_category_id',
    versionFields: [],
    elsewhere: null,
  },
  typicalCount: { each: 'discussion_categories', times: 2 },
  columns: {
    id: bigint('Key.'),
    name: text('Name.', { like: 'title' }),
    description: text('Description.', { nullable: true, like: 'paragraph' }),
    position: bigint('Place in the category.', { samples: [1, 2, 3] }),
    forum_category_id: bigint('The category.', { references: 'discussion_categories' }),
    forum_type: bigint('Kind of forum.', { values: { 1: 'How-tos', 2: 'Ideas', 3: 'Problems', 4: 'Announcements' } }),
    forum_visibility: bigint('Who sees it.', { values: { 1: 'All', 2: 'Logged in', 3: 'Agents', 4: 'Companies' } }),
    company_ids: jsonb('Companies that see it, when visibility is 4.', { optional: true, samples: [[84030000001]] }),
    topics_count: bigint('Topics in it.', { optional: true, samples: [0, 3] }),
    comments_count: bigint('Comments in it.', { optional: true, samples: [0, 7] }),
    posts_count: bigint('Comments in it, as older accounts call them.', { optional: true, samples: [] }),
  },
});
