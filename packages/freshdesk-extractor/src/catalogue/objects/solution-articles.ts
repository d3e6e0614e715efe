import { bigint, jsonb, TIMESTAMPS, text } from '../columns.ts';
import { defineObject } from '../define-object.ts';

export const solutionArticles = defineObject({
  name: 'solution_articles',
  title: 'Solution articles',
  description: 'Articles of the knowledge base, in the account’s primary language.',
  docs: 'https://developers.freshdesk.com/api/#list_all_solution_article',
  path: '/api/v2/solutions/folders/{id}/articles',
  strategy: {
    kind: 'children',
    parent: 'solution_folders',
    parentColumn: 'folder_id',
    versionFields: [],
    fallbackPath: null,
  },
  includedByDefault: false,
  typicalCount: { perRecordOf: 'solution_folders', factor: 4 },
  columns: {
    id: bigint('Primary key.'),
    title: text('Title.', { textKind: 'title' }),
    description: text('Text (HTML).', { nullable: true, textKind: 'html' }),
    description_text: text('Text (plain text).', { nullable: true, textKind: 'paragraph' }),
    category_id: bigint('Category of the article.', { references: 'solution_categories' }),
    folder_id: bigint('Folder of the article.', { references: 'solution_folders' }),
    agent_id: bigint('Author of the article.', { nullable: true, references: 'agents' }),
    type: bigint('Article type.', { values: { 1: 'Permanent', 2: 'Workaround' } }),
    status: bigint('Status.', { values: { 1: 'Draft', 2: 'Published' } }),
    tags: jsonb('Tags.', { samples: [[], ['bulb']] }),
    seo_data: jsonb('SEO data: meta_title, meta_description, meta_keywords (text or a list).', {
      optional: true,
      samples: [{ meta_title: '', meta_keywords: 'a,b' }, { meta_keywords: ['a'] }],
    }),
    attachments: jsonb('Attachments.', { optional: true, samples: [[]] }),
    cloud_files: jsonb('Files in cloud storage services.', { optional: true, samples: [[]] }),
    hierarchy: jsonb('Path from the category to the article.', { optional: true, samples: [[]] }),
    thumbs_up: bigint('Number of positive votes. Votes do not change `updated_at`.', {
      optional: true,
      samples: [0, 5],
    }),
    thumbs_down: bigint('Number of negative votes. Votes do not change `updated_at`.', {
      optional: true,
      samples: [0, 1],
    }),
    hits: bigint('Number of views. Views do not change `updated_at`.', { optional: true, samples: [0, 913] }),
    suggested: bigint('Number of suggestions to agents.', { optional: true, samples: [0, 2] }),
    feedback_count: bigint('Number of feedback messages.', { optional: true, samples: [0] }),
    ...TIMESTAMPS,
  },
});
