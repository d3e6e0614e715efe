import { getObject } from '@freshet/freshdesk-extractor';
import type { SimulatedAccount } from '../account.ts';
import { CLOSED, type Directory } from './directory.ts';

/** Weekday → start and end on a 12-hour clock, as in `business_hours`. */
type WeeklyHours = Readonly<Record<string, { readonly start_time: string; readonly end_time: string }>>;

export interface Schedule {
  readonly name: string;
  /** A Rails name, as in `business_hours`. */
  readonly timeZone: string;
  readonly hours: WeeklyHours;
  /** The hours after the schedule is edited; null: the schedule is never edited. */
  readonly editedHours: WeeklyHours | null;
}

const WORKDAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday'];
const WEEK = [...WORKDAYS, 'saturday', 'sunday'];

function repeatHours(days: readonly string[], start: string, end: string): WeeklyHours {
  return Object.fromEntries(days.map((day) => [day, { start_time: start, end_time: end }]));
}

/** The schedules of the scenario. The first schedule is the default calendar of the account. */
export const SCHEDULES: readonly Schedule[] = [
  {
    name: 'Berlin office',
    timeZone: 'Berlin',
    hours: {
      ...repeatHours(WORKDAYS.slice(0, 4), '8:00 am', '5:00 pm'),
      friday: { start_time: '08:00:00 am', end_time: '3:30 pm' },
    },
    editedHours: null,
  },
  {
    // Each shift ends on the next day. Clock changes happen during the shift of Saturday.
    name: 'Night shift',
    timeZone: 'Eastern Time (US & Canada)',
    hours: repeatHours(['monday', 'wednesday', 'friday', 'saturday'], '8:00 pm', '4:00 am'),
    editedHours: null,
  },
  {
    // Clocks change at midnight, between two days of this schedule.
    name: 'Around the clock',
    timeZone: 'Santiago',
    hours: repeatHours(WEEK, '12:00 am', '12:00 am'),
    editedHours: null,
  },
  {
    name: 'India',
    timeZone: 'Mumbai',
    hours: repeatHours([...WORKDAYS, 'saturday'], '9:30 am', '6:15 pm'),
    editedHours: null,
  },
  {
    name: 'Australia',
    timeZone: 'Adelaide',
    hours: repeatHours(WORKDAYS, '9:00 am', '5:00 pm'),
    editedHours: repeatHours([...WORKDAYS.slice(1), 'saturday'], '7:00 am', '12:00 am'),
  },
];

/** The groups of the scenario, with the number of their schedule; null: the default calendar. */
const GROUPS: readonly (readonly [name: string, schedule: number | null])[] = [
  ['Support', 0],
  ['Billing', null],
  ['Night shift', 1],
  ['Around the clock', 2],
  ['India', 3],
  ['Australia', 4],
];

interface Status {
  readonly id: number;
  readonly label: string;
  readonly stopsSlaTimer: boolean;
  /** Whether the account regards tickets with this status as resolved. */
  readonly isResolved: boolean;
}

/** The statuses of the scenario. */
export const STATUSES: readonly Status[] = [
  { id: 2, label: 'Open', stopsSlaTimer: false, isResolved: false },
  { id: 3, label: 'Pending', stopsSlaTimer: true, isResolved: false },
  { id: 4, label: 'Resolved', stopsSlaTimer: true, isResolved: true },
  { id: 5, label: 'Closed', stopsSlaTimer: true, isResolved: true },
  { id: 6, label: 'Waiting on Customer', stopsSlaTimer: true, isResolved: false },
  { id: 7, label: 'Waiting on Third Party', stopsSlaTimer: false, isResolved: false },
  { id: 8, label: 'Ready for pickup', stopsSlaTimer: true, isResolved: false },
  { id: 9, label: 'Canceled', stopsSlaTimer: true, isResolved: true },
];

/** An account in which the scenario is set up. */
export interface ScenarioAccount {
  readonly directory: Directory;
  /** The keys of {@link SCHEDULES}. */
  readonly scheduleIds: readonly number[];
  /** The key of the schedule of each group; null: the default calendar. */
  readonly scheduleByGroup: ReadonlyMap<number, number | null>;
}

/**
 * Creates the schedules, groups and statuses of the scenario.
 * @param hasStatusDetails whether the choices of the field `status` show which statuses stop the
 *   SLA clock. By default, the choices have the documented shape, which contains only labels.
 */
export function setUpScenario(account: SimulatedAccount, hasStatusDetails = false): ScenarioAccount {
  const scheduleIds = SCHEDULES.map(({ name, timeZone, hours }, n) =>
    account.create('business_hours', {
      name,
      description: null,
      is_default: n === 0,
      time_zone: timeZone,
      business_hours: hours,
    }),
  );
  const scheduleByGroup = new Map(
    GROUPS.map(([name, schedule]) => {
      const scheduleId = schedule === null ? null : (scheduleIds[schedule] as number);
      return [account.create('groups', { name, business_hour_id: scheduleId }), scheduleId];
    }),
  );
  setStatuses(account, hasStatusDetails);
  return { directory: buildDirectory(account, [...scheduleByGroup.keys()]), scheduleIds, scheduleByGroup };
}

/** Changes the hours of the schedules that are edited. */
export function editSchedules(account: SimulatedAccount, { scheduleIds }: ScenarioAccount): void {
  SCHEDULES.forEach(({ editedHours }, n) => {
    if (editedHours !== null)
      account.update('business_hours', scheduleIds[n] as number, { business_hours: editedHours });
  });
}

function setStatuses(account: SimulatedAccount, hasDetails: boolean): void {
  const fields = getObject('ticket_fields').list.fixedRecords ?? [];
  const status = fields.find((field) => field['type'] === 'default_status');
  if (status === undefined) throw new TypeError('The account has no field for the status of tickets.');
  const choices = hasDetails
    ? STATUSES.map(({ id, label, stopsSlaTimer }, n) => ({
        id,
        value: label,
        position: n + 1,
        label_for_customers: label,
        stop_sla_timer: stopsSlaTimer,
      }))
    : Object.fromEntries(STATUSES.map(({ id, label }) => [id, [label, label]]));
  account.update('ticket_fields', status['id'] as number, { choices });
}

function buildDirectory(account: SimulatedAccount, groupIds: readonly number[]): Directory {
  const companyIds = listKeys(account, 'companies');
  const custom = STATUSES.filter(({ id }) => id > CLOSED);
  const listIds = (isIncluded: (status: Status) => boolean) => custom.filter(isIncluded).map(({ id }) => id);
  return {
    agentIds: listKeys(account, 'agents'),
    groupIds,
    requesters: listKeys(account, 'contacts').map((id, n) => ({
      id,
      companyId: n % 5 === 0 ? null : (companyIds[n % companyIds.length] ?? null),
    })),
    activeStatuses: listIds(({ stopsSlaTimer }) => !stopsSlaTimer),
    waitingStatuses: listIds(({ stopsSlaTimer, isResolved }) => stopsSlaTimer && !isResolved),
    resolvedStatuses: listIds(({ isResolved }) => isResolved),
  };
}

function listKeys(account: SimulatedAccount, objectName: string): number[] {
  const list = account.getList(getObject(objectName));
  return Array.from({ length: list.initialLength }, (_, number) => list.getKey(number));
}
