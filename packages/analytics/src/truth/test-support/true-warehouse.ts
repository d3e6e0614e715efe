import { getObject, toTable } from '@freshet/freshdesk-extractor';
import { STATUSES } from '@freshet/freshdesk-simulator/lifecycle';
import type { TestDatabase } from '@freshet/testing';
import { runReadOnly, type Warehouse } from '@freshet/warehouse-loader';
import {
  type AnalyticsTarget,
  type RefreshResult,
  type ReportArguments,
  type ReportResult,
  refreshAnalytics,
  runReport,
} from '../../index.ts';
import { loadLines, loadObject, openWarehouse } from './load-account.ts';
import { buildActivityLines } from './load-activities.ts';
import type { TrueAccount } from './true-account.ts';

/** The objects that every pipeline with models has, in addition to tickets. */
const REQUIRED_OBJECTS = ['ticket_fields', 'ticket_statuses', 'ticket_priorities', 'ticket_sources'];
/** The objects whose tables are missing if a pipeline or a plan lacks them. */
export const OPTIONAL_OBJECTS = [
  'conversations',
  'satisfaction_ratings',
  'time_entries',
  'groups',
  'agents',
  'contacts',
  'companies',
  'products',
];
const SCHEMA = 'acme';
const MODELS = 'acme_analytics';

export interface WarehouseContent {
  /** The objects of {@link OPTIONAL_OBJECTS} whose tables are loaded. */
  readonly objects: readonly string[];
  /** The start of the activities, in milliseconds; null: there is no table of activities. */
  readonly activitiesFrom: number | null;
  /** Whether the schedules and their history are loaded. */
  readonly hasSchedules: boolean;
  /** Whether the history of tickets is loaded. Default: false. */
  readonly hasTicketHistory?: boolean;
}

export type ModelRow = Readonly<Record<string, unknown>>;

/** A warehouse with the records of an account, and the models over its tables. */
export class TrueWarehouse implements AsyncDisposable {
  readonly #database: TestDatabase;
  readonly #warehouse: Warehouse;
  readonly #account: TrueAccount;
  readonly #content: WarehouseContent;

  constructor(database: TestDatabase, account: TrueAccount, content: WarehouseContent) {
    this.#database = database;
    this.#warehouse = openWarehouse(database.warehouseUrl);
    this.#account = account;
    this.#content = content;
  }

  /** Loads the present schedules. Their history contains every loaded version. */
  async loadSchedules(): Promise<void> {
    if (this.#content.hasSchedules) await this.#load('business_hours', true);
  }

  /**
   * Loads the present records of the account, as a run does.
   * @param since only the tickets that changed since this time are loaded. Default: all.
   */
  async loadAll(since = 0): Promise<void> {
    const { account, now } = this.#account;
    await this.#load('tickets', this.#content.hasTicketHistory, since);
    for (const name of [...REQUIRED_OBJECTS, ...this.#content.objects]) await this.#load(name, false, since);
    await this.loadSchedules();
    const { activitiesFrom } = this.#content;
    if (activitiesFrom === null) return;
    const table = toTable(getObject('ticket_activities'));
    const lines = buildActivityLines(account, { from: activitiesFrom, to: now, since });
    await loadLines(this.#warehouse, table, lines, { schema: SCHEMA, extractedAt: now });
  }

  /** Loads the present record of one ticket, so that the history of tickets contains it. */
  async loadTicketVersion(ticketId: number): Promise<void> {
    const { account, now } = this.#account;
    const object = getObject('tickets');
    const list = account.getList(object);
    const number = list.findNumber(ticketId);
    const record = account.renderRecord(object, number, new Set());
    const deleteKind = object.views[list.getView(number)]?.deleteKind ?? null;
    const line = deleteKind === null ? `{"record":${record}}` : `{"deleted":"${deleteKind}","record":${record}}`;
    await loadLines(this.#warehouse, toTable(object), [line], { schema: SCHEMA, extractedAt: now, hasHistory: true });
  }

  async #load(objectName: string, hasHistory = false, since = 0): Promise<void> {
    const { account, now } = this.#account;
    await loadObject(this.#warehouse, account, objectName, { schema: SCHEMA, extractedAt: now, hasHistory, since });
  }

  /** @param timeZone the setting of the pipeline. Null: the time zone of the default calendar. */
  async refresh(timeZone: string | null = null): Promise<RefreshResult> {
    const target: AnalyticsTarget = { schema: SCHEMA, tablePrefix: '', timeZone };
    return refreshAnalytics(this.#database.sql, target);
  }

  /**
   * Fills the tables of the user: the holidays, and the properties of custom statuses that the
   * account does not show.
   */
  async insertSettings(): Promise<void> {
    const { sql } = this.#database;
    const { holidays, scenario, hasStatusDetails } = this.#account;
    const holidayRows = holidays.map(({ schedule, day }, n) => ({
      schedule_id: schedule === null ? null : (scenario.scheduleIds[schedule] as number),
      day,
      name: `Holiday ${n}`,
    }));
    await sql`insert into ${sql(MODELS)}.business_holidays ${sql(holidayRows)}`;
    const statusRows = STATUSES.filter(({ id }) => id > 5).map(({ id, isResolved, stopsSlaTimer }) => ({
      status: id,
      is_resolved: isResolved,
      stops_sla_timer: hasStatusDetails ? null : stopsSlaTimer,
    }));
    await sql`insert into ${sql(MODELS)}.ticket_status_settings ${sql(statusRows)}`;
  }

  /**
   * Reads all rows of a model, in one transaction with the present time in microseconds. Intervals
   * are converted to seconds.
   */
  async readModel(model: string): Promise<{ readonly rows: readonly ModelRow[]; readonly now: bigint }> {
    const { sql } = this.#database;
    const columns = await sql<{ name: string }[]>`
      select column_name as name from information_schema.columns
      where table_schema = ${MODELS} and table_name = ${model} and data_type = 'interval'`;
    const seconds = columns.map(({ name }) => `'${name}', extract(epoch from m.${name})`).join(', ');
    const rows = await sql.unsafe<{ row: ModelRow; now: string }[]>(
      `select to_jsonb(m) || jsonb_build_object(${seconds}) as row,
         (extract(epoch from now()) * 1000000)::bigint::text as now
       from ${MODELS}.${model} m`,
    );
    return { rows: rows.map(({ row }) => row), now: BigInt(rows[0]?.now ?? 0) };
  }

  /** Runs a report, with limits that the tests do not reach. */
  async runReport(name: string, parameters: ReportArguments): Promise<ReportResult> {
    const target: AnalyticsTarget = { schema: SCHEMA, tablePrefix: '', timeZone: null };
    return runReadOnly(this.#database.sql, 60_000, (transaction) =>
      runReport(transaction, target, name, parameters, { limit: 10_000 }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#warehouse.close();
  }
}
