import { bigint, boolean, TIMESTAMPS, text } from '../columns.ts';
import { defineObject } from '../define-object.ts';

export const cannedResponseFolders = defineObject({
  name: 'canned_response_folders',
  title: 'Canned response folders',
  description: 'Folders of canned responses.',
  docs: 'https://developers.freshdesk.com/api/#list_all_canned_response_folders',
  path: '/api/v2/canned_response_folders',
  strategy: { kind: 'full-list' },
  permission: 'admin',
  includedByDefault: false,
  typicalCount: 3,
  columns: {
    id: bigint('Primary key.'),
    name: text('Name.', { textKind: 'title' }),
    personal: boolean('True for the folder with the personal responses of the API key’s owner.'),
    responses_count: bigint('Number of responses in the folder.', { samples: [0, 4] }),
    ...TIMESTAMPS,
  },
});
