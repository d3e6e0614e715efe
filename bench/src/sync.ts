import type { ChildProcess } from 'node:child_process';
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
import { API_KEY, BenchDeployment, getCpuSeconds, getPeakMemoryMiB } from './deployment.ts';

/**
 * Syncs many tickets from a simulator without rate limits. Measures one extract worker alone, one
 * load worker alone, and both workers at the same time. The time to start the processes is
 * excluded. The same run measures the baselines: a bare client that sends the same requests and
 * receives the bytes, a bare client that also parses the bytes with `JSON.parse`, and a raw COPY of
 * the same rows into the same table with its primary key.
 */
const { values } = parseArgs({ options: { tickets: { type: 'string', default: '100000' } } });
const TICKETS = Number(values.tickets);
const OBJECT = 'tickets';
/** The interval between two queries that check whether a worker has finished. */
const POLL_MS = 50;

const cleanups: (() => unknown)[] = [];
const origin = await BenchDeployment.startSimulator(['--tickets', String(TICKETS), '--span-days', '300'], cleanups);
await using deployment = await BenchDeployment.start(origin, cleanups);

const targets = await captureRequests(origin);
const receiving = await measureBareClient(origin, targets, false);
const parsing = await measureBareClient(origin, targets, true);
const pipelineAlone = await deployment.createPipeline({ objects: [OBJECT], schema: 'alone' });
const extraction = await measureExtraction(deployment, pipelineAlone);
const load = await measureLoad(deployment, pipelineAlone);
const copy = await measureRawCopy(deployment, 'alone');
const sync = await measureSync(deployment, await deployment.createPipeline({ objects: [OBJECT], schema: 'combined' }));

printResults();

function printResults(): void {
  const printLine = (label: string, records: number, seconds: number, ...ratios: [name: string, baseline: number][]) =>
    console.log(
      label.padEnd(44),
      seconds.toFixed(2).padStart(8),
      Math.round(records / seconds)
        .toLocaleString('en-US')
        .padStart(10),
      ...ratios.map(([name, baseline]) => `  ${(baseline / (seconds / records)).toFixed(2)} of ${name}`),
    );
  const { records } = extraction;
  const [receive, parse, copyRow] = [receiving / records, parsing / records, copy.seconds / copy.rows];
  console.log(
    `\n${TICKETS.toLocaleString('en-US')} tickets, ${records.toLocaleString('en-US')} records in ${targets.length} pages, Node ${process.versions.node}\n`,
  );
  console.log(''.padEnd(44), 'seconds'.padStart(8), 'records/s'.padStart(10));
  printLine('baseline (a): bare client', records, receiving);
  printLine('baseline (b): bare client and JSON.parse', records, parsing);
  printLine('baseline (c): raw COPY into the same table', copy.rows, copy.seconds);
  printLine('extract worker alone', records, extraction.seconds, ['(a)', receive], ['(b)', parse]);
  printLine('load worker alone', load.records, load.seconds, ['(c)', copyRow]);
  printLine(
    'both at once',
    sync.records,
    sync.seconds,
    ['(b) + (c)', parse + copyRow],
    ['(a) + (c)', receive + copyRow],
  );
  console.log(
    `\nCPU seconds: extract worker ${extraction.cpuSeconds.toFixed(2)}, load worker ${load.cpuSeconds.toFixed(2)}. ` +
      `Peak memory: extract worker ${extraction.peakMiB} MiB, load worker ${load.peakMiB} MiB`,
  );
}

/** Returns the targets of the requests that the extractor sends. */
async function captureRequests(origin: string): Promise<string[]> {
  const client = new FreshdeskClient({
    account: { subdomain: 'demo', origin },
    apiKey: API_KEY,
    budget: { take: async () => {}, learn: async () => {}, block: async () => {} },
    creditClass: 'incremental',
  });
  const targets: string[] = [];
  const list = client.list.bind(client);
  client.list = (path, query, cost) => {
    targets.push(`${path}?${new URLSearchParams(query).toString()}`);
    return list(path, query, cost);
  };
  for await (const _page of extract(client, getObject(OBJECT), null, {
    historyFrom: null,
    readingId: 'bench',
    fetchUnits: async () => [],
  }));
  await client.close();
  return targets;
}

/** Measures a bare client that sends the requests one after the other. @returns the seconds. */
async function measureBareClient(origin: string, targets: readonly string[], parses: boolean): Promise<number> {
  const pool = new Pool(origin, { connections: 1 });
  const headers = {
    authorization: `Basic ${Buffer.from(`${API_KEY}:X`).toString('base64')}`,
    accept: 'application/json',
  };
  const startedAt = performance.now();
  for (const path of targets) {
    const { body } = await pool.request({ method: 'GET', path, headers });
    if (parses) JSON.parse(await body.text());
    else await body.arrayBuffer();
  }
  const seconds = (performance.now() - startedAt) / 1000;
  await pool.close();
  return seconds;
}

interface Measurement {
  readonly records: number;
  readonly seconds: number;
}

interface WorkerMeasurement extends Measurement {
  /** The CPU time of the process during the run, including work outside of the measured time. */
  readonly cpuSeconds: number;
  readonly peakMiB: number;
}

/** Runs one extract worker alone. The batches stay in the control database. */
async function measureExtraction(deployment: BenchDeployment, pipeline: Pipeline): Promise<WorkerMeasurement> {
  const worker = deployment.startWorker('extract-worker');
  await deployment.waitForStart(worker);
  const cpuBefore = getCpuSeconds(worker);
  const runId = await deployment.startRun(pipeline);
  for (;;) {
    const { started_at: startedAt, objects } = await deployment.store.runs.get(runId);
    const [o] = objects;
    if (o?.extracted_at && startedAt) {
      const seconds = (o.extracted_at.getTime() - startedAt.getTime()) / 1000;
      return { records: o.records_extracted, seconds, ...(await stop(worker, cpuBefore)) };
    }
    await sleep(POLL_MS);
  }
}

/**
 * Runs one load worker alone, on the stored batches. The measurement begins when the first
 * transaction has committed, so that the start of the process is not counted.
 */
async function measureLoad(deployment: BenchDeployment, { id }: Pipeline): Promise<WorkerMeasurement> {
  const worker = deployment.startWorker('load-worker');
  await deployment.waitForStart(worker);
  const cpuBefore = getCpuSeconds(worker);
  const control = new pg.Client(deployment.controlDatabaseUrl);
  await control.connect();
  const isLoaded = 'select from freshet.batches where pipeline_id = $1 having bool_and(loaded_at is not null)';
  while ((await control.query(isLoaded, [id])).rowCount === 0) await sleep(POLL_MS);
  const { rows } = await control.query<{ records: string; seconds: string }>(
    `select sum(records) filter (where loaded_at > first) as records, extract(epoch from max(loaded_at) - min(first)) as seconds
     from (select records, loaded_at, min(loaded_at) over () as first from freshet.batches where pipeline_id = $1) b`,
    [id],
  );
  await control.end();
  const [row] = rows;
  return { records: Number(row?.records), seconds: Number(row?.seconds), ...(await stop(worker, cpuBefore)) };
}

async function stop(worker: ChildProcess, cpuBefore: number): Promise<Omit<WorkerMeasurement, keyof Measurement>> {
  const usage = { cpuSeconds: getCpuSeconds(worker) - cpuBefore, peakMiB: getPeakMemoryMiB(worker) };
  const exit = new Promise((resolve) => worker.once('exit', resolve));
  worker.kill('SIGKILL');
  await exit;
  return usage;
}

/** Runs both workers at once, as in a real deployment, until the last row is loaded. */
async function measureSync(deployment: BenchDeployment, pipeline: Pipeline): Promise<Measurement> {
  await deployment.waitForStart(deployment.startWorker('extract-worker'), deployment.startWorker('load-worker'));
  const run = await deployment.waitForRun(await deployment.startRun(pipeline));
  return {
    records: run.objects[0]?.records_extracted ?? 0,
    seconds: ((run.finished_at?.getTime() ?? 0) - (run.started_at?.getTime() ?? 0)) / 1000,
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
