import { bigint, TIMESTAMPS, text } from '../columns.ts';
import { defineObject } from '../define-object.ts';

export const products = defineObject({
  name: 'products',
  title: 'Products',
  description: 'Products, to which tickets are assigned.',
  docs: 'https://developers.freshdesk.com/api/#list_all_products',
  path: '/api/v2/products',
  strategy: { kind: 'full-list' },
  permission: 'admin',
  typicalCount: 4,
  columns: {
    id: bigint('Primary key.'),
    name: text('Name.', { textKind: 'title' }),
    description: text('Description.', { nullable: true, textKind: 'paragraph' }),
    ...TIMESTAMPS,
  },
});
