import type { ServerResponse } from 'node:http';
import { parseArgs } from 'node:util';
import { FreshdeskSimulator } from '@freshet/freshdesk-simulator';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { request } from 'undici';
import { BenchDeployment, getPeakMemoryMiB } from './deployment.ts';

/**
 * Measures the time from the start of a run until a record of many megabytes is in its table. The
 * baseline moves the same bytes: one HTTP request for the page, and one `COPY` of the record's
 * values into a table with the same definition. Each content is loaded several times with different
 * bytes, so that each load is an update. Prints medians and the peak memory of the workers. A
 * record over the response size limit is measured last.
 */
const { values } = parseArgs({
  options: {
    mb: { type: 'string', default: '60' },
    rounds: { type: 'string', default: '5' },
    contents: { type: 'string' },
  },
});
const bytes = Number(values.mb) * 1_000_000;
const rounds = Number(values.rounds);

/**
 * Contents of a JSON string as a server encodes them, without the quotes. `digit` makes the content
 * of each round different.
 */
const CONTENTS: Readonly<Record<string, (digit: number) => string>> = {
  words: (digit) => repeatToSize(`words ${digit} `),
  'incompressible text': (digit) => `${digit}${generateIncompressible()}`,
  'HTML with short escapes': (digit) => repeatToSize(`<div class=\\"x${digit}\\">a &amp; b\\n\\t\\"q\\" \\\\ é</div>`),
  'HTML with \\u escapes': (digit) =>
    repeatToSize(`\\u003cdiv\\u003e${digit} gr\\u00fc\\u00dfe \\u0026 \\u2028\\u003c/div\\u003e`),
  'emoji as surrogate pairs': (digit) => repeatToSize(`emoji ${digit} \\ud83d\\ude00 `),
  'NUL and lone surrogates': (digit) => repeatToSize(`words ${digit}\\u0000 \\ud83d and more `),
  'addresses with a signature': (digit) =>
    `${repeatToSize(`https://a.example/b?c=${digit}&e=f#g_`)} https://a.example/x?X-Amz-Signature=${digit}`,
};

function repeatToSize(text: string): string {
  return text.repeat(Math.floor(bytes / Buffer.byteLength(text)));
}

function generateIncompressible(): string {
  const block = 3 * 16_384;
  return Array.from({ length: Math.floor(bytes / (block / 3) / 4) }, () =>
    Buffer.from(crypto.getRandomValues(new Uint8Array(block))).toString('base64'),
  ).join('');
}

let page: Buffer = Buffer.from('[]');
const respond = (response: ServerResponse): true => {
  response.setHeader('x-freshdesk-api-version', 'latest=v2; requested=v2');
  response
    .writeHead(200, { 'content-type': 'application/json; charset=utf-8', 'content-length': page.length })
    .end(page);
  return true;
};
const simulator = new FreshdeskSimulator({
  seed: 1,
  asOf: new Date(Date.now() - 3_600_000),
  intercept: ({ path }, response) => path === '/api/v2/groups' && respond(response),
});
const origin = await simulator.listen();
await using deployment = await BenchDeployment.start(origin, [() => simulator.close()]);
const pipeline = await deployment.createPipeline({ objects: ['groups'] });
const [extractor, loader] = [deployment.startWorker('extract-worker'), deployment.startWorker('load-worker')];
const client = new pg.Client(deployment.warehouseUrl);
client.on('error', () => {});
await client.connect();
await deployment.waitForStart(extractor, loader);

function encodeGroups(text: string): Buffer {
  const record = (id: number, description: string) =>
    `{"id":${id},"name":"group ${id}","description":"${description}","created_at":"2024-01-01T00:00:00Z","updated_at":"2024-01-01T00:00:00Z"}`;
  return Buffer.from(`[${record(1, text)},${record(2, 'small')}]`);
}

async function sync(): Promise<number> {
  const startedAt = performance.now();
  await deployment.waitForRun(await deployment.startRun(pipeline));
  return performance.now() - startedAt;
}

/**
 * Measures the baseline: sends one request, and copies the record's values into a table with the
 * same columns, key and compression as the record's own table.
 */
async function moveBytes(text: string): Promise<number> {
  const row = Buffer.from(`1\t${text}\n`);
  await client.query('drop table if exists bench.moved; create table bench.moved (like bench.groups including all)');
  const startedAt = performance.now();
  const { body } = await request(`${origin}/api/v2/groups`);
  await body.arrayBuffer();
  await new Promise<void>((resolve, reject) => {
    const stream = client.query(copyFrom('copy bench.moved (id, description) from stdin'));
    stream.once('finish', resolve).once('error', reject);
    stream.end(row);
  });
  return performance.now() - startedAt;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] as number;
}

function formatPeakMemory(): string {
  return `extract worker ${getPeakMemoryMiB(extractor)} MiB, load worker ${getPeakMemoryMiB(loader)} MiB`;
}

page = encodeGroups('small');
await sync();
const idle = median(await measureRounds(async () => await sync()));
console.log(`run without large records: ${(idle / 1000).toFixed(2)} s; ${formatPeakMemory()}`);

async function measureRounds(measure: (round: number) => Promise<number>): Promise<number[]> {
  const all: number[] = [];
  for (let round = 0; round < rounds; round++) all.push(await measure(round));
  return all;
}

for (const [name, content] of Object.entries(CONTENTS)) {
  if (values.contents !== undefined && !name.includes(values.contents)) continue;
  const synced: number[] = [];
  const moved: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const text = content(round);
    page = encodeGroups(text);
    synced.push(await sync());
    moved.push(
      await moveBytes(
        text
          .replaceAll('\\u0000', '\ufffd')
          .replaceAll('\\ud83d and', '\ufffd and')
          .replaceAll('\\"', '"')
          .replaceAll(/\\u(....)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
      ),
    );
  }
  const [syncMs, moveMs] = [median(synced), median(moved)];
  console.log(
    `${name}, ${values.mb} MB: ${(syncMs / 1000).toFixed(2)} s, baseline ${(moveMs / 1000).toFixed(2)} s, ` +
      `ratio ${(syncMs / moveMs).toFixed(2)}, ratio minus idle run ${((syncMs - idle) / moveMs).toFixed(2)}; ${formatPeakMemory()}`,
  );
}

page = encodeGroups('words '.repeat(140_000_000 / 6));
const run = await deployment.waitForRun(await deployment.startRun(pipeline));
console.log(`record over the limit: ${run.objects[0]?.records_rejected} rejected; ${formatPeakMemory()}`);
await client.end();
