import { bigint, boolean, TIMESTAMPS, text } from '../columns.ts';
import { defineObject } from '../define-object.ts';

export const discussionComments = defineObject({
  name: 'discussion_comments',
  title: 'Discussion comments',
  description: 'Comments on topics. The first comment of a topic is the topic’s own message.',
  docs: 'https://developers.freshdesk.com/api/#list_all_comments',
  path: '/api/v2/discussions/topics/{id}/comments',
  strategy: {
    kind: 'children',
    parent: 'discussion_topics',
    parentColumn: 'topic_id',
    versionFields: ['updated_at', 'replied_at', 'comments_count', 'posts_count'],
    fallbackPath: null,
  },
  typicalCount: { perRecordOf: 'discussion_topics', factor: 2 },
  list: { defaultOrder: ['created_at', 'asc'] },
  columns: {
    id: bigint('Primary key.'),
    topic_id: bigint('Topic of the comment.', { references: 'discussion_topics', isOwner: true }),
    forum_id: bigint('Forum of the comment.', { references: 'discussion_forums' }),
    user_id: bigint('Author of the comment.', { references: 'contacts', isOwner: true }),
    answer: boolean('The comment is marked as the answer.'),
    published: boolean('The comment is published.'),
    spam: boolean('The comment is marked as spam.', { nullable: true, samples: [null, false] }),
    trash: boolean('The comment is in the trash.', { samples: [false] }),
    body: text('Text (HTML).', { nullable: true, textKind: 'html' }),
    body_text: text('Text (plain text).', { nullable: true, textKind: 'paragraph' }),
    ...TIMESTAMPS,
  },
});
