import { createReadStream, createWriteStream, statSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Pipeline } from '@freshet/control-store';
import { extract, FreshdeskClient, getObject } from '@freshet/freshdesk-extractor';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { Pool } from 'undici';
import { API_KEY, BenchDeployment, getPeakMemoryMiB } from './deployment.ts';

/**
 * Syncs many tickets from a simulator without rate limits. Measures one extract worker alone, one
 * load worker alone, and both workers at once. The same run measures two baselines: a bare client
 * that sends the same requests, and a raw COPY of the same rows into the same table with its
 * primary key.
 */
const { values } = parseArgs({ options: { tickets: { type: 'string', default: '100000' } } });
const TICKETS = Number(values.tickets);
const OBJECT = 'tickets';

const cleanups: (() => unknown)[] = [];
const origin = await BenchDeployment.startSimulator(['--tickets', String(TICKETS), '--span-days', '300'], cleanups);
await using deployment = await BenchDeployment.start(origin, cleanups);

const bare = await measureBareClient(origin);
const pipelineAlone = await deployment.createPipeline({ objects: [OBJECT], schema: 'alone' });
const extraction = await measureExtraction(deployment, pipelineAlone);
const load = await measureLoad(deployment, pipelineAlone);
const copy = await measureRawCopy(deployment, 'alone');
const sync = await measureSync(deployment, await deployment.createPipeline({ objects: [OBJECT], schema: 'combined' }));

const perSecond = (n: number, seconds: number) => Math.round(n / seconds).toLocaleString('en-US');
const printLine = (label: string, ...cells: string[]) =>
  console.log(label.padEnd(44), ...cells.map((c) => c.padStart(14)));
console.log(
  `\n${TICKETS.toLocaleString('en-US')} tickets, ${extraction.records.toLocaleString('en-US')} records extracted, Node ${process.versions.node}\n`,
);
printLine('', 'seconds', 'records/s', 'pages/s', 'vs. baseline');
printLine(
  'baseline: bare client, same pages',
  bare.seconds.toFixed(2),
  perSecond(bare.records, bare.seconds),
  perSecond(bare.pages, bare.seconds),
  '',
);
printLine(
  'one extract worker, alone',
  extraction.seconds.toFixed(2),
  perSecond(extraction.records, extraction.seconds),
  perSecond(bare.pages, extraction.seconds),
  (bare.seconds / extraction.seconds).toFixed(2),
);
printLine(
  'baseline: raw COPY, same rows, same table',
  copy.seconds.toFixed(2),
  perSecond(copy.rows, copy.seconds),
  '',
  '',
);
const ratioToCopy = load.records / load.seconds / (copy.rows / copy.seconds);
printLine(
  'one load worker, alone',
  load.seconds.toFixed(2),
  perSecond(load.records, load.seconds),
  '',
  ratioToCopy.toFixed(2),
);
printLine(
  'both at once, until the last row is loaded',
  sync.seconds.toFixed(2),
  perSecond(sync.records, sync.seconds),
  '',
  '',
);
printLine(
  'both baselines one after the other',
  (bare.seconds + copy.seconds).toFixed(2),
  '',
  '',
  ((bare.seconds + copy.seconds) / sync.seconds).toFixed(2),
);
console.log(`\npeak memory: extract worker ${extraction.peakMiB} MiB, load worker ${load.peakMiB} MiB`);

/**
 * Captures the requests of the extractor, then measures a bare client that sends the same requests.
 */
async function measureBareClient(origin: string): Promise<{ pages: number; records: number; seconds: number }> {
  const client = new FreshdeskClient({
    account: { subdomain: 'demo', origin },
    apiKey: API_KEY,
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
  for await (const _page of extract(client, getObject(OBJECT), null, {
    historyFrom: null,
    readingId: 'bench',
    fetchUnits: async () => [],
  }));
  await client.close();
  const pool = new Pool(origin, { connections: 1 });
  const headers = {
    authorization: `Basic ${Buffer.from(`${API_KEY}:X`).toString('base64')}`,
    accept: 'application/json',
  };
  const startedAt = performance.now();
  for (const path of targets) {
    const { body } = await pool.request({ method: 'GET', path, headers });
    await body.arrayBuffer();
  }
  const seconds = (performance.now() - startedAt) / 1000;
  await pool.close();
  return { pages: targets.length, records, seconds };
}

interface SyncResult {
  readonly records: number;
  readonly seconds: number;
  readonly peakMiB: number;
}

/** Runs one extract worker alone. The batches stay in the control database. */
async function measureExtraction(deployment: BenchDeployment, pipeline: Pipeline): Promise<SyncResult> {
  const worker = deployment.startWorker('extract-worker');
  const runId = await deployment.startRun(pipeline);
  for (;;) {
    const { started_at: startedAt, objects } = await deployment.store.runs.get(runId);
    const [o] = objects;
    if (o?.extracted_at && startedAt) {
      const peak = getPeakMemoryMiB(worker);
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

/** Runs one load worker alone, on the stored batches. */
async function measureLoad(deployment: BenchDeployment, pipeline: Pipeline): Promise<SyncResult> {
  const worker = deployment.startWorker('load-worker');
  let startedAt: number | null = null;
  for (;;) {
    const { data } = await deployment.store.runs.list(
      { limit: 1, cursor: null },
      { pipelineId: pipeline.id, kind: null, status: null },
    );
    const [o] = data[0]?.objects ?? [];
    const loaded = (o?.records_inserted ?? 0) + (o?.records_updated ?? 0) + (o?.records_unchanged ?? 0);
    // Start the clock when the first transaction has committed, so that the startup time is not
    // counted.
    if (startedAt === null && loaded > 0) startedAt = performance.now() / 1000;
    if (data[0]?.finished_at) {
      const peak = getPeakMemoryMiB(worker);
      worker.kill('SIGKILL');
      return { records: loaded, seconds: performance.now() / 1000 - (startedAt ?? 0), peakMiB: peak };
    }
    await sleep(20);
  }
}

/** Runs both workers at once, as in a real deployment. */
async function measureSync(deployment: BenchDeployment, pipeline: Pipeline): Promise<SyncResult> {
  deployment.startWorker('extract-worker');
  deployment.startWorker('load-worker');
  const run = await deployment.waitForRun(await deployment.startRun(pipeline));
  const [o] = run.objects;
  return {
    records: o?.records_extracted ?? 0,
    seconds: ((run.finished_at?.getTime() ?? 0) - (run.started_at?.getTime() ?? 0)) / 1000,
    peakMiB: 0,
  };
}

async function measureRawCopy(
  { warehouseUrl, folder }: BenchDeployment,
  schema: string,
): Promise<{ rows: number; seconds: number }> {
  const client = new pg.Client(warehouseUrl);
  await client.connect();
  const file = join(folder, 'rows.copy');
  await pipeline(client.query(copyTo(`copy ${schema}.${OBJECT} to stdout`)), createWriteStream(file));
  await client.query(`create table ${schema}.baseline (like ${schema}.${OBJECT} including all)`);
  await client.query('checkpoint');
  const startedAt = performance.now();
  await client.query('begin');
  const copy = client.query(copyFrom(`copy ${schema}.baseline from stdin`));
  await pipeline(createReadStream(file, { highWaterMark: 64 * 1024 }), copy);
  await client.query('commit');
  const seconds = (performance.now() - startedAt) / 1000;
  const { rows } = await client.query<{ n: number }>(`select count(*)::int as n from ${schema}.baseline`);
  await client.end();
  console.log(`rows: ${(statSync(file).size / (rows[0]?.n ?? 1)).toFixed(0)} bytes each as COPY text`);
  return { rows: rows[0]?.n ?? 0, seconds };
}
