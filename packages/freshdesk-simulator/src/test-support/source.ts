import { lookup } from 'node:dns';
import {
  type ClientOptions,
  type CreditBudget,
  extract,
  FreshdeskClient,
  getObject,
  type Page,
  type Position,
  type WorkUnit,
} from '@freshet/freshdesk-extractor';
import { FreshdeskSimulator, type SimulatorOptions } from '../index.ts';

const UNLIMITED_BUDGET: CreditBudget = { take: async () => {}, learn: async () => {}, block: async () => {} };

/** Allows connections to this machine, on which the simulator listens. */
const ANY_ADDRESS: Required<ClientOptions>['outboundPolicy'] = { check: () => {}, lookup };

export interface SimulatedSource extends AsyncDisposable {
  readonly simulator: FreshdeskSimulator;
  readonly client: FreshdeskClient;
}

/** Starts a simulated account on a real socket and creates a client for it. */
export async function openSource(
  options: SimulatorOptions = {},
  apiKey = 'demo-admin-key',
  clientOptions: Partial<ClientOptions> = {},
): Promise<SimulatedSource> {
  const simulator = new FreshdeskSimulator({ seed: 7, ...options });
  const origin = await simulator.listen();
  const client = new FreshdeskClient({
    account: { subdomain: 'demo', origin },
    apiKey,
    budget: UNLIMITED_BUDGET,
    creditClass: 'incremental',
    outboundPolicy: ANY_ADDRESS,
    ...(options.now ? { now: options.now } : {}),
    ...clientOptions,
    limits: { backoffMs: 1, ...clientOptions.limits },
  });
  return {
    simulator,
    client,
    [Symbol.asyncDispose]: async () => {
      await client.close();
      await simulator.close();
    },
  };
}

export interface ReadResult {
  readonly records: readonly {
    readonly id: number;
    readonly deleted: string | null;
    readonly fields: Record<string, unknown>;
  }[];
  readonly pages: readonly Page[];
  readonly position: Position | null;
}

export interface ReadObjectOptions {
  readonly position?: Position | null;
  readonly historyFrom?: Date | null;
  readonly detail?: boolean;
  /** Identifies the run. By default, all calls belong to the same run. */
  readonly readingId?: string;
  readonly backfillDeadline?: Date;
  readonly parents?: readonly WorkUnit[];
  /** Called after each page, before the next request. */
  readonly afterPage?: (page: Page, count: number) => void;
  /** Stops after this many pages, like a killed worker. */
  readonly pagesMax?: number;
}

/** Extracts one object until the extraction finishes or `pagesMax` is reached. */
export async function readObject(
  client: FreshdeskClient,
  objectName: string,
  options: ReadObjectOptions = {},
): Promise<ReadResult> {
  const parents = [...(options.parents ?? [])];
  const pages: Page[] = [];
  let position = options.position ?? null;
  const extraction = extract(client, getObject(objectName), position, {
    historyFrom: options.historyFrom ?? null,
    fetchDetail: options.detail ?? false,
    ...(options.backfillDeadline ? { backfillDeadline: options.backfillDeadline } : {}),
    readingId: options.readingId ?? 'reading',
    fetchUnits: async (limit) => parents.splice(0, limit),
  });
  for await (const page of extraction) {
    pages.push(page);
    position = page.position;
    options.afterPage?.(page, pages.length);
    if (pages.length === options.pagesMax) break;
  }
  return { records: parseRecords(pages), pages, position };
}

export function toLineText(line: Page['lines'][number] | undefined): string {
  return Buffer.concat(line ?? []).toString();
}

/** Parses the record lines of the pages, in order. */
export function parseRecords(pages: readonly Page[]): ReadResult['records'] {
  const lines = pages.flatMap((page) =>
    page.lines.map((line) => JSON.parse(toLineText(line)) as { record?: Record<string, unknown>; deleted?: string }),
  );
  return lines.flatMap((line) =>
    line.record ? [{ id: line.record['id'] as number, deleted: line.deleted ?? null, fields: line.record }] : [],
  );
}

/** The delete kind and the fields of each row, by id. */
export type Rows = Map<number, { deleted: string | null; fields: Record<string, unknown> }>;

/** Merges results in order, as a loader would: the newest version of each record wins. */
export function mergeResults(...results: readonly ReadResult[]): Rows {
  const rows: Rows = new Map();
  for (const { id, deleted, fields } of results.flatMap((result) => result.records)) {
    const row = rows.get(id);
    if (!row || String(fields['updated_at']) >= String(row.fields['updated_at'])) rows.set(id, { deleted, fields });
  }
  return rows;
}

/** Returns the rows that a table must contain to match the account. */
export function getExpectedRows(simulator: FreshdeskSimulator, objectName: string): Rows {
  const rows: Rows = new Map();
  for (const { view, text } of simulator.account.listAllRecords(objectName)) {
    const fields = JSON.parse(text) as Record<string, unknown>;
    rows.set(fields['id'] as number, { deleted: view.deleteKind, fields });
  }
  return rows;
}

/**
 * Returns the id, delete kind and version of each row, for comparisons that ignore the other
 * fields.
 */
export function getVersions(rows: Rows): string[] {
  return [...rows].map(([id, { deleted, fields }]) => `${id} ${deleted} ${String(fields['updated_at'])}`).sort();
}
