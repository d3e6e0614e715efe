import { AppError, RawObject } from '@freshet/contracts';
import {
  catalogue,
  extract,
  type ListPage,
  type ObjectSpec,
  type Page,
  type Position,
  type RecordSource,
} from '@freshet/freshdesk-extractor';
import { SimulatedAccount } from '../account.ts';
import { type ListQuirks, renderListPage } from '../lists.ts';
import { hash } from '../random.ts';
import { MAX_CHANGE_RATE, RandomChanges } from './random-changes.ts';
import { SimulatedWarehouse } from './simulated-warehouse.ts';

/**
 * Deterministic simulation of extraction from an account that can change between any two requests.
 * It runs the real strategies against the simulator's lists without sockets, so a seed takes only a
 * fraction of a second. The seed of a failure reproduces the failure exactly.
 *
 * Pages are small and few, and changes are frequent: edits, creations and moves between views
 * follow the requests. Some updates give many records the same timestamp. The pages of the list can
 * be too few for these records. Extraction is killed at random pages and resumes from the stored
 * position. With every strategy except `keyset`, the rows must match the account after each run
 * within the coverage that the run claims. After the last change, one more run must make the rows
 * equal to the account (I3).
 */
export interface SimulationOptions {
  readonly seed: number;
  /**
   * The strategy. `lookback` is `changed-since` with a filter that returns new records but no
   * edits. With `lookback`, only missing records and wrong deletions count as differences.
   */
  readonly strategy: 'keyset' | 'changed-since' | 'lookback' | 'full-list';
  readonly quirks?: ListQuirks;
  /**
   * The longest delay until a change is visible. The strategies allow for a delay of up to
   * `LAG_SECONDS`.
   */
  readonly lagSeconds?: number;
  /**
   * The number of pages that the list serves. With few pages, the records in the middle of a large
   * tie cannot be reached from either end of the list.
   */
  readonly pagesMax?: number;
  /** Some edits set an `updated_at` in the past. */
  readonly backdatedEdits?: boolean;
}

export interface SimulationResult {
  /** Rows that differ from the account after the last run: `<key> <difference>`. */
  readonly differences: readonly string[];
  readonly requests: number;
  /**
   * Differences within the coverage that a finished run claims: `run <run>: <key> <difference>`.
   * Empty for the `keyset` strategy, for which the coverage is not checked.
   */
  readonly falseClaims: readonly string[];
  /** Codes of the errors that ended runs. */
  readonly errorCodes: readonly string[];
}

/** The strategies allow for lists that show a change up to this many seconds late. */
const LAG_SECONDS = 5;
const RECORDS = 150;
const PAGE_SIZE = 10;
const PAGES_MAX = 9;
const RUNS = 4;
const START = Date.parse('2026-01-01T00:00:00Z');
const COLUMNS = new Set(['id', 'name', 'created_at', 'updated_at']);

/** Possible orders of a list whose order is not documented. */
const ORDERS = [
  ['id', 'asc'],
  ['created_at', 'desc'],
  ['updated_at', 'asc'],
  ['updated_at', 'desc'],
] as const;

export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const simulation = new Simulation(options);
  for (let run = 1; run <= RUNS; run++) await simulation.run(run, run === RUNS);
  return simulation.getResult();
}

class Simulation {
  readonly #options: SimulationOptions;
  readonly #object: ObjectSpec;
  readonly #account: SimulatedAccount;
  readonly #changes: RandomChanges;
  readonly #warehouse: SimulatedWarehouse;
  readonly #source: RecordSource;
  readonly #falseClaims: string[] = [];
  readonly #errorCodes: string[] = [];
  #draws = 0;
  #now = START;
  #requests = 0;
  #isChanging = true;
  #position: Position | null = null;

  constructor(options: SimulationOptions) {
    const { seed, strategy, backdatedEdits = false, lagSeconds = 0, pagesMax = PAGES_MAX } = options;
    this.#options = options;
    this.#object = buildSmallObject(options, pagesMax);
    this.#account = new SimulatedAccount({
      seed,
      counts: { [this.#object.name]: RECORDS },
      asOf: new Date(START - 1000),
      spanDays: 20,
      now: () => this.#now,
      lagSeconds,
    });
    this.#changes = new RandomChanges({
      account: this.#account,
      object: this.#object,
      random: (below) => this.#random(below),
      isKeyset: strategy === 'keyset',
      // Lists that are read by page number are sensitive to a single change at a critical moment as
      // well as to many changes, so test several rates.
      rate: strategy === 'keyset' ? MAX_CHANGE_RATE : ([3, 15, 50, MAX_CHANGE_RATE][seed % 4] as number),
      backdatedEdits,
    });
    this.#warehouse = new SimulatedWarehouse(this.#account, this.#object);
    this.#source = { list: async (_path, query) => this.#list(query), get: async (path) => this.#get(path) };
  }

  /**
   * Runs one sync. After a kill, the sync resumes until it finishes. After an error, the sync ends,
   * and the next sync resumes from the stored position.
   */
  async run(run: number, isLast: boolean): Promise<void> {
    if (isLast) {
      // Stop the changes, and wait until all earlier changes are visible.
      this.#isChanging = false;
      this.#now += (LAG_SECONDS + (this.#options.lagSeconds ?? 0)) * 1000;
    }
    for (let isFinished = false; !isFinished; ) {
      try {
        isFinished = await this.#runSlice(run);
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        this.#errorCodes.push(error.code);
        isFinished = true;
      }
    }
    this.#now += this.#random(600_000);
  }

  getResult(): SimulationResult {
    return {
      differences: this.#warehouse.findDifferences({ ignoreVersions: this.#options.strategy === 'lookback' }),
      falseClaims: this.#falseClaims,
      requests: this.#requests,
      errorCodes: this.#errorCodes,
    };
  }

  /** Extracts until the run finishes or is killed. @returns whether the run has finished. */
  async #runSlice(run: number): Promise<boolean> {
    const pagesUntilKill = this.#random(3) === 0 ? 1 + this.#random(20) : Number.POSITIVE_INFINITY;
    let pages = 0;
    for await (const page of extract(this.#source, this.#object, this.#position, {
      historyFrom: null,
      readingId: `run ${run}`,
      fetchUnits: async () => [],
    })) {
      this.#warehouse.load(page);
      this.#position = page.position;
      if (page.isLast) {
        this.#falseClaims.push(...this.#findFalseClaims(page).map((difference) => `run ${run}: ${difference}`));
        return true;
      }
      if (++pages >= pagesUntilKill) return false;
    }
    return false;
  }

  /**
   * Finds differences within the coverage that a finished run claims. If a read of a full list did
   * not end with a proof of completeness, only wrong deletions count.
   */
  #findFalseClaims(page: Page): string[] {
    const { strategy } = this.#options;
    if (strategy === 'keyset') return [];
    const isUnstable =
      strategy === 'full-list' && !page.lines.some((line) => Buffer.concat(line).includes('"generation"'));
    // The coverage of a full list extends to the start of the read, and does not allow for the lag
    // of the list.
    const allowance = strategy === 'full-list' ? LAG_SECONDS * 1000 : 0;
    const differences = this.#warehouse.findDifferences({
      ignoreVersions: strategy === 'lookback',
      changedBefore: (page.coverage?.completeAsOf.getTime() ?? 0) - allowance,
    });
    return isUnstable ? differences.filter((difference) => difference.includes('marked')) : differences;
  }

  #list(query: Readonly<Record<string, string>>): ListPage {
    this.#countRequest();
    const page = renderListPage(
      this.#account,
      { object: this.#object },
      new URLSearchParams(query),
      this.#options.quirks ?? {},
    );
    if (page === null || 'invalid' in page)
      throw new AppError('source_invalid_request', `Invalid request: ${JSON.stringify(page)}`);
    const serverTime = new Date(this.#account.nowSeconds() * 1000);
    if (this.#isChanging) this.#changes.apply();
    const records = (RawObject.parseList(page.body) ?? []).map((raw) => ({ raw }));
    return { records, hasNext: page.hasNext, serverTime };
  }

  #get(path: string): { readonly raw: RawObject; readonly serverTime: Date } {
    this.#countRequest();
    const key = Number(path.split('/').at(-1));
    const record = [...this.#account.listAllRecords(this.#object.name)].find(
      ({ text }) => (JSON.parse(text) as { id: number }).id === key,
    );
    if (!record) throw new AppError('source_not_found', path);
    return { raw: RawObject.parse(Buffer.from(record.text)), serverTime: new Date(this.#now) };
  }

  #countRequest(): void {
    this.#requests++;
    this.#now += 50 + this.#random(900);
  }

  #random(below: number): number {
    return hash(this.#options.seed, this.#draws++, 99) % below;
  }
}

/**
 * Returns a reduced copy of a catalogue object that uses the given strategy. The copy has fewer
 * columns and smaller pages.
 */
function buildSmallObject({ strategy, seed }: SimulationOptions, pagesMax: number): ObjectSpec {
  const { kind, matches } = {
    keyset: { kind: 'keyset', matches: (o: ObjectSpec) => o.views.length > 1 },
    'changed-since': { kind: 'changed-since', matches: (o: ObjectSpec) => o.views.length > 1 },
    lookback: {
      kind: 'changed-since',
      matches: (o: ObjectSpec) => o.strategy.kind === 'changed-since' && o.strategy.cursorColumn === 'created_at',
    },
    'full-list': {
      kind: 'full-list',
      matches: (o: ObjectSpec) => o.list.defaultOrder[0] === 'name' && o.parseRecords === null,
    },
  }[strategy];
  const object = catalogue.find((o) => o.strategy.kind === kind && matches(o)) as ObjectSpec;
  const defaultOrder =
    strategy === 'lookback'
      ? (ORDERS[(seed >>> 2) % ORDERS.length] as ObjectSpec['list']['defaultOrder'])
      : object.list.defaultOrder;
  // Disable the rolling reread for half of the seeds. With these seeds, the simulation detects a
  // first read that missed a record, which a reread would repair.
  const lookback =
    strategy === 'lookback' ? { lookbackDays: 1, ...(seed % 2 === 0 ? { rereadSyncs: undefined } : {}) } : {};
  return {
    ...object,
    list: { ...object.list, defaultOrder },
    pageSize: PAGE_SIZE,
    maxPages: object.maxPages === null ? null : pagesMax,
    include: object.include.slice(0, 1),
    columns: object.columns.filter((c) => COLUMNS.has(c.name)),
    strategy: { ...object.strategy, lagSeconds: LAG_SECONDS, ...lookback } as ObjectSpec['strategy'],
  };
}
