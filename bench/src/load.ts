import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream, statSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { zstdCompressSync } from 'node:zlib';
import { objectNamed, tableOf } from '@freshet/freshdesk-extractor';
import { SimulatedAccount } from '@freshet/freshdesk-simulator';
import { type BatchToLoad, type Prepared, prepare, Warehouse } from '@freshet/warehouse-loader';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { Lab } from './lab.ts';

/**
 * The loader alone, on records as wide as real tickets, as the load worker runs it: a fresh table, nothing changed, one record
 * of a hundred changed, all changed. Beside it, in the same run: a raw COPY of the same rows into the same table with its key,
 * and the very statement that changes rows, fed by COPY, without anything around it.
 */
const { values } = parseArgs({
  options: { rows: { type: 'string', default: '100000' }, rounds: { type: 'string', default: '1' } },
});
const ROWS = Number(values.rows);
/** More rounds load further rows into the same table: the rate and the memory should stay. */
const ROUNDS = Number(values.rounds);
/** As batches are stored, and as many as go into one transaction. */
const BATCH_BYTES = 2 * 1024 * 1024;
const TRANSACTION_BYTES = 8 * 1024 * 1024;

const tickets = objectNamed('tickets');
const table = tableOf(tickets);
const account = new SimulatedAccount({
  seed: 1,
  asOf: new Date(Date.now() - 3_600_000),
  spanDays: 365,
  counts: { tickets: ROWS },
});

await using lab = await Lab.open('http://127.0.0.1:1');
const { hostname, port, username, password } = new URL(lab.warehouseUrl);
const warehouse = new Warehouse({
  host: hostname,
  port: Number(port),
  database: 'warehouse',
  username,
  password,
  sslMode: 'disable',
});
const client = new pg.Client(lab.warehouseUrl);
await client.connect();
const TABLE = 'bench.tickets';
let clock = Date.now() - 1_800_000;

/** @param alter what becomes of a record's text, by its number. */
async function* transactions(alter: (text: string, n: number) => string): AsyncGenerator<readonly BatchToLoad[]> {
  let together: BatchToLoad[] = [];
  let lines: string[] = [];
  let bytes = 0;
  let n = 0;
  clock += 1000;
  const flush = () => {
    const raw = Buffer.from(`${lines.join('\n')}\n`);
    together.push({
      id: randomUUID(),
      extractedAt: new Date(clock),
      audit: false,
      rewrite: false,
      body: zstdCompressSync(raw),
      rawBytes: raw.length,
    });
    lines = [];
    bytes = 0;
  };
  for (const { view, text } of account.everything('tickets')) {
    if (view.deleted !== null) continue;
    const line = `{"record":${alter(text, n++)}}`;
    lines.push(line);
    bytes += line.length;
    if (bytes < BATCH_BYTES) continue;
    flush();
    if (together.length * BATCH_BYTES < TRANSACTION_BYTES) continue;
    yield together;
    together = [];
  }
  if (lines.length > 0) flush();
  if (together.length > 0) yield together;
}

interface Measured {
  readonly rows: number;
  readonly seconds: number;
  readonly walBytes: number;
}

/** Loads them as the worker does: the next transaction's batches are prepared while one is on its way. What making them costs does not count. */
async function load(alter: (text: string, n: number) => string): Promise<Measured> {
  const all = [];
  for await (const batches of transactions(alter)) all.push(batches);
  await client.query('checkpoint');
  const walBefore = await wal();
  const began = performance.now();
  let rows = 0;
  let next: Promise<Prepared> | null = prepare(all[0] as readonly BatchToLoad[], table);
  for (let n = 0; next !== null; n++) {
    const prepared: Prepared = await next;
    const following = all[n + 1];
    next = following === undefined ? null : prepare(following, table);
    await warehouse.load({
      schema: 'bench',
      tablePrefix: '',
      table,
      below: [],
      epoch: 1,
      policy: 'evolve',
      history: false,
      restartedAt: null,
      prepared,
      generation: async function* () {},
    });
    rows += prepared.records.length;
  }
  return { rows, seconds: (performance.now() - began) / 1000, walBytes: (await wal()) - walBefore };
}

async function wal(): Promise<number> {
  const { rows } = await client.query<{ n: string }>(`select pg_current_wal_lsn() - '0/0' as n`);
  return Number(rows[0]?.n);
}

async function timed(work: () => Promise<number>): Promise<Measured> {
  await client.query('checkpoint');
  const walBefore = await wal();
  const began = performance.now();
  const rows = await work();
  return { rows, seconds: (performance.now() - began) / 1000, walBytes: (await wal()) - walBefore };
}

const file = (name: string) => join(lab.folder, name);
async function copyOut(source: string, name: string): Promise<void> {
  await pipeline(client.query(copyTo(`copy ${source} to stdout`)), createWriteStream(file(name)));
}

async function rawCopy(name: string): Promise<number> {
  await client.query('begin');
  const copy = client.query(copyFrom('copy bench.floor from stdin'));
  await pipeline(createReadStream(file(name), { highWaterMark: 64 * 1024 }), copy);
  await client.query('commit');
  return copy.rowCount;
}

/** The statement of `merge.ts`, on chunks of as many rows as the loader puts into a transaction. */
async function rawUpsert(name: string, rowsAtOnce: number): Promise<number> {
  const { rows } = await client.query<{ name: string }>(
    `select attname as name from pg_attribute where attrelid = 'bench.floor'::regclass and attnum > 0 and not attisdropped order by attnum`,
  );
  const names = rows.map((r) => `"${r.name}"`);
  const sets = names.filter((c) => c !== '"id"').map((c) => `${c} = excluded.${c}`);
  let total = 0;
  for await (const chunk of linesOf(name, rowsAtOnce)) {
    await client.query('begin');
    await client.query('create temp table stage on commit drop as select * from bench.floor with no data');
    const copy = client.query(copyFrom('copy stage from stdin'));
    await pipeline(Readable.from([chunk]), copy);
    await client.query(`insert into bench.floor as t select * from stage on conflict (id) do update set ${sets.join(', ')}
      where (coalesce(excluded.updated_at, '-infinity'), excluded._freshet_extracted_at) >= (coalesce(t.updated_at, '-infinity'), t._freshet_extracted_at)`);
    await client.query('commit');
    total += copy.rowCount;
  }
  return total;
}

async function* linesOf(name: string, rowsAtOnce: number): AsyncGenerator<Buffer> {
  let rest = Buffer.alloc(0);
  let taken: Buffer[] = [];
  let count = 0;
  for await (const chunk of createReadStream(file(name), { highWaterMark: 1024 * 1024 })) {
    rest = Buffer.concat([rest, chunk as Buffer]);
    let start = 0;
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10, start)) {
      taken.push(rest.subarray(start, end + 1));
      start = end + 1;
      if (++count < rowsAtOnce) continue;
      yield Buffer.concat(taken);
      taken = [];
      count = 0;
    }
    rest = Buffer.from(rest.subarray(start));
    taken = [Buffer.concat(taken)];
  }
  if (count > 0) yield Buffer.concat(taken);
}

const asIs = (text: string) => text;
const later = new Date(Date.now() - 600_000).toISOString().replace(/\.\d+Z/, 'Z');
const changed = (text: string) =>
  text.replace(/"updated_at":"[^"]*"/, `"updated_at":"${later}"`).replace('"subject":"', '"subject":"Re: ');

const fresh = await load(asIs);
await copyOut(TABLE, 'fresh.copy');
await client.query(`create table bench.floor (like ${TABLE} including all)`);
const copied = await timed(() => rawCopy('fresh.copy'));
const unchanged = await load(asIs);
const one = await load((text, n) => (n % 100 === 0 ? changed(text) : text));
const all = await load((text, n) => (n % 100 === 0 ? changed(text).replace('Re: ', 'Re: Re: ') : changed(text)));
await copyOut(TABLE, 'changed.copy');
const rowsAtOnce = Math.round(TRANSACTION_BYTES / (statSync(file('changed.copy')).size / all.rows / 0.75));
const upserted = await timed(() => rawUpsert('changed.copy', rowsAtOnce));

const n = (value: number) => Math.round(value).toLocaleString('en-US');
const line = (what: string, m: Measured, floor: Measured | null) =>
  console.log(
    what.padEnd(46),
    m.seconds.toFixed(2).padStart(8),
    n(m.rows / m.seconds).padStart(12),
    (m.walBytes / 2 ** 20 / (m.rows / 20_000)).toFixed(1).padStart(14),
    (floor ? (m.rows / m.seconds / (floor.rows / floor.seconds)).toFixed(2) : '').padStart(14),
  );
console.log(
  `\n${n(fresh.rows)} tickets, ${n(statSync(file('fresh.copy')).size / fresh.rows)} bytes each as COPY text, Node ${process.versions.node}\n`,
);
console.log(
  ''.padEnd(46),
  'seconds'.padStart(8),
  'rows/s'.padStart(12),
  'WAL MiB/20,000'.padStart(14),
  'of the floor'.padStart(14),
);
line('floor: raw COPY, same rows, same table', copied, null);
line('a fresh table', fresh, copied);
line('nothing changed', unchanged, null);
line('one of a hundred changed', one, null);
line('floor: COPY and the upsert, nothing around it', upserted, null);
line('all changed', all, upserted);
console.log(
  `\nunchanged: ${(unchanged.rows / unchanged.seconds / (all.rows / all.seconds)).toFixed(1)} times the rate of changed ones`,
);
for (let round = 2; round <= ROUNDS; round++) {
  const more = await load((text) => text.replace(/"id":(\d+)/, (_, id: string) => `"id":${Number(id) + round * 1e9}`));
  console.log(
    `round ${round}: ${n(more.rows / more.seconds)} rows/s, ${n(round * fresh.rows)} rows in the table, ${n(process.memoryUsage.rss() / 2 ** 20)} MiB resident`,
  );
}
await client.end();
await warehouse.close();
