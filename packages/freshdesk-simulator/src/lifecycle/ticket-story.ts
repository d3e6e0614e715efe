import { CLOSED, type Directory, OPEN, OUTBOUND_EMAIL, PENDING, RESOLVED } from './directory.ts';
import type { LogEntry, MessageType, Performer, TicketEvent, TicketUpdated } from './event-log.ts';
import type { RandomSource } from './random-source.ts';
import {
  ASSIGNED_ACTIONS,
  FIRST_RESPONSE_HOURS,
  OPTIONAL_ACTIONS,
  PRIORITIES,
  RATINGS,
  RESOLUTION_HOURS,
  SOURCES,
  TAGS,
  UNASSIGNED_ACTIONS,
} from './story-weights.ts';
import { DAY, floorToSecond, HOUR, MINUTE, SECOND } from './times.ts';

/** The maximum number of steps in the life of a ticket. */
const STEPS_MAX = 40;

/** The period in which the events of a ticket are generated. */
export interface StoryBounds {
  readonly createdAt: number;
  /** No event happens after this time, in milliseconds. */
  readonly endsAt: number;
  /**
   * The probability of events without which a ticket can be resolved, such as notes and ratings. A
   * higher probability makes the log longer.
   */
  readonly detail: number;
}

/** Generates the life of one ticket, from its creation to the end of the log. */
export class TicketStory {
  readonly entries: LogEntry[] = [];
  readonly #random: RandomSource;
  readonly #directory: Directory;
  readonly #ticketId: number;
  readonly #bounds: StoryBounds;
  readonly #requesterId: number;
  readonly #source: number;
  #at: number;
  #status = OPEN;
  #priority: number;
  #groupId: number | null;
  #agentId: number | null = null;
  #isFinished = false;

  constructor(random: RandomSource, directory: Directory, ticketId: number, bounds: StoryBounds) {
    this.#random = random;
    this.#directory = directory;
    this.#ticketId = ticketId;
    this.#bounds = bounds;
    this.#source = random.pickWeighted(SOURCES);
    this.#priority = random.pickWeighted(PRIORITIES);
    this.#groupId = random.chance(0.1) ? null : random.pick(directory.groupIds);
    const requester = random.pick(directory.requesters);
    this.#requesterId = requester.id;
    this.#at = bounds.createdAt;
    this.#create(requester.companyId);
  }

  /** Generates the events after the creation. */
  run(): readonly LogEntry[] {
    this.#reactAutomatically();
    for (let step = 0; step < STEPS_MAX && !this.#isFinished; step++) {
      this.#at += this.#nextDelay();
      if (this.#at > this.#bounds.endsAt) break;
      this.#act();
    }
    // Events of one step, such as an automatic reply, can happen after the end of the log.
    return this.entries.filter(({ at }) => at <= this.#bounds.endsAt);
  }

  #create(companyId: number | null): void {
    const random = this.#random;
    const isOutbound = this.#source === OUTBOUND_EMAIL;
    if (isOutbound || random.chance(0.08)) this.#agentId = random.pick(this.#directory.agentIds);
    if (isOutbound && random.chance(0.6)) this.#status = CLOSED;
    const hasPolicy = random.chance(0.9);
    const toDue = (hours: number | undefined) => floorToSecond(this.#at) + (hours ?? 24) * HOUR;
    this.#add({
      kind: 'created',
      requesterId: this.#requesterId,
      companyId: random.chance(0.95) ? companyId : null,
      source: this.#source,
      status: this.#status,
      priority: this.#priority,
      groupId: this.#groupId,
      agentId: this.#agentId,
      tags: TAGS.filter(() => random.chance(0.12)),
      firstResponseDueAt: hasPolicy && !isOutbound ? toDue(FIRST_RESPONSE_HOURS[this.#priority]) : null,
      resolutionDueAt: hasPolicy ? toDue(RESOLUTION_HOURS[this.#priority]) : null,
    });
  }

  /** Generates the events that automation rules cause when the ticket is created. */
  #reactAutomatically(): void {
    const random = this.#random;
    if (this.#source !== OUTBOUND_EMAIL && random.chance(0.3 * this.#bounds.detail)) {
      this.#at += random.nextInt(20) * SECOND;
      this.#addMessage('automatic_reply', random.pick(this.#directory.agentIds));
    }
    if (random.chance(0.25)) this.#applyRule({ groupId: random.pick(this.#directory.groupIds) });
    if (random.chance(0.25)) this.#applyRule({ agentId: random.pick(this.#directory.agentIds), priority: 2 });
    // Phone tickets are often entered after the call, so the response precedes the ticket.
    if (this.#source === 3 && random.chance(0.15))
      this.#addMessage('reply', this.#assignedAgent(), this.#bounds.createdAt - random.nextInt(300) * SECOND);
  }

  /** Changes properties within some seconds of the creation, or in the same second. */
  #applyRule(values: Omit<TicketUpdated, 'kind' | 'performer'>): void {
    const { createdAt } = this.#bounds;
    if (this.#random.chance(0.4) && this.#at === createdAt && createdAt % SECOND === 0) {
      this.#applyChange(values, 'system');
      return;
    }
    this.#at = floorToSecond(this.#at) + (1 + this.#random.nextInt(3)) * SECOND;
    this.#change(values, 'system');
  }

  #nextDelay(): number {
    const random = this.#random;
    if (random.chance(0.004)) return random.nextDuration(300 * DAY, 420 * DAY);
    if (random.chance(0.03)) return random.nextInt(3) * SECOND;
    if (this.#status === RESOLVED) return random.nextDuration(5 * MINUTE, 5 * DAY);
    if (this.#isEnded()) return random.nextDuration(HOUR, 20 * DAY);
    if (this.#isWaiting()) return random.nextDuration(5 * MINUTE, 9 * DAY);
    return random.nextDuration(MINUTE, 2 * DAY);
  }

  #act(): void {
    if (this.#status === RESOLVED) this.#actOnResolved();
    else if (this.#isEnded()) this.#actOnClosed();
    else if (this.#isWaiting()) this.#actOnWaiting();
    else this.#actOnOpen();
  }

  #actOnOpen(): void {
    const random = this.#random;
    const action = random.pickWeighted(this.#agentId === null ? UNASSIGNED_ACTIONS : ASSIGNED_ACTIONS);
    if (OPTIONAL_ACTIONS.has(action) && !random.chance(this.#bounds.detail)) return;
    switch (action) {
      case 'reply':
        return this.#reply();
      case 'assign':
        return this.#assign();
      case 'private_note':
      case 'public_note':
      case 'forward':
      case 'automatic_reply':
        return this.#addMessage(action, this.#assignedAgent());
      case 'customer_message':
        return this.#addCustomerMessages();
      case 'priority':
        return this.#change({ priority: random.pickWeighted(PRIORITIES) }, this.#agent());
      case 'group':
        return this.#changeGroup();
      case 'active_status':
        return this.#change({ status: random.pick(this.#directory.activeStatuses) }, this.#agent());
      case 'waiting_status':
        return this.#change({ status: random.pick(this.#directory.waitingStatuses) }, this.#agent());
      case 'resolve':
        return this.#change({ status: RESOLVED }, this.#agent());
      case 'time':
        return this.#trackTime();
      case 'discard':
        return this.#discard();
      default:
        return this.#finish();
    }
  }

  #actOnWaiting(): void {
    const roll = this.#random.nextInt(100);
    if (roll < 55) this.#addCustomerMessages();
    else if (roll < 65) this.#addMessage('reply', this.#assignedAgent());
    else if (roll < 75) this.#change({ status: OPEN }, this.#agent());
    else if (roll < 88) this.#change({ status: RESOLVED }, 'system');
    else if (roll < 94) this.#change({ status: CLOSED }, this.#agent());
    else this.#addOptionalMessage('private_note');
  }

  #actOnResolved(): void {
    const roll = this.#random.nextInt(100);
    if (roll < 40) this.#change({ status: CLOSED }, 'system');
    else if (roll < 58) this.#addCustomerMessages();
    else if (roll < 78) this.#rate();
    else if (roll < 86) this.#trackTime();
    else if (roll < 90) this.#addOptionalMessage('private_note');
    else this.#finish();
  }

  #actOnClosed(): void {
    const roll = this.#random.nextInt(100);
    if (roll < 8) this.#addCustomerMessages();
    else if (roll < 22) this.#rate();
    else if (roll < 25) this.#addMessage('reply', this.#assignedAgent());
    else if (roll < 27) this.#discard();
    else this.#finish();
  }

  /** Ends the story. An open ticket remains open. */
  #finish(): void {
    this.#isFinished = true;
  }

  /** Adds a response. Its author often changes the status at the same time. */
  #reply(): void {
    const random = this.#random;
    if (this.#agentId === null && random.chance(0.8)) this.#assign();
    const status = random.pickWeighted<number | null>([
      [RESOLVED, 42],
      [PENDING, 28],
      [random.pick(this.#directory.waitingStatuses), 8],
      [CLOSED, 4],
      [random.pick(this.#directory.resolvedStatuses), 4],
      [null, 18],
    ]);
    if (status !== null) this.#at = floorToSecond(this.#at) + SECOND;
    const authorId = random.chance(0.85) ? this.#assignedAgent() : random.pick(this.#directory.agentIds);
    const skew = random.chance(0.015) ? random.nextInt(600) * SECOND - 300 * SECOND : 0;
    this.#addMessage('reply', authorId, this.#at - Math.max(0, skew));
    if (random.chance(0.12)) this.#trackTime();
    if (status !== null) this.#change({ status }, { userId: authorId });
  }

  /** Adds one or more messages of the customer, which reopen a ticket that is not open. */
  #addCustomerMessages(): void {
    const random = this.#random;
    const wasActive = !this.#isWaiting() && this.#status !== RESOLVED && !this.#isEnded();
    if (!wasActive) this.#at = floorToSecond(this.#at);
    this.#addMessage('customer_message', this.#requesterId);
    if (!wasActive && random.chance(0.95)) this.#change({ status: OPEN }, { userId: this.#requesterId });
    if (random.chance(0.2)) {
      this.#at += random.nextInt(HOUR);
      this.#addMessage('customer_message', this.#requesterId);
      // An agent responds in the same millisecond.
      if (random.chance(0.1)) this.#addMessage('reply', this.#assignedAgent());
    }
  }

  #assign(): void {
    const agentId = this.#random.chance(0.05) ? null : this.#random.pick(this.#directory.agentIds);
    this.#change({ agentId }, this.#agent());
  }

  #changeGroup(): void {
    const groupId = this.#random.chance(0.08) ? null : this.#random.pick(this.#directory.groupIds);
    this.#change(this.#random.chance(0.6) ? { groupId, agentId: null } : { groupId }, this.#agent());
  }

  #rate(): void {
    const random = this.#random;
    if (!random.chance(Math.sqrt(this.#bounds.detail))) return;
    const feedback = random.chance(0.4) ? `Feedback ${this.#ticketId}` : null;
    this.#add({
      kind: 'rated',
      rating: random.pickWeighted(RATINGS),
      agentId: this.#agentId,
      groupId: this.#groupId,
      feedback,
    });
    if (feedback !== null) this.#addMessage('survey_feedback', this.#requesterId);
  }

  #trackTime(): void {
    if (!this.#random.chance(Math.sqrt(this.#bounds.detail))) return;
    this.#add({
      kind: 'time_tracked',
      agentId: this.#assignedAgent(),
      minutes: this.#random.chance(0.03) ? 1440 + this.#random.nextInt(600) : 1 + this.#random.nextInt(150),
      isBillable: this.#random.chance(0.6),
      executedAt: Math.floor(this.#at / DAY) * DAY,
    });
  }

  /** Moves the ticket to spam or to the trash. Some tickets are restored later. */
  #discard(): void {
    const performer = this.#agent();
    this.#add({ kind: 'moved', view: this.#random.chance(0.5) ? 'spam' : 'trash', performer });
    if (this.#random.chance(0.3)) {
      this.#at += this.#random.nextDuration(MINUTE, 10 * DAY);
      this.#add({ kind: 'moved', view: 'live', performer });
    } else this.#finish();
  }

  /**
   * Changes properties of the ticket in a whole second. The history of activities contains no
   * milliseconds, so several changes in one second have only an order.
   */
  #change(values: Omit<TicketUpdated, 'kind' | 'performer'>, performer: Performer): void {
    const last = this.entries.findLast(({ event }) => event.kind === 'created' || event.kind === 'updated');
    if (last !== undefined && floorToSecond(last.at) >= floorToSecond(this.#at))
      this.#at = this.#canShareSecond(last, values.status) ? last.at : last.at + SECOND;
    this.#at = floorToSecond(this.#at);
    this.#applyChange(values, performer);
  }

  /**
   * Whether a change can happen in the second of the previous change. Freshdesk stores the times of
   * resolutions, so no status follows a resolved status within a second.
   * @param status the new status; undefined: the status does not change.
   */
  #canShareSecond({ at, event }: LogEntry, status: number | undefined): boolean {
    if (event.kind !== 'updated' || at % SECOND !== 0) return false;
    return status === undefined || !(this.#isResolvedStatus(status) || this.#isResolvedStatus(this.#status));
  }

  #isResolvedStatus(status: number): boolean {
    return status === RESOLVED || status === CLOSED || this.#directory.resolvedStatuses.includes(status);
  }

  /** Adds an event with the properties that differ from their present values. */
  #applyChange(values: Omit<TicketUpdated, 'kind' | 'performer'>, performer: Performer): void {
    const { status, priority, groupId, agentId } = values;
    const changes = {
      ...(status === undefined || status === this.#status ? {} : { status }),
      ...(priority === undefined || priority === this.#priority ? {} : { priority }),
      ...(groupId === undefined || groupId === this.#groupId ? {} : { groupId }),
      ...(agentId === undefined || agentId === this.#agentId ? {} : { agentId }),
    };
    if (Object.keys(changes).length === 0) return;
    this.#status = status ?? this.#status;
    this.#priority = priority ?? this.#priority;
    this.#groupId = groupId === undefined ? this.#groupId : groupId;
    this.#agentId = agentId === undefined ? this.#agentId : agentId;
    this.#add({ kind: 'updated', ...changes, performer });
  }

  #addOptionalMessage(type: MessageType): void {
    if (this.#random.chance(this.#bounds.detail)) this.#addMessage(type, this.#assignedAgent());
  }

  #addMessage(type: MessageType, authorId: number, createdAt = this.#at): void {
    const isDue = type === 'customer_message' && this.#random.chance(0.7);
    const nextResponseDueAt = isDue
      ? floorToSecond(createdAt) + (FIRST_RESPONSE_HOURS[this.#priority] ?? 24) * HOUR
      : null;
    this.#add({ kind: 'message', type, authorId, createdAt, nextResponseDueAt });
  }

  #isWaiting(): boolean {
    return this.#status === PENDING || this.#directory.waitingStatuses.includes(this.#status);
  }

  #isEnded(): boolean {
    return this.#status === CLOSED || this.#directory.resolvedStatuses.includes(this.#status);
  }

  /** Returns the assigned agent, or any agent if the ticket is not assigned. */
  #assignedAgent(): number {
    return this.#agentId ?? this.#random.pick(this.#directory.agentIds);
  }

  #agent(): Performer {
    return { userId: this.#assignedAgent() };
  }

  #add(event: TicketEvent): void {
    this.entries.push({ at: this.#at, ticketId: this.#ticketId, event });
  }
}
