import {
  type Budget,
  type ChildWork,
  type ClientOptions,
  extract,
  FreshdeskClient,
  objectNamed,
  type Page,
  type Position,
} from '@freshet/freshdesk-extractor';
import { FreshdeskSimulator, type SimulatorOptions } from '../index.ts';

/** A budget that never says no. */
const boundless: Budget = { take: async () => {}, learn: async () => {}, block: async () => {} };

export interface Opened extends AsyncDisposable {
  readonly simulator: FreshdeskSimulator;
  readonly client: FreshdeskClient;
}

/** A simulated account on a real socket, and a client for it. */
export async function open(
  options: SimulatorOptions = {},
  apiKey = 'demo-admin-key',
  more: Partial<ClientOptions> = {},
): Promise<Opened> {
  const simulator = new FreshdeskSimulator({ seed: 7, ...options });
  const origin = await simulator.listen();
  const client = new FreshdeskClient({
    account: { subdomain: 'demo', origin },
    apiKey,
    budget: boundless,
    creditClass: 'incremental',
    ...(options.now ? { now: options.now } : {}),
    ...more,
    limits: { backoffMs: 1, ...more.limits },
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

export interface Reading {
  readonly records: readonly {
    readonly id: number;
    readonly deleted: string | null;
    readonly fields: Record<string, unknown>;
  }[];
  readonly pages: readonly Page[];
  readonly position: Position | null;
}

export interface ReadingOptions {
  readonly position?: Position | null;
  readonly historyFrom?: Date | null;
  readonly detail?: boolean;
  /** Names the run; absent: all readings belong to one. */
  readonly readingId?: string;
  readonly pastUntil?: Date;
  readonly parents?: readonly ChildWork[];
  /** Called after each page, before the next is read. */
  readonly afterPage?: (page: Page, count: number) => void;
  /** Stops after so many pages, as a killed worker does. */
  readonly pagesMax?: number;
}

/** Reads one object to its end, or as far as it is told to. */
export async function read(
  client: FreshdeskClient,
  objectName: string,
  options: ReadingOptions = {},
): Promise<Reading> {
  const parents = [...(options.parents ?? [])];
  const pages: Page[] = [];
  let position = options.position ?? null;
  const reading = extract(client, objectNamed(objectName), position, {
    historyFrom: options.historyFrom ?? null,
    detail: options.detail ?? false,
    ...(options.pastUntil ? { pastUntil: options.pastUntil } : {}),
    readingId: options.readingId ?? 'reading',
    nextParents: async (limit) => parents.splice(0, limit),
  });
  for await (const page of reading) {
    pages.push(page);
    position = page.position;
    options.afterPage?.(page, pages.length);
    if (pages.length === options.pagesMax) break;
  }
  return { records: recordsOf(pages), pages, position };
}

export function textOfLine(line: Page['lines'][number] | undefined): string {
  return Buffer.concat(line ?? []).toString();
}

export function recordsOf(pages: readonly Page[]): Reading['records'] {
  const lines = pages.flatMap((page) =>
    page.lines.map((line) => JSON.parse(textOfLine(line)) as { record?: Record<string, unknown>; deleted?: string }),
  );
  return lines.flatMap((line) =>
    line.record ? [{ id: line.record['id'] as number, deleted: line.deleted ?? null, fields: line.record }] : [],
  );
}

/** The newest version of each record in the order of reading, as a loader would keep it: id → what is left of it. */
export function latest(
  ...readings: readonly Reading[]
): Map<number, { deleted: string | null; fields: Record<string, unknown> }> {
  const rows = new Map<number, { deleted: string | null; fields: Record<string, unknown> }>();
  for (const { id, deleted, fields } of readings.flatMap((r) => r.records)) {
    const known = rows.get(id);
    if (!known || String(fields['updated_at']) >= String(known.fields['updated_at'])) rows.set(id, { deleted, fields });
  }
  return rows;
}

/** What the account holds: id → view's kind of deletion and fields. */
export function oracle(
  simulator: FreshdeskSimulator,
  objectName: string,
): Map<number, { deleted: string | null; fields: Record<string, unknown> }> {
  const rows = new Map<number, { deleted: string | null; fields: Record<string, unknown> }>();
  for (const { view, text } of simulator.account.everything(objectName)) {
    const fields = JSON.parse(text) as Record<string, unknown>;
    rows.set(fields['id'] as number, { deleted: view.deleted, fields });
  }
  return rows;
}
