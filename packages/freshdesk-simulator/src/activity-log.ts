import { catalogue, getObject, type ObjectSpec, type Strategy } from '@freshet/freshdesk-extractor';
import { type AccountOptions, type Fields, NO_HIDDEN_COLUMNS } from './account-options.ts';
import { getGeneratedTimes, type RecordList } from './record-list.ts';
import type { RecordValues, RecordWriter } from './record-writer.ts';

/** One entry of the account's history: a change of a ticket. */
export interface Activity {
  /** In seconds since 1970. */
  readonly performedAt: number;
  readonly ticketId: number;
  readonly performerType: 'user' | 'system';
  /** The agent or the contact; null for the system. */
  readonly performerId: number | null;
  /** What changed, as the export of ticket activities shows it. */
  readonly activity: Fields;
}

type ExportObject = ObjectSpec & { readonly strategy: Extract<Strategy, { kind: 'daily-export' }> };

/** The object whose records are the account's history. */
export const exportObject = catalogue.find(({ strategy }) => strategy.kind === 'daily-export') as ExportObject;
/** The object whose changes are recorded. */
const ticketObject = getObject(
  exportObject.columns.find(
    ({ isOwner, references }) => isOwner && references !== null && getObject(references).maxPages !== null,
  )?.references as string,
);
const groupObject = ticketObject.columns.find(({ name }) => name === 'group_id')?.references as string;

const DAY_SECONDS = 86_400;
/** The time within which a generated record is last updated after its creation, with a margin. */
const GENERATED_UPDATE_DAYS = 7;
const OPEN = 2;

/** The `type` of a note in an activity, by the kind of message. */
const NOTE_TYPES = { public: 0, forward: 3, private: 4 } as const;
/** The `source` of a forwarded message. [documented] */
const FORWARD_SOURCE = 8;

/** Columns of a ticket that no activity shows. They are not generated. */
const HIDDEN_COLUMNS: ReadonlySet<string> = new Set(
  ticketObject.columns
    .map(({ name }) => name)
    .filter(
      (name) =>
        !['id', 'status', 'priority', 'group_id', 'responder_id', 'type', 'requester_id', 'source'].includes(name),
    ),
);

/** Fields of a ticket whose changes are recorded, with the names that the export uses. */
const RECORDED_FIELDS: Readonly<Record<string, string>> = {
  status: 'status',
  priority: 'priority',
  group_id: 'group',
  responder_id: 'agent_id',
  type: 'ticket_type',
  requester_id: 'requester_id',
  due_by: 'due_by',
};

const RECORDED_NAMES = Object.keys(RECORDED_FIELDS);

/**
 * The history of an account's tickets by time. Changes of the account are recorded. The history of
 * generated tickets is generated on request, for one day at a time: the creation, and the change to
 * the final status.
 */
export class ActivityLog {
  readonly #options: AccountOptions;
  readonly #lists: ReadonlyMap<string, RecordList>;
  readonly #writer: RecordWriter;
  /** In the order in which the changes were made. */
  readonly #recorded: Activity[] = [];
  /** Names of unchanged groups, by record number. */
  readonly #groupNames = new Map<number, unknown>();
  /** Labels of statuses, by number. */
  readonly #statusLabels = new Map<unknown, string>();

  constructor(options: AccountOptions, lists: ReadonlyMap<string, RecordList>, writer: RecordWriter) {
    this.#options = options;
    this.#lists = lists;
    this.#writer = writer;
    const statuses = ticketObject.columns.find(({ name }) => name === 'status')?.values ?? {};
    for (const [id, label] of Object.entries(statuses)) this.#statusLabels.set(Number(id), label);
  }

  /** Whether the log records changes of this object. */
  covers(objectName: string): boolean {
    return objectName === ticketObject.name;
  }

  /** Whether a change of these fields may have to be recorded. */
  hasRecordedField(fields: Fields): boolean {
    return Object.keys(fields).some((name) => name in RECORDED_FIELDS || name === 'tags');
  }

  /**
   * Records the creation of a ticket. The activity is rendered when it is first listed, because
   * accounts with many new tickets are often created only for their records.
   * @param fields the fields that differ from the generated record.
   */
  recordCreation(at: number, values: RecordValues, fields: Fields = {}): void {
    let described: Activity | null = null;
    const describe = () => {
      described ??= this.#describeCreation(at, {
        ...(JSON.parse(this.#writer.renderFromTemplate(ticketObject, values)) as Fields),
        ...fields,
      });
      return described;
    };
    this.#recorded.push({
      performedAt: at,
      ticketId: values.key,
      performerType: 'user',
      get performerId() {
        return describe().performerId;
      },
      get activity() {
        return describe().activity;
      },
    });
  }

  /** Records an update of a ticket. Nothing is recorded if no recorded field has changed. */
  recordUpdate(at: number, before: Fields, after: Fields): void {
    const changed = RECORDED_NAMES.filter((name) => (before[name] ?? null) !== (after[name] ?? null));
    const tags = before['tags'] === after['tags'] ? {} : describeTags(before['tags'], after['tags']);
    const activity = { ...this.#describeFields(after, changed), ...tags };
    if (Object.keys(activity).length > 0) this.#record(at, after, activity);
  }

  /**
   * Records that a ticket was moved to or from a list of deleted tickets.
   * @param changes the fields of a ticket that show the lists in which it is, such as `spam`.
   */
  recordMove(at: number, ticket: Fields, changes: Fields): void {
    this.#record(at, ticket, changes);
  }

  /** Records the merge of tickets into a primary ticket. */
  recordMerge(at: number, primary: Fields, others: readonly Fields[]): void {
    for (const other of others) this.#record(at, other, { merged_into: primary['id'] });
    this.#record(at, primary, { merged_tickets: others.map((other) => other['id']) });
  }

  /** Records a message on a ticket. Children that are not messages are not recorded. */
  recordChild(at: number, child: ObjectSpec, ticketId: number, fields: Fields): void {
    const isMessage =
      child.strategy.kind === 'children' &&
      this.covers(child.strategy.parent) &&
      child.columns.some(({ name }) => name === 'incoming');
    if (!isMessage) return;
    const type =
      fields['private'] === true
        ? NOTE_TYPES.private
        : fields['source'] === FORWARD_SOURCE
          ? NOTE_TYPES.forward
          : NOTE_TYPES.public;
    const author = fields['user_id'];
    this.#recorded.push({
      performedAt: at,
      ticketId,
      performerType: typeof author === 'number' ? 'user' : 'system',
      performerId: typeof author === 'number' ? author : null,
      activity: { note: { id: fields['id'], type } },
    });
  }

  /** Lists the activities from one time up to another, in seconds, oldest first. */
  list(from: number, to: number): Activity[] {
    const isInRange = ({ performedAt }: Activity) => performedAt >= from && performedAt < to;
    const activities = [...this.#generate(from, to), ...this.#recorded.filter(isInRange)];
    return activities.sort((a, b) => a.performedAt - b.performedAt);
  }

  #record(at: number, ticket: Fields, activity: Fields): void {
    const agent = ticket['responder_id'];
    this.#recorded.push({
      performedAt: at,
      ticketId: ticket['id'] as number,
      performerType: typeof agent === 'number' ? 'user' : 'system',
      performerId: typeof agent === 'number' ? agent : null,
      activity,
    });
  }

  #describeCreation(at: number, ticket: Fields): Activity {
    const { id, requester_id: requester, source, priority } = ticket;
    return {
      performedAt: at,
      ticketId: id as number,
      performerType: 'user',
      performerId: (requester as number | null | undefined) ?? null,
      activity: {
        new_ticket: true,
        ...this.#describeFields(ticket, ['status', 'group_id', 'responder_id', 'requester_id', 'type']),
        priority,
        source,
      },
    };
  }

  #describeFields(ticket: Fields, names: readonly string[]): Fields {
    return Object.fromEntries(
      names
        .filter((name) => ticket[name] !== undefined)
        .map((name) => [RECORDED_FIELDS[name] as string, this.#describeValue(name, ticket[name])]),
    );
  }

  /** Returns the value that the export shows: labels of statuses, and names of groups. */
  #describeValue(name: string, value: unknown): unknown {
    if (name === 'status') return this.#statusLabels.get(value) ?? value;
    if (name !== 'group_id' || typeof value !== 'number') return value;
    const list = this.#lists.get(groupObject);
    const number = list?.findNumber(value) ?? -1;
    if (list === undefined || number < 0 || number >= list.length) return value;
    const edited = list.edits.get(number)?.['name'];
    if (edited !== undefined) return edited;
    const known = this.#groupNames.get(number);
    if (known !== undefined) return known;
    const group = this.#writer.renderRecord({ object: list.object, list, hidden: NO_HIDDEN_COLUMNS }, number);
    const label = (JSON.parse(group) as Fields)['name'] ?? value;
    this.#groupNames.set(number, label);
    return label;
  }

  /**
   * Generates the history of those generated tickets that were created, or changed to their final
   * status, in a range of time. The cost depends on the length of the range, not on the size of the
   * account.
   */
  *#generate(from: number, to: number): Generator<Activity> {
    const list = this.#lists.get(ticketObject.name) as RecordList;
    const { initialLength: count } = list;
    const { spanDays, asOf } = this.#options;
    const span = spanDays * DAY_SECONDS;
    const start = Math.floor(asOf.getTime() / 1000) - span;
    const toNumber = (time: number) => Math.ceil(((time - start) / span) * count);
    // A ticket was created up to one day before the time that its number suggests.
    const first = Math.max(0, toNumber(from - GENERATED_UPDATE_DAYS * DAY_SECONDS));
    const last = Math.min(count, toNumber(to + 2 * DAY_SECONDS));
    const { bulkSize, bulkAt } = getGeneratedTimes(this.#options, count, 0);
    if (bulkAt >= from && bulkAt < to)
      for (let n = 0; n < Math.min(first, bulkSize); n++) yield* this.#generateOne(list, n, from, to);
    for (let n = first; n < last; n++) yield* this.#generateOne(list, n, from, to);
  }

  *#generateOne(list: RecordList, number: number, from: number, to: number): Generator<Activity> {
    const { created, updated } = getGeneratedTimes(this.#options, list.initialLength, number);
    const isIn = (time: number) => time >= from && time < to;
    if (!isIn(created) && !isIn(updated)) return;
    const values = { key: list.getKey(number), createdAt: created, updatedAt: updated, number, parentKey: 0 };
    const ticket = JSON.parse(this.#writer.renderFromTemplate(ticketObject, values, HIDDEN_COLUMNS)) as Fields;
    const isUpdated = updated > created && ticket['status'] !== OPEN;
    if (isIn(created)) yield this.#describeCreation(created, isUpdated ? { ...ticket, status: OPEN } : ticket);
    if (!isUpdated || !isIn(updated)) return;
    const agent = ticket['responder_id'];
    yield {
      performedAt: updated,
      ticketId: values.key,
      performerType: typeof agent === 'number' ? 'user' : 'system',
      performerId: typeof agent === 'number' ? agent : null,
      activity: this.#describeFields(ticket, ['status']),
    };
  }
}

function describeTags(before: unknown, after: unknown): Fields {
  const [old, current] = [before, after].map((tags) => (Array.isArray(tags) ? (tags as unknown[]) : []));
  const added = (current ?? []).filter((tag) => !old?.includes(tag));
  const removed = (old ?? []).filter((tag) => !current?.includes(tag));
  return {
    ...(added.length > 0 ? { added_tags: added } : {}),
    ...(removed.length > 0 ? { removed_tags: removed } : {}),
  };
}
