import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { expect } from 'vitest';
import type { PlannedBatch } from './planned-batches.ts';
import { toTime } from './test-loader.ts';

export interface LoaderProcess {
  readonly child: ChildProcess;
  /** Resolves when the process starts to load, or when it exits without loading. */
  readonly started: Promise<unknown>;
  /** Resolves to the exit status; null: a signal ended the process. */
  readonly exited: Promise<number | null>;
}

/**
 * Starts a process that loads planned batches.
 * @param more optional arguments: the number of batches, and `on` to enable the history.
 */
export function startLoaderProcess(
  url: string,
  seed: number,
  direction: string,
  more: readonly string[] = [],
): LoaderProcess {
  const script = fileURLToPath(new URL('./loader-process.ts', import.meta.url));
  const child = fork(script, [url, String(seed), direction, ...more], {
    execArgv: [],
    // Tests start dozens of these processes, so each reuses the code that the first one compiled.
    env: { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), 'node-compile-cache') },
    stdio: ['ignore', 'pipe', 'ignore', 'ipc'],
  });
  const exited = once(child, 'exit').then(([status]) => status as number | null);
  return { child, started: Promise.race([once(child.stdout as NodeJS.ReadableStream, 'data'), exited]), exited };
}

/**
 * Verifies that the table agrees with the ledger, and with the planned batches that the ledger
 * contains.
 */
export async function checkWarehouse(
  url: string,
  planned: readonly PlannedBatch[],
  isComplete: boolean,
  context: string,
): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    const table = await client.query<{ exists: boolean }>(`select to_regclass('acme.things') is not null as exists`);
    if (table.rows[0]?.exists !== true) return;
    const ledger = await client.query<{ batch_id: string; inserted: string; sum: string; records: string }>(
      'select batch_id, inserted, inserted + updated + unchanged + rejected as sum, records from acme._freshet_batches',
    );
    const appliedIds = new Set(ledger.rows.map((r) => r.batch_id));
    if (isComplete) expect(appliedIds.size, context).toBe(planned.length);
    expect(ledger.rows.filter((r) => r.sum !== r.records, context)).toEqual([]);
    const newestVersions = new Map<number, number>();
    for (const { batch, records } of planned) {
      if (appliedIds.has(batch.id))
        for (const { id, version } of records) newestVersions.set(id, Math.max(version, newestVersions.get(id) ?? 0));
    }
    const { rows } = await client.query<{ id: string; updated_at: Date; name: string }>(
      'select id, updated_at, name from acme.things',
    );
    expect(rows.length, context).toBe(ledger.rows.reduce((sum, r) => sum + Number(r.inserted), 0));
    expect(new Map(rows.map((r) => [Number(r.id), `${r.updated_at.toISOString()} ${r.name}`])), context).toEqual(
      new Map([...newestVersions].map(([id, version]) => [id, `${toTime(version)} version ${version}`])),
    );
    const objects = await client.query<{ n: number }>(
      'select coalesce(sum(row_count), 0)::int as n from acme._freshet_objects',
    );
    expect(objects.rows[0]?.n, context).toBe(newestVersions.size);
  } finally {
    await client.end();
  }
}
