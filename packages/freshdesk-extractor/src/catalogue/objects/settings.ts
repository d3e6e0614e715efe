import { isJsonObject } from '@freshet/contracts';
import { bigint, defineObject, jsonb, text } from '../define.ts';

export const settings = defineObject({
  name: 'settings',
  title: 'Settings',
  description: 'Languages of the helpdesk: one row.',
  docs: 'https://developers.freshdesk.com/api/#settings',
  path: '/api/v2/settings/helpdesk',
  rows: (answer) => (isJsonObject(answer) ? [{ id: 1, ...answer }] : []),
  way: { kind: 'sweep' },
  permission: 'admin',
  typicalCount: 1,
  list: {
    answers: {
      '/api/v2/settings/helpdesk': {
        primary_language: 'en',
        supported_languages: ['de', 'fr'],
        portal_languages: ['de'],
        help_widget_languages: [],
      },
    },
  },
  columns: {
    id: bigint('Always 1.'),
    primary_language: text('Language code.'),
    supported_languages: jsonb('Further languages.'),
    portal_languages: jsonb('Languages of the portal.'),
    help_widget_languages: jsonb('Languages of the help widget.', { optional: true }),
  },
});
