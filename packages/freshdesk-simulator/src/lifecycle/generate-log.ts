import { Arrivals } from './arrivals.ts';
import type { Directory } from './directory.ts';
import type { LogEntry, MessageAdded } from './event-log.ts';
import { RandomSource } from './random-source.ts';
import { TicketStory } from './ticket-story.ts';
import { DAY, floorToSecond, MINUTE, SECOND } from './times.ts';

/** The share of tickets that are merged into an earlier ticket. */
const MERGED_SHARE = 0.025;

export interface LogOptions {
  /** The same seed generates the same log. */
  readonly seed: number;
  readonly tickets: number;
  /** The time of the first possible event, in milliseconds. */
  readonly from: number;
  /** The time of the last possible event, in milliseconds. */
  readonly to: number;
  /** The time zone of the account: an IANA name. */
  readonly timeZone: string;
  readonly directory: Directory;
  /** The key of the first ticket. The keys of the following tickets are consecutive. */
  readonly firstTicketId: number;
  /** The probability of events without which a ticket can be resolved. Default: 1. */
  readonly detail?: number;
}

/** Generates the events of all tickets, sorted by time. */
export function generateLog(options: LogOptions): LogEntry[] {
  const { seed, tickets, from, to, timeZone, directory, firstTicketId, detail = 1 } = options;
  const arrivals = new Arrivals(timeZone).generate(new RandomSource(seed, 0), tickets, from, to);
  let lastCreatedAt = Number.NEGATIVE_INFINITY;
  const stories = arrivals.map((arrivedAt, n) => {
    const random = new RandomSource(seed, n + 1);
    // Only some tickets have a creation time with milliseconds. No ticket is older than one with a
    // lower key that arrived in the same second.
    const createdAt = Math.max(lastCreatedAt, random.chance(0.1) ? arrivedAt : floorToSecond(arrivedAt));
    lastCreatedAt = createdAt;
    const story = new TicketStory(random, directory, firstTicketId + n, { createdAt, endsAt: to, detail });
    return [...story.run()];
  });
  mergeTickets(new RandomSource(seed, tickets + 1), stories, options);
  // The sort is stable, so events of a ticket at the same time remain in the order of the story.
  return stories.flat().sort((a, b) => a.at - b.at);
}

/**
 * Merges some tickets into earlier tickets. Later events of the merged tickets are removed. Private
 * notes on both tickets name the other ticket.
 */
function mergeTickets(random: RandomSource, stories: LogEntry[][], { directory, to }: LogOptions): void {
  const involved = new Set<number>();
  for (let n = 1; n < stories.length; n++) {
    if (!random.chance(MERGED_SHARE)) continue;
    const primary = Math.max(0, n - 1 - random.nextInt(50));
    if (involved.has(n) || involved.has(primary)) continue;
    const story = stories[n] as LogEntry[];
    const created = story[0] as LogEntry;
    const at = Math.ceil((created.at + random.nextDuration(MINUTE, 2 * DAY)) / SECOND) * SECOND;
    const target = stories[primary] as LogEntry[];
    if (at > to || !canMerge(story, at) || !canMerge(target, at)) continue;
    involved.add(n).add(primary);
    const { ticketId: primaryId } = target[0] as LogEntry;
    const { ticketId } = created;
    const userId = random.pick(directory.agentIds);
    const kept = story.filter((entry) => entry.at < at);
    stories[n] = [
      ...kept,
      { at, ticketId, event: { kind: 'merged', primaryId, performer: { userId } } },
      { at, ticketId, event: buildMergeNote(at, userId, `This ticket is closed and merged into ticket ${primaryId}`) },
    ];
    target.push({
      at,
      ticketId: primaryId,
      event: buildMergeNote(at, userId, `The ticket ${ticketId} is merged with this ticket`),
    });
  }
}

function buildMergeNote(createdAt: number, authorId: number, text: string): MessageAdded {
  return { kind: 'message', type: 'private_note', authorId, createdAt, nextResponseDueAt: null, text };
}

/** Returns whether the ticket exists and is not deleted, and has no other events around a time. */
function canMerge(story: readonly LogEntry[], at: number): boolean {
  const earlier = story.filter((entry) => entry.at < at);
  const move = earlier.findLast(({ event }) => event.kind === 'moved')?.event;
  const isLive = move?.kind !== 'moved' || move.view === 'live';
  const isIdle = story.every((entry) => Math.abs(entry.at - at) > SECOND);
  return earlier.length > 0 && isLive && isIdle;
}
