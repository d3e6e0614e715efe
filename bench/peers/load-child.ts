import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { zstdCompressSync } from 'node:zlib';
import { getObject, toTable } from '@freshet/freshdesk-extractor';
import { type BatchToLoad, type PreparedBatches, prepareBatches, Warehouse } from '@freshet/warehouse-loader';
import pg from 'pg';

/**
 * Loads the records of a file with Freshet's loader or with multi-row INSERTs. Runs as a separate
 * process, so that the CPU time of the loader can be measured.
 */
const { MODE, FILE, WAREHOUSE } = process.env as Record<'MODE' | 'FILE' | 'WAREHOUSE', string>;
const table = toTable(getObject('tickets'));
const lines = createInterface({ input: createReadStream(FILE), crlfDelay: Number.POSITIVE_INFINITY });
if (MODE === 'freshet') await loadWithFreshet();
else await loadWithInserts();
const { user, system } = process.cpuUsage();
console.error(`CPU ${(user + system) / 1e6}`);

async function loadWithFreshet(): Promise<void> {
  const { hostname, port, username, password, pathname } = new URL(WAREHOUSE);
  const warehouse = new Warehouse({
    host: hostname,
    port: Number(port),
    database: pathname.slice(1),
    username,
    password,
    sslMode: 'disable',
  });
  const load = (prepared: PreparedBatches) =>
    warehouse.load({
      schema: 'freshet_peer',
      tablePrefix: '',
      table,
      childTables: [],
      epoch: 1,
      schemaPolicy: 'evolve',
      hasHistory: false,
      restartedAt: null,
      prepared,
      readGeneration: async function* () {},
    });
  let bytes = 0;
  let pending: string[] = [];
  let batches: BatchToLoad[] = [];
  let loading: Promise<unknown> = Promise.resolve();
  const flush = async () => {
    const prepared = await prepareBatches(batches, table);
    batches = [];
    await loading;
    loading = load(prepared);
  };
  for await (const line of lines) {
    pending.push(`{"record":${line}}`);
    bytes += line.length;
    if (bytes < 2 * 1024 * 1024) continue;
    // The batch size of the extract worker.
    batches.push(createBatch(pending));
    pending = [];
    bytes = 0;
    if (batches.length === 4) await flush();
  }
  batches.push(createBatch(pending));
  await flush();
  await loading;
  await warehouse.close();
}

/**
 * Loads the records like a typical hand-written loader: typed columns, upserts by primary key, 500
 * rows per statement.
 */
async function loadWithInserts(): Promise<void> {
  const client = new pg.Client(WAREHOUSE);
  await client.connect();
  const names = table.columns.map((c) => `"${c.name}"`);
  await client.query(
    `create schema if not exists insert_peer; create table if not exists insert_peer.tickets (${table.columns.map((c) => `"${c.name}" ${c.type}`).join(', ')}, primary key (id))`,
  );
  const sets = names.filter((n) => n !== '"id"').map((n) => `${n} = excluded.${n}`);
  let rows: unknown[][] = [];
  const flush = async () => {
    if (rows.length === 0) return;
    const placeholders = rows.map((row, r) => `(${row.map((_, c) => `$${r * row.length + c + 1}`).join(', ')})`);
    await client.query(
      `insert into insert_peer.tickets (${names.join(', ')}) values ${placeholders.join(', ')} on conflict (id) do update set ${sets.join(', ')}`,
      rows.flat(),
    );
    rows = [];
  };
  for await (const line of lines) {
    const record = JSON.parse(line) as Record<string, unknown>;
    rows.push(
      table.columns.map((c) =>
        c.type === 'jsonb' && record[c.name] !== undefined ? JSON.stringify(record[c.name]) : (record[c.name] ?? null),
      ),
    );
    if (rows.length === 500) await flush();
  }
  await flush();
  await client.end();
}

function createBatch(lines: readonly string[]): BatchToLoad {
  const raw = Buffer.from(lines.join('\n'));
  return {
    id: randomUUID(),
    extractedAt: new Date(),
    isAudit: false,
    isRewrite: false,
    body: zstdCompressSync(raw),
    rawBytes: raw.length,
  };
}
