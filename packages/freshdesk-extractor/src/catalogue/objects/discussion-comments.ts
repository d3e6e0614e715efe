import { bigint, boolean, defineObject, text, timestamp } from '../define.ts';

export const discussionComments = defineObject({
  name: 'discussion_comments',
  title: 'Discussions: comments',
  description: 'Comments of a topic; the first is the topic’s own message.',
  docs: 'https://developers.freshdesk.com/api/#list_all_comments',
  path: '/api/v2/discussions/topics/{id}/comments',
  way: {
    kind: 'children',
    parent: 'discussion_topics',
    column: 'topic_id',
    versionFields: ['updated_at', 'replied_at', 'comments_count', 'posts_count'],
    elsewhere: null,
  },
  typicalCount: { each: 'discussion_topics', times: 2 },
  list: { defaultOrder: ['created_at', 'asc'] },
  columns: {
    id: bigint('Key.'),
    topic_id: bigint('The topic.', { references: 'discussion_topics', owner: true }),
    forum_id: bigint('The forum.', { references: 'discussion_forums' }),
    user_id: bigint('Its author.', { references: 'contacts', owner: true }),
    answer: boolean('Marked as the answer.'),
    published: boolean('Visible.'),
    spam: boolean('In spam.', { nullable: true, samples: [null, false] }),
    trash: boolean('In the trash.', { samples: [false] }),
    body: text('Message as HTML.', { nullable: true, like: 'html' }),
    body_text: text('Message as plain text.', { nullable: true, like: 'paragraph' }),
    created_at: timestamp('When it was written.'),
    updated_at: timestamp('When it last changed.'),
  },
});
