import type postgres from 'postgres';
import { CASE_AGENTS, CASE_CALENDARS, CASE_GROUPS, CASE_STATUSES } from '../cases/account.ts';
import type { Random } from './random.ts';
import { type SourceRow, TestWarehouse } from './warehouse.ts';

const STATUS_LABELS = CASE_STATUSES.map(({ value }) => value);
const DAY_MS = 86_400_000;
/** The end of the generated times, rounded to seconds, so that no time is in the future. */
const END = Math.floor(Date.now() / 1000) * 1000 - 3_600_000;
const SPAN_DAYS = 120;

/** An account with random tickets, and random changes of it. */
export class RandomAccount {
  readonly #random: Random;
  readonly #sql: postgres.Sql;
  readonly warehouse: TestWarehouse;
  readonly #tickets = new Set<number>();
  #nextId = 1;

  private constructor(sql: postgres.Sql, warehouse: TestWarehouse, random: Random) {
    this.#sql = sql;
    this.warehouse = warehouse;
    this.#random = random;
  }

  static async create(sql: postgres.Sql, random: Random, tickets: number): Promise<RandomAccount> {
    const warehouse = await TestWarehouse.create(sql, { schema: 'random' });
    const account = new RandomAccount(sql, warehouse, random);
    await warehouse.insert(
      'business_hours',
      CASE_CALENDARS.map((calendar) => ({ ...calendar, is_default: calendar.id === 1 })),
    );
    await warehouse.insert('groups', CASE_GROUPS);
    await warehouse.insert('agents', CASE_AGENTS);
    await warehouse.insert('ticket_fields', [{ name: 'status', type: 'default_status', choices: CASE_STATUSES }]);
    for (let n = 0; n < tickets; n++) await account.addTicket();
    return account;
  }

  /** Makes random changes: new tickets, messages, activities, ratings and deletions. */
  async change(count: number): Promise<void> {
    const changes = [
      () => this.addTicket(),
      () => this.#addMessages(this.#pickTicket(), 2),
      () => this.#addActivities(this.#pickTicket(), 2),
      () => this.#addRating(this.#pickTicket()),
      () => this.#addTimeEntry(this.#pickTicket()),
      () => this.#updateTicket(this.#pickTicket()),
      () =>
        this.#deleteRow(
          this.#random.pick(['conversations', 'satisfaction_ratings', 'time_entries', 'ticket_activities']),
        ),
      () => this.#eraseTicket(this.#pickTicket()),
    ];
    for (let n = 0; n < count; n++) await this.#random.pick(changes)();
  }

  async addTicket(): Promise<number> {
    const id = this.#nextId++;
    this.#tickets.add(id);
    const createdAt = this.#time();
    const status = this.#random.pick(CASE_STATUSES).id;
    await this.warehouse.insert('tickets', [
      {
        id,
        requester_id: 1000 + id,
        source: this.#random.pick([1, 2, 3, 10]),
        created_at: createdAt,
        ...this.#fields(createdAt, status),
      },
    ]);
    if (this.#random.chance(0.7)) await this.#addCreation(id, createdAt);
    await this.#addActivities(id, this.#random.integer(4));
    await this.#addMessages(id, this.#random.integer(6));
    if (this.#random.chance(0.3)) await this.#addRating(id);
    if (this.#random.chance(0.3)) await this.#addTimeEntry(id);
    return id;
  }

  #fields(createdAt: string, status: number): SourceRow {
    const resolved = this.#random.chance(0.8) ? this.#time(createdAt) : null;
    return {
      status,
      priority: 1 + this.#random.integer(4),
      group_id: this.#random.pick([...CASE_GROUPS.map((group) => group.id), null]),
      responder_id: this.#random.pick([1, 2, null]),
      company_id: this.#random.pick([1, 2, 3, null]),
      spam: this.#random.chance(0.05),
      fr_due_by: this.#random.chance(0.5) ? this.#time(createdAt) : null,
      due_by: this.#random.chance(0.5) ? this.#time(createdAt) : null,
      updated_at: new Date(END).toISOString(),
      tags: this.#random.chance(0.5) ? ['vip'] : [],
      stats: { resolved_at: resolved, closed_at: resolved, status_updated_at: resolved },
    };
  }

  async #addCreation(id: number, createdAt: string): Promise<void> {
    const activity = {
      new_ticket: true,
      status: this.#random.pick(STATUS_LABELS),
      group: 'Berlin',
      agent_id: 1,
      priority: 2,
    };
    await this.#insertActivity(id, createdAt, activity);
  }

  async #addActivities(id: number, count: number): Promise<void> {
    const createdAt = await this.#getCreation(id);
    for (let n = 0; n < count; n++) {
      const activity = this.#random.pick<SourceRow>([
        { status: this.#random.pick(STATUS_LABELS) },
        { status: this.#random.pick(CASE_STATUSES).id, priority: 1 + this.#random.integer(4) },
        { group: this.#random.pick(CASE_GROUPS).name },
        { agent_id: this.#random.pick([1, 2, null]) },
        { added_tags: ['vip'] },
        ...(this.#random.chance(0.1) ? [{ merged_into: 1 }] : []),
      ]);
      await this.#insertActivity(id, this.#time(createdAt), activity);
    }
  }

  async #insertActivity(id: number, at: string, activity: SourceRow): Promise<void> {
    const entry = `${id}-${this.#nextId++}`;
    await this.warehouse.insert('ticket_activities', [
      { id: entry, day: at.slice(0, 10), ticket_id: id, performed_at: at, position: (this.#nextId % 3) + 1, activity },
    ]);
  }

  async #addMessages(id: number, count: number): Promise<void> {
    const createdAt = await this.#getCreation(id);
    const rows = Array.from({ length: count }, () => {
      const incoming = this.#random.chance(0.4);
      const isPrivate = !incoming && this.#random.chance(0.3);
      return {
        id: this.#nextId++,
        ticket_id: id,
        incoming,
        private: isPrivate,
        source: isPrivate ? 2 : this.#random.pick([0, 0, 0, 6, 8]),
        auto_response: this.#random.chance(0.05),
        user_id: incoming ? 1000 + id : this.#random.pick([1, 2]),
        created_at: this.#time(createdAt),
      };
    });
    await this.warehouse.insert('conversations', rows);
  }

  async #addRating(id: number): Promise<void> {
    await this.warehouse.insert('satisfaction_ratings', [
      {
        id: this.#nextId++,
        ticket_id: id,
        agent_id: this.#random.pick([1, 2, null]),
        group_id: this.#random.pick([10, 20, null]),
        ratings: { default_question: this.#random.pick([103, 102, 101, 100, -101, -102, -103, 7]) },
        created_at: this.#time(),
      },
    ]);
  }

  async #addTimeEntry(id: number): Promise<void> {
    await this.warehouse.insert('time_entries', [
      {
        id: this.#nextId++,
        ticket_id: id,
        agent_id: this.#random.pick([1, 2]),
        time_spent: '00:45',
        executed_at: this.#time(),
      },
    ]);
  }

  async #updateTicket(id: number): Promise<void> {
    const fields = this.#fields(await this.#getCreation(id), this.#random.pick(CASE_STATUSES).id);
    await this.#sql.unsafe(
      `update ${this.warehouse.table('tickets')} t set (status, priority, group_id, responder_id, company_id, spam, stats) =
         (select r.status, r.priority, r.group_id, r.responder_id, r.company_id, r.spam, r.stats
          from jsonb_populate_record(null::${this.warehouse.table('tickets')}, $1::jsonb) r)
       where id = $2`,
      [fields as never, id],
    );
  }

  async #deleteRow(table: string): Promise<void> {
    await this.#sql.unsafe(
      `delete from ${this.warehouse.table(table)} where id = (
         select id from ${this.warehouse.table(table)} order by md5(id::text || $1::text) limit 1
       )`,
      [String(this.#random.integer(1000))],
    );
  }

  async #eraseTicket(id: number): Promise<void> {
    if (this.#tickets.size < 10) return;
    this.#tickets.delete(id);
    for (const table of ['conversations', 'ticket_activities', 'satisfaction_ratings', 'time_entries'])
      await this.#sql.unsafe(`delete from ${this.warehouse.table(table)} where ticket_id = $1`, [id]);
    await this.#sql.unsafe(`delete from ${this.warehouse.table('tickets')} where id = $1`, [id]);
  }

  #pickTicket(): number {
    return this.#random.pick([...this.#tickets]);
  }

  async #getCreation(id: number): Promise<string> {
    const [row] = await this.#sql.unsafe<{ created_at: Date }[]>(
      `select created_at from ${this.warehouse.table('tickets')} where id = $1`,
      [id],
    );
    return (row as { created_at: Date }).created_at.toISOString();
  }

  /** Returns a random time, in whole seconds, after `from`. */
  #time(from = new Date(END - SPAN_DAYS * DAY_MS).toISOString()): string {
    const start = Date.parse(from);
    // Most things happen within days.
    const part = this.#random.next() ** 3;
    return new Date(Math.floor((start + (END - start) * part) / 1000) * 1000).toISOString();
  }
}
