import { bigint, jsonb, TIMESTAMPS, text } from '../columns.ts';
import { defineObject } from '../define-object.ts';

export const cannedResponses = defineObject({
  name: 'canned_responses',
  title: 'Canned responses',
  description: 'Canned responses. Of the personal responses, only those of the API key’s owner are included.',
  docs: 'https://developers.freshdesk.com/api/#list_all_canned_responses',
  path: '/api/v2/canned_response_folders/{id}/responses',
  strategy: {
    kind: 'children',
    parent: 'canned_response_folders',
    parentColumn: 'folder_id',
    versionFields: [],
    fallbackPath: null,
  },
  permission: 'admin',
  includedByDefault: false,
  typicalCount: { perRecordOf: 'canned_response_folders', factor: 4 },
  columns: {
    id: bigint('Primary key.'),
    title: text('Title.', { textKind: 'title' }),
    folder_id: bigint('Folder of the response.', { references: 'canned_response_folders' }),
    content: text('Text with placeholders.', { nullable: true, textKind: 'paragraph' }),
    content_html: text('Text with placeholders (HTML).', { nullable: true, textKind: 'html' }),
    attachments: jsonb('Attachments.', { samples: [[]] }),
    group_ids: jsonb('Ids of the groups that can use the response, if `visibility` is 2.', {
      optional: true,
      samples: [[], [84040000401]],
    }),
    visibility: bigint('Agents who can use the response.', {
      optional: true,
      values: { 0: 'All agents', 1: 'Personal', 2: 'Groups' },
    }),
    ...TIMESTAMPS,
  },
});
