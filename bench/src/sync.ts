import { createReadStream, createWriteStream, statSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Pipeline } from '@freshet/control-store';
import { extract, FreshdeskClient, objectNamed } from '@freshet/freshdesk-extractor';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { Pool } from 'undici';
import { KEY, Lab, peakMiB } from './lab.ts';

/**
 * Many tickets from the unlimited simulator, read by one extract worker, loaded by one load worker, and both at once, beside
 * two floors of the same run: the pages a second of a bare client that asks the same server for the same pages, and the
 * rows a second of a raw COPY of the same rows into the same table with its key.
 */
const { values } = parseArgs({ options: { tickets: { type: 'string', default: '100000' } } });
const TICKETS = Number(values.tickets);
const OBJECT = 'tickets';

const cleanups: (() => unknown)[] = [];
const origin = await Lab.simulator(['--tickets', String(TICKETS), '--span-days', '300'], cleanups);
await using lab = await Lab.open(origin, cleanups);

const bare = await bareClient(origin);
const alone = await lab.pipeline({ objects: [OBJECT], schema: 'alone' });
const reading = await readOnly(lab, alone);
const loading = await loadOnly(lab, alone);
const copy = await rawCopy(lab, 'alone');
const whole = await both(lab, await lab.pipeline({ objects: [OBJECT], schema: 'whole' }));

const perSecond = (n: number, seconds: number) => Math.round(n / seconds).toLocaleString('en-US');
const line = (what: string, ...cells: string[]) => console.log(what.padEnd(44), ...cells.map((c) => c.padStart(14)));
console.log(
  `\n${TICKETS.toLocaleString('en-US')} tickets, ${reading.records.toLocaleString('en-US')} records read, Node ${process.versions.node}\n`,
);
line('', 'seconds', 'records/s', 'pages/s', 'of the floor');
line(
  'bare client, same pages',
  bare.seconds.toFixed(2),
  perSecond(bare.records, bare.seconds),
  perSecond(bare.pages, bare.seconds),
  '',
);
line(
  'one extract worker, alone',
  reading.seconds.toFixed(2),
  perSecond(reading.records, reading.seconds),
  perSecond(bare.pages, reading.seconds),
  (bare.seconds / reading.seconds).toFixed(2),
);
line('raw COPY, same rows, same table', copy.seconds.toFixed(2), perSecond(copy.rows, copy.seconds), '', '');
const ofCopy = loading.records / loading.seconds / (copy.rows / copy.seconds);
line(
  'one load worker, alone',
  loading.seconds.toFixed(2),
  perSecond(loading.records, loading.seconds),
  '',
  ofCopy.toFixed(2),
);
line(
  'both at once, start to last row landed',
  whole.seconds.toFixed(2),
  perSecond(whole.records, whole.seconds),
  '',
  '',
);
line(
  'both floors one after the other',
  (bare.seconds + copy.seconds).toFixed(2),
  '',
  '',
  ((bare.seconds + copy.seconds) / whole.seconds).toFixed(2),
);
console.log(`\npeak memory: extract worker ${reading.peakMiB} MiB, load worker ${loading.peakMiB} MiB`);

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
  for await (const _page of extract(client, objectNamed(OBJECT), null, {
    historyFrom: null,
    readingId: 'bench',
    nextParents: async () => [],
  }));
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

interface Synced {
  readonly records: number;
  readonly seconds: number;
  readonly peakMiB: number;
}

/** One extract worker alone: what it reads stays stored. */
async function readOnly(lab: Lab, pipeline: Pipeline): Promise<Synced> {
  const worker = lab.worker('extract-worker');
  const runId = await lab.startRun(pipeline);
  for (;;) {
    const { started_at: startedAt, objects } = await lab.store.runs.get(runId);
    const [o] = objects;
    if (o?.extracted_at && startedAt) {
      const peak = peakMiB(worker);
      worker.kill('SIGKILL');
      return {
        records: o.records_extracted,
        seconds: (o.extracted_at.getTime() - startedAt.getTime()) / 1000,
        peakMiB: peak,
      };
    }
    await sleep(20);
  }
}

/** One load worker alone, on what was stored. */
async function loadOnly(lab: Lab, pipeline: Pipeline): Promise<Synced> {
  const worker = lab.worker('load-worker');
  let began: number | null = null;
  for (;;) {
    const { data } = await lab.store.runs.list(
      { limit: 1, cursor: null },
      { pipelineId: pipeline.id, kind: null, status: null },
    );
    const [o] = data[0]?.objects ?? [];
    const landed = (o?.records_inserted ?? 0) + (o?.records_updated ?? 0) + (o?.records_unchanged ?? 0);
    // The first transaction's rows are known when it is over: what the start costs does not count.
    if (began === null && landed > 0) began = performance.now() / 1000;
    if (data[0]?.finished_at) {
      const peak = peakMiB(worker);
      worker.kill('SIGKILL');
      return { records: landed, seconds: performance.now() / 1000 - (began ?? 0), peakMiB: peak };
    }
    await sleep(20);
  }
}

/** Both at once, as in a real deployment. */
async function both(lab: Lab, pipeline: Pipeline): Promise<Synced> {
  lab.worker('extract-worker');
  lab.worker('load-worker');
  const run = await lab.finished(await lab.startRun(pipeline));
  const [o] = run.objects;
  return {
    records: o?.records_extracted ?? 0,
    seconds: ((run.finished_at?.getTime() ?? 0) - (run.started_at?.getTime() ?? 0)) / 1000,
    peakMiB: 0,
  };
}

async function rawCopy({ warehouseUrl, folder }: Lab, schema: string): Promise<{ rows: number; seconds: number }> {
  const client = new pg.Client(warehouseUrl);
  await client.connect();
  const file = join(folder, 'rows.copy');
  await pipeline(client.query(copyTo(`copy ${schema}.${OBJECT} to stdout`)), createWriteStream(file));
  await client.query(`create table ${schema}.floor (like ${schema}.${OBJECT} including all)`);
  await client.query('checkpoint');
  const began = performance.now();
  await client.query('begin');
  const copy = client.query(copyFrom(`copy ${schema}.floor from stdin`));
  await pipeline(createReadStream(file, { highWaterMark: 64 * 1024 }), copy);
  await client.query('commit');
  const seconds = (performance.now() - began) / 1000;
  const { rows } = await client.query<{ n: number }>(`select count(*)::int as n from ${schema}.floor`);
  await client.end();
  console.log(`rows: ${(statSync(file).size / (rows[0]?.n ?? 1)).toFixed(0)} bytes each as COPY text`);
  return { rows: rows[0]?.n ?? 0, seconds };
}
