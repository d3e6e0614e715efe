import { bigint, defineObject, text, timestamp } from '../define.ts';

export const discussionCategories = defineObject({
  name: 'discussion_categories',
  title: 'Discussions: categories',
  description: 'Top level of the forums.',
  docs: 'https://developers.freshdesk.com/api/#list_all_forum_category',
  path: '/api/v2/discussions/categories',
  way: { kind: 'sweep' },
  typicalCount: 2,
  columns: {
    id: bigint('Key.'),
    name: text('Name.', { like: 'title' }),
    description: text('Description.', { nullable: true, like: 'paragraph' }),
    created_at: timestamp('When it was created.'),
    updated_at: timestamp('When it last changed.'),
  },
});
