import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream, statSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { zstdCompressSync } from 'node:zlib';
import { getObject, toTable } from '@freshet/freshdesk-extractor';
import { SimulatedAccount } from '@freshet/freshdesk-simulator';
import { type BatchToLoad, type PreparedBatches, prepareBatches, Warehouse } from '@freshet/warehouse-loader';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { BenchDeployment } from './deployment.ts';

/**
 * Measures the loader alone, on records as wide as real tickets. First, all records are loaded into
 * an empty table. Then all records are loaded again three times: with none of the records changed,
 * with 1 % changed, and with all changed. The same run measures two baselines: a raw COPY of the
 * same rows into the same table with its primary key, and the loader's upsert statement on rows
 * that COPY loaded into a staging table.
 */
const { values } = parseArgs({
  options: { rows: { type: 'string', default: '100000' }, rounds: { type: 'string', default: '1' } },
});
const ROWS = Number(values.rows);
/**
 * The number of rounds. Each round after the first loads as many new rows into the same table. The
 * rate and the memory should stay constant.
 */
const ROUNDS = Number(values.rounds);
/** The sizes of a stored batch and of a load transaction. */
const BATCH_BYTES = 2 * 1024 * 1024;
const TRANSACTION_BYTES = 8 * 1024 * 1024;

const tickets = getObject('tickets');
const table = toTable(tickets);
const account = new SimulatedAccount({
  seed: 1,
  asOf: new Date(Date.now() - 3_600_000),
  spanDays: 365,
  counts: { tickets: ROWS },
});

await using deployment = await BenchDeployment.start('http://127.0.0.1:1');
const { hostname, port, username, password } = new URL(deployment.warehouseUrl);
const warehouse = new Warehouse({
  host: hostname,
  port: Number(port),
  database: 'warehouse',
  username,
  password,
  sslMode: 'disable',
});
const client = new pg.Client(deployment.warehouseUrl);
await client.connect();
const TABLE = 'bench.tickets';
let clock = Date.now() - 1_800_000;

/**
 * Yields the batches of each transaction.
 * @param alter returns the changed JSON of the record with the given number.
 */
async function* generateTransactions(
  alter: (text: string, n: number) => string,
): AsyncGenerator<readonly BatchToLoad[]> {
  let batches: BatchToLoad[] = [];
  let lines: string[] = [];
  let bytes = 0;
  let n = 0;
  clock += 1000;
  const flush = () => {
    const raw = Buffer.from(`${lines.join('\n')}\n`);
    batches.push({
      id: randomUUID(),
      extractedAt: new Date(clock),
      isAudit: false,
      isRewrite: false,
      body: zstdCompressSync(raw),
      rawBytes: raw.length,
    });
    lines = [];
    bytes = 0;
  };
  for (const { view, text } of account.listAllRecords('tickets')) {
    if (view.deleteKind !== null) continue;
    const line = `{"record":${alter(text, n++)}}`;
    lines.push(line);
    bytes += line.length;
    if (bytes < BATCH_BYTES) continue;
    flush();
    if (batches.length * BATCH_BYTES < TRANSACTION_BYTES) continue;
    yield batches;
    batches = [];
  }
  if (lines.length > 0) flush();
  if (batches.length > 0) yield batches;
}

interface Measurement {
  readonly rows: number;
  readonly seconds: number;
  readonly walBytes: number;
}

/**
 * Loads all batches like the load worker, which prepares the next transaction while the current
 * transaction runs. The measured time excludes the generation of the batches.
 */
async function load(alter: (text: string, n: number) => string): Promise<Measurement> {
  const transactions = [];
  for await (const batches of generateTransactions(alter)) transactions.push(batches);
  await client.query('checkpoint');
  const walBefore = await getWalBytes();
  const startedAt = performance.now();
  let rows = 0;
  let next: Promise<PreparedBatches> | null = prepareBatches(transactions[0] as readonly BatchToLoad[], table);
  for (let n = 0; next !== null; n++) {
    const prepared: PreparedBatches = await next;
    const following = transactions[n + 1];
    next = following === undefined ? null : prepareBatches(following, table);
    await warehouse.load({
      schema: 'bench',
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
    rows += prepared.records.length;
  }
  return { rows, seconds: (performance.now() - startedAt) / 1000, walBytes: (await getWalBytes()) - walBefore };
}

async function getWalBytes(): Promise<number> {
  const { rows } = await client.query<{ n: string }>(`select pg_current_wal_lsn() - '0/0' as n`);
  return Number(rows[0]?.n);
}

async function measure(work: () => Promise<number>): Promise<Measurement> {
  await client.query('checkpoint');
  const walBefore = await getWalBytes();
  const startedAt = performance.now();
  const rows = await work();
  return { rows, seconds: (performance.now() - startedAt) / 1000, walBytes: (await getWalBytes()) - walBefore };
}

const getPath = (name: string) => join(deployment.folder, name);
async function exportTable(source: string, name: string): Promise<void> {
  await pipeline(client.query(copyTo(`copy ${source} to stdout`)), createWriteStream(getPath(name)));
}

async function runRawCopy(name: string): Promise<number> {
  await client.query('begin');
  const copy = client.query(copyFrom('copy bench.baseline from stdin'));
  await pipeline(createReadStream(getPath(name), { highWaterMark: 64 * 1024 }), copy);
  await client.query('commit');
  return copy.rowCount;
}

/**
 * Runs the upsert statement of `merge.ts` on chunks. Each chunk has as many rows as a transaction
 * of the loader.
 */
async function runRawUpsert(name: string, rowsAtOnce: number): Promise<number> {
  const { rows } = await client.query<{ name: string }>(
    `select attname as name from pg_attribute where attrelid = 'bench.baseline'::regclass and attnum > 0 and not attisdropped order by attnum`,
  );
  const names = rows.map((r) => `"${r.name}"`);
  const sets = names.filter((c) => c !== '"id"').map((c) => `${c} = excluded.${c}`);
  let total = 0;
  for await (const chunk of readChunks(name, rowsAtOnce)) {
    await client.query('begin');
    await client.query('create temp table stage on commit drop as select * from bench.baseline with no data');
    const copy = client.query(copyFrom('copy stage from stdin'));
    await pipeline(Readable.from([chunk]), copy);
    await client.query(`insert into bench.baseline as t select * from stage on conflict (id) do update set ${sets.join(', ')}
      where (coalesce(excluded.updated_at, '-infinity'), excluded._freshet_extracted_at) >= (coalesce(t.updated_at, '-infinity'), t._freshet_extracted_at)`);
    await client.query('commit');
    total += copy.rowCount;
  }
  return total;
}

async function* readChunks(name: string, rowsAtOnce: number): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  let lines: Buffer[] = [];
  let count = 0;
  for await (const chunk of createReadStream(getPath(name), { highWaterMark: 1024 * 1024 })) {
    rest = Buffer.concat([rest, chunk as Buffer]);
    let start = 0;
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10, start)) {
      lines.push(rest.subarray(start, end + 1));
      start = end + 1;
      if (++count < rowsAtOnce) continue;
      yield Buffer.concat(lines);
      lines = [];
      count = 0;
    }
    rest = Buffer.from(rest.subarray(start));
    lines = [Buffer.concat(lines)];
  }
  if (count > 0) yield Buffer.concat(lines);
}

const keepUnchanged = (text: string) => text;
const later = new Date(Date.now() - 600_000).toISOString().replace(/\.\d+Z/, 'Z');
const change = (text: string) =>
  text.replace(/"updated_at":"[^"]*"/, `"updated_at":"${later}"`).replace('"subject":"', '"subject":"Re: ');

const emptyTableLoad = await load(keepUnchanged);
await exportTable(TABLE, 'fresh.copy');
await client.query(`create table bench.baseline (like ${TABLE} including all)`);
const rawCopy = await measure(() => runRawCopy('fresh.copy'));
const unchangedLoad = await load(keepUnchanged);
const partialLoad = await load((text, n) => (n % 100 === 0 ? change(text) : text));
const fullLoad = await load((text, n) => (n % 100 === 0 ? change(text).replace('Re: ', 'Re: Re: ') : change(text)));
await exportTable(TABLE, 'changed.copy');
const rowsAtOnce = Math.round(TRANSACTION_BYTES / (statSync(getPath('changed.copy')).size / fullLoad.rows / 0.75));
const rawUpsert = await measure(() => runRawUpsert('changed.copy', rowsAtOnce));

const formatNumber = (value: number) => Math.round(value).toLocaleString('en-US');
const printLine = (label: string, m: Measurement, baseline: Measurement | null) =>
  console.log(
    label.padEnd(46),
    m.seconds.toFixed(2).padStart(8),
    formatNumber(m.rows / m.seconds).padStart(12),
    (m.walBytes / 2 ** 20 / (m.rows / 20_000)).toFixed(1).padStart(14),
    (baseline ? (m.rows / m.seconds / (baseline.rows / baseline.seconds)).toFixed(2) : '').padStart(14),
  );
console.log(
  `\n${formatNumber(emptyTableLoad.rows)} tickets, ${formatNumber(statSync(getPath('fresh.copy')).size / emptyTableLoad.rows)} bytes each as COPY text, Node ${process.versions.node}\n`,
);
console.log(
  ''.padEnd(46),
  'seconds'.padStart(8),
  'rows/s'.padStart(12),
  'WAL MiB/20,000'.padStart(14),
  'vs. baseline'.padStart(14),
);
printLine('baseline: raw COPY, same rows, same table', rawCopy, null);
printLine('empty table', emptyTableLoad, rawCopy);
printLine('no record changed', unchangedLoad, null);
printLine('1 % of records changed', partialLoad, null);
printLine('baseline: COPY and upsert only', rawUpsert, null);
printLine('all records changed', fullLoad, rawUpsert);
console.log(
  `\nunchanged records load at ${(unchangedLoad.rows / unchangedLoad.seconds / (fullLoad.rows / fullLoad.seconds)).toFixed(1)} times the rate of changed records`,
);
for (let round = 2; round <= ROUNDS; round++) {
  const roundLoad = await load((text) =>
    text.replace(/"id":(\d+)/, (_, id: string) => `"id":${Number(id) + round * 1e9}`),
  );
  console.log(
    `round ${round}: ${formatNumber(roundLoad.rows / roundLoad.seconds)} rows/s, ${formatNumber(round * emptyTableLoad.rows)} rows in the table, ${formatNumber(process.memoryUsage.rss() / 2 ** 20)} MiB resident`,
  );
}
await client.end();
await warehouse.close();
