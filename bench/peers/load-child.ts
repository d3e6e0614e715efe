import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { zstdCompress } from 'node:zlib';
import { getObject, toTable } from '@freshet/freshdesk-extractor';
import { limitHeapGrowth } from '@freshet/runtime';
import { type BatchToLoad, type PreparedBatches, prepareBatches, Warehouse } from '@freshet/warehouse-loader';
import pg from 'pg';

/**
 * Loads the records of a file with Freshet's loader or with multi-row INSERTs. Runs as a separate
 * process, so that the CPU time of the loader can be measured.
 */
const { MODE, FILE, WAREHOUSE } = process.env as Record<'MODE' | 'FILE' | 'WAREHOUSE', string>;
const BATCH_BYTES = 2 * 1024 * 1024;
const LINE_BREAK = 10;
const [LINE_START, LINE_END] = [Buffer.from('{"record":'), Buffer.from('}\n')] as const;
const compress = promisify(zstdCompress);
limitHeapGrowth();
const table = toTable(getObject('tickets'));
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
  let batches: BatchToLoad[] = [];
  let loading: Promise<unknown> = Promise.resolve();
  const flush = async () => {
    const prepared = await prepareBatches(batches, table);
    batches = [];
    await loading;
    loading = load(prepared);
  };
  for await (const lines of readBatchLines(FILE)) {
    batches.push(await createBatch(lines));
    if (batches.length === 4) await flush();
  }
  if (batches.length > 0) await flush();
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
  const lines = createInterface({ input: createReadStream(FILE), crlfDelay: Number.POSITIVE_INFINITY });
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

/**
 * Reads a file in parts of the size of the extract worker's batches. Each part ends with a line
 * break.
 */
async function* readBatchLines(file: string): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  for await (const chunk of createReadStream(file, { highWaterMark: BATCH_BYTES })) {
    const bytes = Buffer.concat([rest, chunk as Buffer]);
    const end = bytes.lastIndexOf(LINE_BREAK) + 1;
    if (end > 0) yield bytes.subarray(0, end);
    rest = bytes.subarray(end);
  }
  if (rest.length > 0) yield rest;
}

/** Stores records as the extract worker does: as slices of bytes, without strings. */
async function createBatch(lines: Buffer): Promise<BatchToLoad> {
  const pieces: Buffer[] = [];
  for (let start = 0; start < lines.length; ) {
    const lineBreak = lines.indexOf(LINE_BREAK, start);
    const end = lineBreak < 0 ? lines.length : lineBreak;
    pieces.push(LINE_START, lines.subarray(start, end), LINE_END);
    start = end + 1;
  }
  const raw = Buffer.concat(pieces);
  return {
    id: randomUUID(),
    extractedAt: new Date(),
    isAudit: false,
    isRewrite: false,
    body: await compress(raw),
    rawBytes: raw.length,
  };
}
