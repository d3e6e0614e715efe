import { AppError, RawObject, recordIn } from '@freshet/contracts';
import {
  catalogue,
  extract,
  type ListPage,
  type Lists,
  type ObjectSpec,
  type Page,
  type Position,
} from '@freshet/freshdesk-extractor';
import { SimulatedAccount } from './account.ts';
import { answerList, type ListQuirks } from './lists.ts';
import { hash } from './random.ts';

/**
 * A simulation of reading an account that changes between any two requests, from a seed that replays exactly: the real
 * algorithms against the real lists, without the sockets between them, so that thousands of seeds take seconds.
 *
 * Pages are small and few, changes many: each request is followed by edits, creations, records moved to the trash and
 * back, and now and then a bulk change that gives half of the records one timestamp, more than the list has pages for.
 * Readers are killed at random pages and go on from what was stored. After each run, what it claims to hold must be stored.
 * After the changes have stopped, one more reading must make the stored records equal the account (I3).
 */
export interface SimulationOptions {
  readonly seed: number;
  /**
   * How the list is read. `lookback` is `since` with a filter that returns creations but not edits; what stays wrong is then
   * only a record that no reading has stored.
   */
  readonly way: 'keyset' | 'since' | 'lookback' | 'sweep';
  readonly quirks?: ListQuirks;
  /** How late changes show; readers assume `LAG_SECONDS` at most. */
  readonly lagSeconds?: number;
  /** How many pages the list answers; fewer make seconds of which neither end reaches the middle. */
  readonly pagesMax?: number;
  /** Some edits carry an `updated_at` of the past. */
  readonly backdatedEdits?: boolean;
}

export interface SimulationResult {
  /** Records of which the readings have not stored the last version, or none; `<key> <what is wrong>`. */
  readonly wrong: readonly string[];
  readonly requests: number;
  /** Records that a finished run claimed to hold, or marked as deleted, wrongly: `<run> <key> <what is wrong>`. */
  readonly overclaimed: readonly string[];
  /** Codes of the errors with which readings stopped. */
  readonly stopped: readonly string[];
}

/** What the readers of the simulation assume of the account's lag. */
const LAG_SECONDS = 5;
const RECORDS = 150;
const PAGE_SIZE = 10;
const PAGES_MAX = 9;
const RUNS = 4;
const START = Date.parse('2026-01-01T00:00:00Z');
const KEPT = new Set(['id', 'name', 'created_at', 'updated_at']);

interface Stored {
  readonly version: number;
  readonly readAt: number;
  readonly deleted: string | null;
  /** The last generation that held it. */
  readonly generation: string | null;
}

/** Orders in which a list that documents none may come. */
const ORDERS = [
  ['id', 'asc'],
  ['created_at', 'desc'],
  ['updated_at', 'asc'],
  ['updated_at', 'desc'],
] as const;

export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
  const { seed } = options;
  let draws = 0;
  const random = (below: number) => hash(seed, draws++, 99) % below;
  const object = smallObject(options, options.pagesMax ?? PAGES_MAX);
  let now = START;
  const account = new SimulatedAccount({
    seed,
    counts: { [object.name]: RECORDS },
    asOf: new Date(START - 1000),
    spanDays: 20,
    now: () => now,
    lagSeconds: options.lagSeconds ?? 0,
  });
  let requests = 0;
  let changing = true;

  // Changes in 100 requests. A list that is read by page number must stand a few at the wrong moments as well as many.
  const changeRate = options.way === 'keyset' ? 150 : ([3, 15, 50, 150][seed % 4] as number);
  const change = () => {
    const list = account.listOf(object);
    const number = random(list.length);
    const key = list.keyOf(number);
    if (options.way !== 'keyset') {
      // A record that was deleted for good does not come back.
      if (object.views[list.viewOf(number)] === undefined) return;
      if (random(8) === 0) return account.remove(object.name, key);
    }
    const kind = random(20);
    const view = object.views[object.views.length === 1 ? 0 : 1 + random(object.views.length - 1)]?.name as string;
    if (kind === 0 || (kind === 1 && object.views.length === 1)) account.create(object.name);
    else if (kind === 1) account.move(object.name, key, view);
    else if (kind === 2) account.move(object.name, key, object.views[0]?.name as string);
    else if (options.backdatedEdits === true && kind < 8)
      account.update(object.name, key, {}, account.nowSeconds() - 3600);
    else account.update(object.name, key, kind < 6 ? { name: `renamed ${random(1000)}` } : {});
  };
  const bulkRemoval = () => {
    const list = account.listOf(object);
    const from = random(list.length);
    for (let i = 0; i < 2 + random(5); i++) {
      const number = (from + i) % list.length;
      if (object.views[list.viewOf(number)] !== undefined) account.remove(object.name, list.keyOf(number));
    }
  };
  const bulkChange = () => {
    const list = account.listOf(object);
    const from = random(list.length);
    for (let i = 0; i < 20 + random(130); i++) account.update(object.name, list.keyOf((from + i) % list.length), {});
  };

  const lists: Lists = {
    list: async (_path, query) => {
      requests++;
      now += 50 + random(900);
      const page = pageOf(account, object, query, options.quirks ?? {});
      if (changing) {
        if (changeRate === 150) for (let n = random(4); n > 0; n--) change();
        else if (random(100) < changeRate) change();
        if (random(changeRate === 150 ? 60 : 600) === 0) bulkChange();
        if (options.way !== 'keyset' && random(40) === 0) bulkRemoval();
      }
      return page;
    },
    view: async (path) => {
      requests++;
      now += 50 + random(900);
      const record = [...account.everything(object.name)].find(
        ({ text }) => (JSON.parse(text) as { id: number }).id === Number(path.split('/').at(-1)),
      );
      if (!record) throw new AppError('source_not_found', path);
      return { raw: RawObject.of(Buffer.from(record.text)), serverTime: new Date(now) };
    },
  };

  const stored = new Map<string, Stored>();
  const overclaimed: string[] = [];
  const stopped: string[] = [];
  let position: Position | null = null;
  for (let run = 1; run <= RUNS; run++) {
    if (run === RUNS) {
      // Everything that was changed shows by now, and nothing changes any more.
      changing = false;
      now += (LAG_SECONDS + (options.lagSeconds ?? 0)) * 1000;
    }
    // A run goes on after kills until it is finished; one that stops with an error is tried again by the next.
    for (let finished = false; !finished; ) {
      const killAfter = random(3) === 0 ? 1 + random(20) : Number.POSITIVE_INFINITY;
      let pages = 0;
      try {
        for await (const page of extract(lists, object, position, {
          historyFrom: null,
          readingId: `run ${run}`,
          nextParents: async () => [],
        })) {
          store(stored, page);
          position = page.position;
          finished = page.finished;
          if (page.finished)
            overclaimed.push(
              ...checkClaims(account, object, stored, page, options).map((wrong) => `run ${run}: ${wrong}`),
            );
          if (++pages >= killAfter) break;
        }
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        stopped.push(error.code);
        finished = true;
      }
    }
    now += random(600_000);
  }
  return { wrong: compare(account, object, stored, options), overclaimed, requests, stopped };
}

/** The catalogue's own object, with fewer columns and smaller pages. */
function smallObject({ way, seed }: SimulationOptions, pagesMax: number): ObjectSpec {
  const { kind, suits } = {
    keyset: { kind: 'keyset', suits: (o: ObjectSpec) => o.views.length > 1 },
    since: { kind: 'since', suits: (o: ObjectSpec) => o.views.length > 1 },
    lookback: { kind: 'since', suits: (o: ObjectSpec) => o.way.kind === 'since' && o.way.column === 'created_at' },
    sweep: { kind: 'sweep', suits: (o: ObjectSpec) => o.list.defaultOrder[0] === 'name' && o.rows === null },
  }[way];
  const found = catalogue.find((o) => o.way.kind === kind && suits(o)) as ObjectSpec;
  const order =
    way === 'lookback'
      ? {
          list: {
            ...found.list,
            defaultOrder: ORDERS[(seed >>> 2) % ORDERS.length] as ObjectSpec['list']['defaultOrder'],
          },
        }
      : {};
  // Half of the lists are not read again in parts, so that nothing repairs a first reading that has missed a record.
  const lookback = way === 'lookback' ? { lookbackDays: 1, ...(seed % 2 === 0 ? { rereadSyncs: undefined } : {}) } : {};
  return {
    ...found,
    ...order,
    pageSize: PAGE_SIZE,
    maxPages: found.maxPages === null ? null : pagesMax,
    include: found.include.slice(0, 1),
    columns: found.columns.filter((c) => KEPT.has(c.name)),
    way: { ...found.way, lagSeconds: LAG_SECONDS, ...lookback } as ObjectSpec['way'],
  };
}

function pageOf(
  account: SimulatedAccount,
  object: ObjectSpec,
  query: Readonly<Record<string, string>>,
  quirks: ListQuirks,
): ListPage {
  const answer = answerList(account, object, undefined, new URLSearchParams(query), quirks);
  if (answer === null || 'invalid' in answer)
    throw new AppError('source_invalid_request', `Refused: ${JSON.stringify(answer)}`);
  return {
    records: (RawObject.allOf(answer.body) ?? []).map((raw) => ({ raw })),
    hasNext: answer.hasNext,
    serverTime: new Date(account.nowSeconds() * 1000),
  };
}

/** As the loader keeps the newest of each key: by version, then by the time of reading, then by order. */
function store(stored: Map<string, Stored>, { lines, extractedAt, generation }: Page): void {
  for (const line of lines) {
    const bytes = Buffer.concat(line);
    const found = recordIn(bytes);
    if (found === null) {
      const ended = (JSON.parse(bytes.toString()) as { generation?: { id: string } }).generation;
      for (const [id, record] of ended ? stored : [])
        if (record.generation !== ended?.id) stored.set(id, { ...record, deleted: 'missing' });
      continue;
    }
    const record = RawObject.of(bytes, found.start, found.end);
    const id = String(record.get('id') as number);
    const fresh = {
      version: Date.parse(record.get('updated_at') as string),
      readAt: extractedAt.getTime(),
      deleted: found.deleted,
      generation,
    };
    const known = stored.get(id);
    const isOlder =
      known && (fresh.version < known.version || (fresh.version === known.version && fresh.readAt < known.readAt));
    if (!isOlder) stored.set(id, fresh);
  }
}

/** @param until RFC 3339 seconds: only records that have not changed since then. */
function compare(
  account: SimulatedAccount,
  object: ObjectSpec,
  stored: ReadonlyMap<string, Stored>,
  { way }: SimulationOptions,
  until = Number.POSITIVE_INFINITY,
): string[] {
  const wrong: string[] = [];
  for (const { view, text } of account.everything(object.name)) {
    const { id, updated_at } = JSON.parse(text) as { id: number; updated_at: string };
    if (Date.parse(updated_at) >= until) continue;
    const have = stored.get(String(id));
    if (!have) wrong.push(`${id} missing`);
    else if (way !== 'lookback' && have.version !== Date.parse(updated_at)) {
      wrong.push(`${id} stale: ${new Date(have.version).toISOString()} instead of ${updated_at}`);
    } else if (have.deleted !== view.deleted) wrong.push(`${id} marked ${have.deleted} instead of ${view.deleted}`);
  }
  return wrong;
}

/** What a finished run claims to hold, and does not; of a list that never held still only what it deleted wrongly. */
function checkClaims(
  account: SimulatedAccount,
  object: ObjectSpec,
  stored: ReadonlyMap<string, Stored>,
  page: Page,
  options: SimulationOptions,
): string[] {
  if (options.way === 'keyset') return [];
  const isUnsettled =
    options.way === 'sweep' && !page.lines.some((line) => Buffer.concat(line).includes('"generation"'));
  // A complete reading says when it began, whatever the lag of the list.
  const until = (page.reached?.completeAsOf.getTime() ?? 0) - (options.way === 'sweep' ? LAG_SECONDS * 1000 : 0);
  const wrong = compare(account, object, stored, options, until);
  return isUnsettled ? wrong.filter((text) => text.includes('marked')) : wrong;
}
