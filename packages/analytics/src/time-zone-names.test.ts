import { expect, test } from 'vitest';
import { isTimeZone } from './time-zone-names.ts';

test.each(['UTC', 'Europe/Berlin', 'America/Argentina/Ushuaia', 'Eastern Time (US & Canada)', 'Magadan', "Nuku'alofa"])(
  'accepts the time zone %s',
  (name) => expect(isTimeZone(name)).toBe(true),
);

test.each(['', 'Mars', 'europe/berlin', 'name', '+02:00', 'EST5EDT4,M3.2.0'])(
  'rejects %j, which is not a time zone',
  (name) => expect(isTimeZone(name)).toBe(false),
);
