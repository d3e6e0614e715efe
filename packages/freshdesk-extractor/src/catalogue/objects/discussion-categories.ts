import { bigint, TIMESTAMPS, text } from '../columns.ts';
import { defineObject } from '../define-object.ts';

export const discussionCategories = defineObject({
  name: 'discussion_categories',
  title: 'Discussion categories',
  description: 'Categories of discussion forums.',
  docs: 'https://developers.freshdesk.com/api/#list_all_forum_category',
  path: '/api/v2/discussions/categories',
  strategy: { kind: 'full-list' },
  typicalCount: 2,
  columns: {
    id: bigint('Primary key.'),
    name: text('Name.', { textKind: 'title' }),
    description: text('Description.', { nullable: true, textKind: 'paragraph' }),
    ...TIMESTAMPS,
  },
});
