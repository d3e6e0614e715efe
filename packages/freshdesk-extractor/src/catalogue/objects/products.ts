import { bigint, defineObject, text, timestamp } from '../define.ts';

export const products = defineObject({
  name: 'products',
  title: 'Products',
  description: 'Products that tickets are about.',
  docs: 'https://developers.freshdesk.com/api/#list_all_products',
  path: '/api/v2/products',
  way: { kind: 'sweep' },
  permission: 'admin',
  typicalCount: 4,
  columns: {
    id: bigint('Key.'),
    name: text('Name.', { like: 'title' }),
    description: text('Description.', { nullable: true, like: 'paragraph' }),
    created_at: timestamp('When it was created.'),
    updated_at: timestamp('When it last changed.'),
  },
});
