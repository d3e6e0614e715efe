import { catalogue, getObject, type ObjectSpec } from '@freshet/freshdesk-extractor';
import { SimulatedAccount } from '../account.ts';
import type { AccountOptions } from '../account-options.ts';
import { nameAgents } from './agent-names.ts';
import { generateLog } from './generate-log.ts';
import { AccountClock, Replay } from './replay.ts';
import { setUpScenario } from './scenario.ts';
import { DAY, floorToSecond } from './times.ts';

/** The objects whose records the scenario and the log create. */
const CREATED_OBJECTS = [
  'tickets',
  'conversations',
  'satisfaction_ratings',
  'time_entries',
  'business_hours',
  'groups',
];
/** The probability of notes, ratings and other events without which a ticket can be resolved. */
const DETAIL = 0.2;
/** The time zone of the default calendar of the scenario. */
const TIME_ZONE = 'Europe/Berlin';

/**
 * Creates an account whose tickets have coherent life cycles: the times, statuses, messages and
 * ratings of a ticket agree with each other, and with the history of activities. Creating the
 * account takes time and memory in proportion to the number of tickets.
 * @param options `counts.tickets` is the number of tickets. The log determines the numbers of
 *   messages, ratings and time entries.
 */
export function buildLifecycleAccount(options: AccountOptions): SimulatedAccount {
  const { asOf, spanDays, seed, now = Date.now } = options;
  const to = floorToSecond(asOf.getTime());
  const from = to - spanDays * DAY;
  const clock = new AccountClock(from - DAY);
  let isReplaying = true;
  const tickets = countRecords(getObject('tickets'), options);
  const account = new SimulatedAccount({
    ...options,
    now: () => (isReplaying ? clock.now() : now()),
    counts: {
      ...Object.fromEntries(
        catalogue
          .filter(({ strategy }) => strategy.kind !== 'children' && strategy.kind !== 'daily-export')
          .map((object) => [object.name, countRecords(object, options)]),
      ),
      ...options.counts,
      ...Object.fromEntries(CREATED_OBJECTS.map((name) => [name, 0])),
    },
  });
  nameAgents(account);
  const { directory } = setUpScenario(account);
  const log = generateLog({
    seed,
    tickets,
    from,
    to,
    timeZone: TIME_ZONE,
    directory,
    firstTicketId: 1,
    detail: DETAIL,
  });
  new Replay(account, clock, log).advanceTo(to);
  isReplaying = false;
  return account;
}

/** Returns the number of records of an object that a generated account of the same size has. */
function countRecords(object: ObjectSpec, options: AccountOptions): number {
  const count = options.counts?.[object.name];
  if (count !== undefined) return count;
  const { typicalCount } = object;
  return typeof typicalCount === 'number'
    ? typicalCount
    : Math.round(countRecords(getObject(typicalCount.perRecordOf), options) * typicalCount.factor);
}
