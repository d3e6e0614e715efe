import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { openControlStore } from '@freshet/control-store';
import { catalogue, extract, FreshdeskClient, objectNamed, objectsToRead } from '@freshet/freshdesk-extractor';
import { startEmbeddedPostgres } from '@freshet/runtime/embedded-postgres';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { Pool } from 'undici';

/**
 * One sync of many tickets from the unlimited simulator, with one worker of each kind, beside two floors of the same
 * run: the pages a second of a bare client that asks the same server for the same pages, and the rows a second of a raw
 * COPY of the same rows into the same table with its key.
 */
const { values } = parseArgs({ options: { tickets: { type: 'string', default: '100000' } } });
const TICKETS = Number(values.tickets);
const OBJECT = 'tickets';
const KEY = 'demo-admin-key';
const script = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const cleanups: (() => unknown)[] = [];

try {
  await bench();
} finally {
  for (const cleanup of cleanups.reverse()) await cleanup();
}

async function bench(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'freshet-bench-'));
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
  const postgres = await startEmbeddedPostgres({ from: import.meta.url, dataDir: folder, settings: { max_wal_size: '4GB', shared_buffers: '512MB' } });
  cleanups.push(() => postgres.stop());
  const simulator = await start('packages/freshdesk-simulator/src/main.ts', ['--tickets', String(TICKETS), '--span-days', '300'], {});

  const bare = await bareClient(simulator.address as string);
  const sync = await freshet(postgres.url, simulator.address as string);
  const copy = await rawCopy(sync.databaseUrl, folder);

  const perSecond = (n: number, seconds: number) => Math.round(n / seconds).toLocaleString('en-US');
  const line = (what: string, ...cells: string[]) => console.log(what.padEnd(40), ...cells.map((c) => c.padStart(16)));
  console.log(`\n${TICKETS.toLocaleString('en-US')} tickets, ${sync.records.toLocaleString('en-US')} records read, Node ${process.versions.node}\n`);
  line('', 'seconds', 'records/s', 'pages/s', 'of the floor');
  line('bare client, same pages', bare.seconds.toFixed(2), perSecond(bare.records, bare.seconds), perSecond(bare.pages, bare.seconds), '');
  line(
    'reading (start to last page stored)',
    sync.readSeconds.toFixed(2),
    perSecond(sync.records, sync.readSeconds),
    perSecond(bare.pages, sync.readSeconds),
    (bare.seconds / sync.readSeconds).toFixed(2),
  );
  line('raw COPY, same rows, same table', copy.seconds.toFixed(2), perSecond(copy.rows, copy.seconds), '', '');
  line('whole sync (start to last row landed)', sync.seconds.toFixed(2), perSecond(sync.records, sync.seconds), '', (copy.seconds / sync.seconds).toFixed(2));
  line('both floors one after the other', (bare.seconds + copy.seconds).toFixed(2), '', '', `${((bare.seconds + copy.seconds) / sync.seconds).toFixed(2)}`);
  console.log(`\npeak memory: extract worker ${sync.extractPeakMiB} MiB, load worker ${sync.loadPeakMiB} MiB`);
}

/** Notes the very requests that the extractor makes, then times their repetition by a client that does nothing else. */
async function bareClient(origin: string): Promise<{ pages: number; records: number; seconds: number }> {
  const client = new FreshdeskClient({
    account: { subdomain: 'demo', origin },
    apiKey: KEY,
    budget: { take: async () => {}, learn: async () => {}, block: async () => {} },
    creditClass: 'incremental',
  });
  const targets: string[] = [];
  let records = 0;
  const list = client.list.bind(client);
  client.list = async (path, query, cost) => {
    targets.push(`${path}?${new URLSearchParams(query).toString()}`);
    const page = await list(path, query, cost);
    records += page.records.length;
    return page;
  };
  for await (const _page of extract(client, objectNamed(OBJECT), null, { historyFrom: null, readingId: 'bench', nextParents: async () => [] }));
  await client.close();
  const pool = new Pool(origin, { connections: 1 });
  const headers = { authorization: `Basic ${Buffer.from(`${KEY}:X`).toString('base64')}`, accept: 'application/json' };
  const began = performance.now();
  for (const path of targets) {
    const { body } = await pool.request({ method: 'GET', path, headers });
    await body.arrayBuffer();
  }
  const seconds = (performance.now() - began) / 1000;
  await pool.close();
  return { pages: targets.length, records, seconds };
}

/** The real workers on the real database; the bench is only the one who makes the pipeline. */
async function freshet(superuserUrl: string, origin: string) {
  const admin = new pg.Client(superuserUrl);
  await admin.connect();
  await admin.query('create database freshet');
  await admin.query('create database warehouse');
  await admin.end();
  const databaseUrl = new URL(superuserUrl);
  databaseUrl.pathname = '/warehouse';
  const controlUrl = new URL(superuserUrl);
  controlUrl.pathname = '/freshet';
  const env = {
    DATABASE_URL: controlUrl.href,
    FRESHET_SECRET_KEYS: `bench:${randomBytes(32).toString('base64')}`,
    FRESHDESK_ORIGIN: origin,
    LOG_LEVEL: 'warn',
  };
  const store = await openControlStore({ databaseUrl: env.DATABASE_URL, secretKeys: env.FRESHET_SECRET_KEYS, onError: console.error });
  cleanups.push(() => store.close(1000));
  const key = await store.credentials.create({ name: 'key', type: 'freshdesk_api_key', secret: KEY });
  const password = await store.credentials.create({ name: 'password', type: 'postgres_password', secret: databaseUrl.password });
  const destination = await store.destinations.create({
    name: 'warehouse',
    type: 'postgres',
    host: databaseUrl.hostname,
    port: Number(databaseUrl.port),
    database: 'warehouse',
    username: databaseUrl.username,
    credential_id: password.id,
    ssl_mode: 'disable',
  });
  const objects = Object.fromEntries(catalogue.map((o) => [o.name, { included: o.name === OBJECT }]));
  const made = await store.pipelines.create({
    name: 'bench',
    subdomain: 'demo',
    credential_id: key.id,
    historical_sync_days: null,
    credit_share_percent: 100,
    destination_id: destination.id,
    destination_schema: 'bench',
    table_prefix: '',
    frequency_minutes: 1440,
    audit_frequency_days: null,
    objects,
    schema_policy: 'evolve',
  });
  const extractor = await start('apps/extract-worker/src/main.ts', [], env);
  const loader = await start('apps/load-worker/src/main.ts', [], env);
  const { id } = await store.runs.start(made.id, 'manual', objectsToRead(objects));
  let run = await store.runs.get(id);
  while (run.finished_at === null) {
    await sleep(50);
    run = await store.runs.get(id);
  }
  const [o] = run.objects;
  if (run.status !== 'succeeded' || !o?.extracted_at || !run.started_at) throw new Error(`The run ended as ${run.status}: ${o?.error_message}`);
  return {
    databaseUrl: databaseUrl.href,
    records: o.records_extracted,
    readSeconds: (o.extracted_at.getTime() - run.started_at.getTime()) / 1000,
    seconds: (run.finished_at.getTime() - run.started_at.getTime()) / 1000,
    extractPeakMiB: peakMiB(extractor.child),
    loadPeakMiB: peakMiB(loader.child),
  };
}

async function rawCopy(databaseUrl: string, folder: string): Promise<{ rows: number; seconds: number }> {
  const client = new pg.Client(databaseUrl);
  await client.connect();
  cleanups.push(() => client.end());
  const file = join(folder, 'rows.copy');
  await pipeline(client.query(copyTo(`copy bench.${OBJECT} to stdout`)), createWriteStream(file));
  await client.query(`create table bench.floor (like bench.${OBJECT} including all)`);
  await client.query('checkpoint');
  const began = performance.now();
  await client.query('begin');
  const copy = client.query(copyFrom('copy bench.floor from stdin'));
  await pipeline(createReadStream(file, { highWaterMark: 64 * 1024 }), copy);
  await client.query('commit');
  const seconds = (performance.now() - began) / 1000;
  const { rows } = await client.query<{ n: number }>('select count(*)::int as n from bench.floor');
  console.log(`rows: ${(statSync(file).size / (rows[0]?.n ?? 1)).toFixed(0)} bytes each as COPY text`);
  return { rows: rows[0]?.n ?? 0, seconds };
}

async function start(path: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<{ child: ChildProcess; address: string | null }> {
  const child = fork(script(path), args, { env: { PATH: process.env['PATH'] ?? '', ...env }, stdio: ['ignore', 'ignore', 'inherit', 'ipc'], execArgv: [] });
  cleanups.push(
    () =>
      new Promise((resolve) => {
        child.once('exit', resolve);
        child.kill('SIGKILL');
      }),
  );
  if (!path.includes('simulator')) return { child, address: null };
  const address = await new Promise<string>((resolve) => child.once('message', (m) => resolve((m as { listening: string }).listening)));
  return { child, address };
}

/** The most memory that a process has had resident; Linux counts it. */
function peakMiB(child: ChildProcess): string {
  try {
    return String(Math.round(Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024));
  } catch {
    return '(unknown on this system)';
  }
}
