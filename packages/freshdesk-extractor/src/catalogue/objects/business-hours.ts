import { bigint, boolean, defineObject, jsonb, text, timestamp } from '../define.ts';

export const businessHours = defineObject({
  name: 'business_hours',
  title: 'Business hours',
  description: 'Calendars of working hours. Holidays are not in the API’s answer.',
  docs: 'https://developers.freshdesk.com/api/#list_all_business_hours',
  path: '/api/v2/business_hours',
  way: { kind: 'sweep' },
  permission: 'admin',
  typicalCount: 2,
  columns: {
    id: bigint('Key.'),
    name: text('Name.', { like: 'title' }),
    description: text('Description.', { nullable: true, like: 'paragraph' }),
    is_default: boolean('The account’s default calendar.'),
    time_zone: text('Time zone, by its Rails name.', { samples: ['Berlin', 'Eastern Time (US & Canada)'] }),
    business_hours: jsonb('Weekday → start_time and end_time on a 12-hour clock; closed days are absent.', {
      samples: [
        {
          monday: { start_time: '8:00 am', end_time: '5:00 pm' },
          friday: { start_time: '08:00:00 am', end_time: '3:30 pm' },
        },
      ],
    }),
    created_at: timestamp('When it was created.'),
    updated_at: timestamp('When it last changed.'),
  },
});
