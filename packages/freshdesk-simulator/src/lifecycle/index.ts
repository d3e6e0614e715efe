/**
 * Coherent life cycles of tickets: a seeded log of events, and its replay on a simulated account.
 */
export { buildLifecycleAccount } from './build-account.ts';
export { CLOSED, type Directory, OPEN, OUTBOUND_EMAIL, PENDING, RESOLVED } from './directory.ts';
export type { LogEntry, TicketEvent } from './event-log.ts';
export { generateLog, type LogOptions } from './generate-log.ts';
export { AccountClock, Replay } from './replay.ts';
export { editSchedules, SCHEDULES, type ScenarioAccount, STATUSES, setUpScenario } from './scenario.ts';
export { formatTime } from './times.ts';
