import { bigint, boolean, jsonb, TIMESTAMPS, text } from '../columns.ts';
import { defineObject } from '../define-object.ts';

export const businessHours = defineObject({
  name: 'business_hours',
  title: 'Business hours',
  description: 'Calendars of business hours. The API does not return holidays.',
  docs: 'https://developers.freshdesk.com/api/#list_all_business_hours',
  path: '/api/v2/business_hours',
  strategy: { kind: 'full-list' },
  permission: 'admin',
  typicalCount: 2,
  columns: {
    id: bigint('Primary key.'),
    name: text('Name.', { textKind: 'title' }),
    description: text('Description.', { nullable: true, textKind: 'paragraph' }),
    is_default: boolean('True for the default calendar of the account.'),
    time_zone: text('Time zone (Rails name).', { samples: ['Berlin', 'Eastern Time (US & Canada)'] }),
    business_hours: jsonb(
      'Weekday → start_time and end_time on a 12-hour clock. Days without business hours are absent.',
      {
        samples: [
          {
            monday: { start_time: '8:00 am', end_time: '5:00 pm' },
            friday: { start_time: '08:00:00 am', end_time: '3:30 pm' },
          },
        ],
      },
    ),
    ...TIMESTAMPS,
  },
});
