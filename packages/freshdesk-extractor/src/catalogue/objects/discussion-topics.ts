import { bigint, boolean, defineObject, text, timestamp } from '../define.ts';

export const discussionTopics = defineObject({
  name: 'discussion_topics',
  title: 'Discussions: topics',
  description: 'Topics of a forum.',
  docs: 'https://developers.freshdesk.com/api/#list_all_topics',
  path: '/api/v2/discussions/forums/{id}/topics',
  way: { kind: 'children', parent: 'discussion_forums', column: 'forum_id', versionFields: [], elsewhere: null },
  typicalCount: { each: 'discussion_forums', times: 4 },
  columns: {
    id: bigint('Key.'),
    title: text('Title.', { like: 'title' }),
    forum_id: bigint('The forum.', { references: 'discussion_forums' }),
    user_id: bigint('Who opened it.', { references: 'contacts', owner: true }),
    locked: boolean('Closed to comments.'),
    published: boolean('Visible.'),
    stamp_type: bigint('State of the topic.', {
      nullable: true,
      values: { 1: 'Planned', 2: 'Implemented', 3: 'Not taken', 4: 'In progress', 5: 'Deferred', 6: 'Answered', 7: 'Unanswered', 8: 'Solved', 9: 'Unsolved' },
    }),
    replied_by: bigint('Who commented last.', { nullable: true, references: 'contacts' }),
    replied_at: timestamp('When the last comment came; updated_at does not move then.', { nullable: true }),
    user_votes: bigint('Votes.', { samples: [0, 3] }),
    merged_topic_id: bigint('The topic it was merged into.', { nullable: true, samples: [null] }),
    comments_count: bigint('Comments.', { optional: true, samples: [1, 2] }),
    posts_count: bigint('Comments, as older accounts call them.', { optional: true, samples: [] }),
    sticky: boolean('Stays on top.'),
    hits: bigint('Views.', { samples: [0, 41] }),
    created_at: timestamp('When it was opened.'),
    updated_at: timestamp('When the topic itself last changed.'),
  },
});
