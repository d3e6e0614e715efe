import { bigint, boolean, defineObject, text, timestamp } from '../define.ts';

export const cannedResponseFolders = defineObject({
  name: 'canned_response_folders',
  title: 'Canned responses: folders',
  description: 'Folders of prepared answers.',
  docs: 'https://developers.freshdesk.com/api/#list_all_canned_response_folders',
  path: '/api/v2/canned_response_folders',
  way: { kind: 'sweep' },
  permission: 'admin',
  includedByDefault: false,
  typicalCount: 3,
  columns: {
    id: bigint('Key.'),
    name: text('Name.', { like: 'title' }),
    personal: boolean('Holds the key owner’s own answers.'),
    responses_count: bigint('Answers in it.', { samples: [0, 4] }),
    created_at: timestamp('When it was created.'),
    updated_at: timestamp('When it last changed.'),
  },
});
