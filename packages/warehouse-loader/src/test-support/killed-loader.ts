import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { expect } from 'vitest';
import { moment } from './loading.ts';
import type { plannedBatches } from './planned-batches.ts';

/** A process that loads planned batches. @param more how many of them, and whether with history. */
export function start(
  url: string,
  seed: number,
  direction: string,
  more: readonly string[] = [],
): { child: ChildProcess; loading: Promise<unknown>; gone: Promise<number | null> } {
  const script = fileURLToPath(new URL('./load-all.ts', import.meta.url));
  const child = fork(script, [url, String(seed), direction, ...more], {
    execArgv: [],
    stdio: ['ignore', 'pipe', 'ignore', 'ipc'],
  });
  const gone = once(child, 'exit').then(([status]) => status as number | null);
  return { child, loading: Promise.race([once(child.stdout as NodeJS.ReadableStream, 'data'), gone]), gone };
}

/** Whatever was committed agrees with itself; at the end it is everything. */
export async function check(
  url: string,
  planned: ReturnType<typeof plannedBatches>,
  isAll: boolean,
  context: string,
): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    const made = await client.query<{ there: boolean }>(`select to_regclass('acme.things') is not null as there`);
    if (made.rows[0]?.there !== true) return;
    const ledger = await client.query<{ batch_id: string; inserted: string; sum: string; records: string }>(
      'select batch_id, inserted, inserted + updated + unchanged + rejected as sum, records from acme._freshet_batches',
    );
    const applied = new Set(ledger.rows.map((r) => r.batch_id));
    if (isAll) expect(applied.size, context).toBe(planned.length);
    expect(ledger.rows.filter((r) => r.sum !== r.records, context)).toEqual([]);
    const newest = new Map<number, number>();
    for (const { batch, records } of planned) {
      if (applied.has(batch.id))
        for (const { id, version } of records) newest.set(id, Math.max(version, newest.get(id) ?? 0));
    }
    const rows = await client.query<{ id: string; at: Date; name: string }>(
      'select id, updated_at as at, name from acme.things',
    );
    expect(rows.rows.length, context).toBe(ledger.rows.reduce((sum, r) => sum + Number(r.inserted), 0));
    expect(new Map(rows.rows.map((r) => [Number(r.id), `${r.at.toISOString()} ${r.name}`])), context).toEqual(
      new Map([...newest].map(([id, version]) => [id, `${moment(version)} version ${version}`])),
    );
    const counted = await client.query<{ n: number }>(
      'select coalesce(sum(row_count), 0)::int as n from acme._freshet_objects',
    );
    expect(counted.rows[0]?.n, context).toBe(newest.size);
  } finally {
    await client.end();
  }
}
