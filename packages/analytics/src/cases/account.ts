/**
 * The account of the cases. All calendars are closed on 2025-01-01. The default calendar is Berlin.
 * The account's days begin in Berlin.
 */

const weekdays = (days: readonly string[], start_time: string, end_time: string) =>
  Object.fromEntries(days.map((day) => [day, { start_time, end_time }]));

const MONDAY_TO_FRIDAY = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday'];
const EVERY_DAY = [...MONDAY_TO_FRIDAY, 'saturday', 'sunday'];

export const CASE_CALENDARS = [
  { id: 1, name: 'Berlin', time_zone: 'Berlin', business_hours: weekdays(MONDAY_TO_FRIDAY, '8:00 am', '5:00 pm') },
  {
    id: 2,
    name: 'New York',
    time_zone: 'Eastern Time (US & Canada)',
    business_hours: weekdays(MONDAY_TO_FRIDAY, '09:00:00 am', '05:00:00 pm'),
  },
  {
    id: 3,
    name: 'Tokyo nights',
    time_zone: 'Tokyo',
    business_hours: weekdays(MONDAY_TO_FRIDAY, '10:00 pm', '6:00 am'),
  },
  { id: 4, name: 'London evenings', time_zone: 'London', business_hours: weekdays(EVERY_DAY, '4:00 pm', '12:00 am') },
  { id: 5, name: 'Closed', time_zone: 'Berlin', business_hours: {} },
  { id: 6, name: 'Edited', time_zone: 'UTC', business_hours: weekdays(MONDAY_TO_FRIDAY, '9:00 am', '1:00 pm') },
  {
    id: 7,
    name: 'Kathmandu',
    time_zone: 'Kathmandu',
    business_hours: weekdays(['sunday', 'monday', 'tuesday', 'wednesday', 'thursday'], '10:00 am', '6:00 pm'),
  },
  { id: 8, name: 'Around the clock', time_zone: 'Berlin', business_hours: weekdays(EVERY_DAY, '12:00 am', '12:00 am') },
];

/** The calendar 6 was open until 5 pm before this time. */
export const EDITED_AT = '2025-06-11T00:00:00Z';
export const HOURS_BEFORE_EDIT = weekdays(MONDAY_TO_FRIDAY, '9:00 am', '5:00 pm');

/** Groups. The group 80 has no calendar, and the calendar of the group 90 does not exist. */
export const CASE_GROUPS = [
  { id: 10, name: 'Berlin', business_hour_id: 1 },
  { id: 20, name: 'New York', business_hour_id: 2 },
  { id: 30, name: 'Tokyo nights', business_hour_id: 3 },
  { id: 40, name: 'London evenings', business_hour_id: 4 },
  { id: 50, name: 'Closed', business_hour_id: 5 },
  { id: 60, name: 'Edited', business_hour_id: 6 },
  { id: 70, name: 'Kathmandu', business_hour_id: 7 },
  { id: 75, name: 'Around the clock', business_hour_id: 8 },
  { id: 80, name: 'No calendar', business_hour_id: null },
  { id: 90, name: 'Deleted calendar', business_hour_id: 999 },
];

export const CASE_HOLIDAYS = [
  { schedule_id: null, day: '2025-01-01', name: 'New Year' },
  { schedule_id: 1, day: '2025-05-01', name: 'Labor Day' },
  { schedule_id: 3, day: '2025-02-11', name: 'Foundation Day' },
];

/** Status 6 stops the clock, 7 does not, and 8 is resolved by `ticket_status_settings`. */
export const CASE_STATUSES = [
  { id: 2, value: 'Open' },
  { id: 3, value: 'Pending' },
  { id: 4, value: 'Resolved' },
  { id: 5, value: 'Closed' },
  { id: 6, value: 'Waiting on carrier', stop_sla_timer: true },
  { id: 7, value: 'In progress', stop_sla_timer: false },
  { id: 8, value: 'Done' },
];
export const CASE_STATUS_SETTINGS = [{ status: 8, is_resolved: true, stops_sla_timer: null }];

export const CASE_AGENTS = [
  { id: 1, contact: { name: 'Ines' } },
  { id: 2, contact: { name: 'Tomas' } },
];
