import { SimulatedAccount } from '@freshet/freshdesk-simulator';
import {
  AccountClock,
  editSchedules,
  generateLog,
  type LogEntry,
  Replay,
  SCHEDULES,
  type ScenarioAccount,
  setUpScenario,
} from '@freshet/freshdesk-simulator/lifecycle';
import { BusinessCalendar } from './business-calendar.ts';
import { LocalDays } from './local-days.ts';
import type { TrueSchedule } from './open-intervals.ts';
import { collectHistories } from './ticket-histories.ts';
import { TicketMetrics } from './ticket-metrics.ts';

const DAY_MS = 86_400_000;
/** Rails name → IANA name, for the schedules of the scenario. */
const TIME_ZONES: Readonly<Record<string, string>> = {
  Berlin: 'Europe/Berlin',
  'Eastern Time (US & Canada)': 'America/New_York',
  Santiago: 'America/Santiago',
  Mumbai: 'Asia/Kolkata',
  Adelaide: 'Australia/Adelaide',
};

/** The time zone of the account's days: that of the default calendar. */
const ACCOUNT_TIME_ZONE = 'Europe/Berlin';
export const ACCOUNT_DAYS = new LocalDays(ACCOUNT_TIME_ZONE);

/** A holiday: a day on which one schedule, or every schedule, is closed. */
interface Holiday {
  /** The number of the schedule in the scenario; null: every schedule. */
  readonly schedule: number | null;
  readonly day: string;
}

const HOLIDAYS: readonly Holiday[] = [
  ...['2025-12-25', '2025-12-26', '2026-01-01'].map((day) => ({ schedule: null, day })),
  // A week without opening.
  ...['09', '10', '11', '12', '13', '14', '15'].map((day) => ({ schedule: 3, day: `2026-03-${day}` })),
  // The day of a clock change, and days on which an overnight shift begins or ends.
  { schedule: 1, day: '2026-03-08' },
  { schedule: 1, day: '2026-05-25' },
  { schedule: 0, day: '2026-05-01' },
];

export interface TrueAccountOptions {
  readonly seed: number;
  readonly tickets: number;
  /** The time of the account's clock after the last event, in milliseconds. */
  readonly to: number;
  readonly spanDays: number;
  /**
   * Whether the definitions of fields show which statuses stop the SLA clock. Default: false, as
   * documented.
   */
  readonly hasStatusDetails?: boolean;
  /** Whether tickets can have a custom status that counts as resolved. Default: true. */
  readonly hasCustomResolvedStatus?: boolean;
}

/** A simulated account, and the events that happened in it. */
export class TrueAccount {
  readonly account: SimulatedAccount;
  readonly scenario: ScenarioAccount;
  readonly log: readonly LogEntry[];
  readonly replay: Replay;
  /** The time at which the schedules are edited. */
  readonly editedAt: number;
  readonly holidays = HOLIDAYS;
  readonly #options: TrueAccountOptions;
  readonly #clock: AccountClock;
  #isEdited = false;

  constructor(options: TrueAccountOptions) {
    this.#options = options;
    const { seed, tickets, to, spanDays } = options;
    const from = to - spanDays * DAY_MS;
    this.editedAt = Math.floor((from + to) / 2000) * 1000;
    this.#clock = new AccountClock(from - 30 * DAY_MS);
    this.account = new SimulatedAccount({
      seed,
      asOf: new Date(to),
      spanDays: spanDays + 60,
      now: this.#clock.now,
      counts: {
        tickets: 0,
        conversations: 0,
        satisfaction_ratings: 0,
        time_entries: 0,
        business_hours: 0,
        groups: 0,
        agents: 14,
        contacts: 250,
        companies: 30,
      },
    });
    this.scenario = setUpScenario(this.account, options.hasStatusDetails ?? false);
    const { directory } = this.scenario;
    const { hasCustomResolvedStatus = true } = options;
    this.log = generateLog({
      seed,
      tickets,
      from,
      to,
      timeZone: ACCOUNT_TIME_ZONE,
      directory: hasCustomResolvedStatus ? directory : { ...directory, resolvedStatuses: [] },
      firstTicketId: 1,
    });
    this.replay = new Replay(this.account, this.#clock, this.log);
  }

  get hasStatusDetails(): boolean {
    return this.#options.hasStatusDetails ?? false;
  }

  /** The time of the account's clock, in milliseconds. */
  get now(): number {
    return this.#clock.time;
  }

  /** Applies the events up to a time. The schedules are edited if it is after `editedAt`. */
  advanceTo(time: number): void {
    this.replay.advanceTo(Math.min(time, this.editedAt));
    if (time <= this.editedAt) return;
    if (!this.#isEdited) editSchedules(this.account, this.scenario);
    this.#isEdited = true;
    this.replay.advanceTo(time);
  }

  listSchedules(): TrueSchedule[] {
    return SCHEDULES.map(({ timeZone, hours, editedHours }, n) => ({
      id: this.scenario.scheduleIds[n] as number,
      timeZone: TIME_ZONES[timeZone] as string,
      versions: [
        { validFrom: Number.NEGATIVE_INFINITY, hours },
        ...(editedHours === null ? [] : [{ validFrom: this.editedAt, hours: editedHours }]),
      ],
      holidays: new Set(
        this.holidays.filter(({ schedule }) => schedule === null || schedule === n).map(({ day }) => day),
      ),
    }));
  }

  /** Builds the calendar that is known at the end of the log. */
  buildCalendar(): BusinessCalendar {
    const { to, spanDays } = this.#options;
    return new BusinessCalendar(this.listSchedules(), this.scenario.scheduleByGroup, {
      from: to - (spanDays + 30) * DAY_MS,
      to: to + 400 * DAY_MS,
    });
  }

  /** Computes the metrics of all tickets, in the order of their keys. */
  computeMetrics(days = ACCOUNT_DAYS): TicketMetrics[] {
    const calendar = this.buildCalendar();
    const histories = collectHistories(this.log, this.replay.recordIds);
    return [...histories.values()]
      .sort((a, b) => a.id - b.id)
      .map((history) => new TicketMetrics(history, calendar, days));
  }
}
