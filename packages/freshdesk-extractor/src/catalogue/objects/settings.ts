import { isJsonObject } from '@freshet/contracts';
import { bigint, jsonb, text } from '../columns.ts';
import { defineObject } from '../define-object.ts';

export const settings = defineObject({
  name: 'settings',
  title: 'Settings',
  description: 'Language settings of the helpdesk, in one row.',
  docs: 'https://developers.freshdesk.com/api/#settings',
  path: '/api/v2/settings/helpdesk',
  parseRecords: (response) => (isJsonObject(response) ? [{ id: 1, ...response }] : []),
  strategy: { kind: 'full-list' },
  permission: 'admin',
  typicalCount: 1,
  list: {
    responses: {
      '/api/v2/settings/helpdesk': {
        primary_language: 'en',
        supported_languages: ['de', 'fr'],
        portal_languages: ['de'],
        help_widget_languages: [],
      },
    },
  },
  columns: {
    id: bigint('Primary key. Always 1.'),
    primary_language: text('Code of the primary language.'),
    supported_languages: jsonb('Codes of the other supported languages.'),
    portal_languages: jsonb('Codes of the portal’s languages.'),
    help_widget_languages: jsonb('Codes of the help widget’s languages.', { optional: true }),
  },
});
