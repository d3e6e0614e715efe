import { bigint, defineObject, jsonb, text, timestamp } from '../define.ts';

export const cannedResponses = defineObject({
  name: 'canned_responses',
  title: 'Canned responses',
  description: 'Prepared answers. Personal ones of other agents are not visible to a key.',
  docs: 'https://developers.freshdesk.com/api/#list_all_canned_responses',
  path: '/api/v2/canned_response_folders/{id}/responses',
  way: { kind: 'children', parent: 'canned_response_folders', column: 'folder_id', versionFields: [], elsewhere: null },
  permission: 'admin',
  includedByDefault: false,
  typicalCount: { each: 'canned_response_folders', times: 4 },
  columns: {
    id: bigint('Key.'),
    title: text('Title.', { like: 'title' }),
    folder_id: bigint('The folder.', { references: 'canned_response_folders' }),
    content: text('Text with placeholders.', { nullable: true, like: 'paragraph' }),
    content_html: text('The same as HTML.', { nullable: true, like: 'html' }),
    attachments: jsonb('Attached files.', { samples: [[]] }),
    group_ids: jsonb('Groups that may use it, when visibility is 2.', { optional: true, samples: [[], [84040000401]] }),
    visibility: bigint('Who may use it.', { optional: true, values: { 0: 'All agents', 1: 'Personal', 2: 'Groups' } }),
    created_at: timestamp('When it was created.'),
    updated_at: timestamp('When it last changed.'),
  },
});
