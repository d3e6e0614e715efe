import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { FreshdeskSimulator } from '@freshet/freshdesk-simulator';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { request } from 'undici';
import { Lab, peakMiB } from './lab.ts';

/**
 * The time from the start of a run until a record of many megabytes is in its table, relative to moving the same bytes: one HTTP
 * request for the page, and one `COPY` of the record's values into a table of the same shape. Each content is loaded several times,
 * each time with other bytes, so that the record is an update. Prints medians and the peak resident memory of the workers.
 * A record over the limit of one response is measured last.
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

/** Texts as a server writes them within a JSON string, without the quotes. `digit` distinguishes the rounds. */
const CONTENTS: Readonly<Record<string, (digit: number) => string>> = {
  words: (digit) => filled(`words ${digit} `),
  'incompressible text': (digit) => `${digit}${incompressible()}`,
  'HTML with short escapes': (digit) => filled(`<div class=\\"x${digit}\\">a &amp; b\\n\\t\\"q\\" \\\\ é</div>`),
  'HTML with \\u escapes': (digit) =>
    filled(`\\u003cdiv\\u003e${digit} gr\\u00fc\\u00dfe \\u0026 \\u2028\\u003c/div\\u003e`),
  'emoji as surrogate pairs': (digit) => filled(`emoji ${digit} \\ud83d\\ude00 `),
  'NUL and lone surrogates': (digit) => filled(`words ${digit}\\u0000 \\ud83d and more `),
  'addresses with a signature': (digit) =>
    `${filled(`https://a.example/b?c=${digit}&e=f#g_`)} https://a.example/x?X-Amz-Signature=${digit}`,
};

function filled(text: string): string {
  return text.repeat(Math.floor(bytes / Buffer.byteLength(text)));
}

function incompressible(): string {
  const block = 3 * 16_384;
  return Array.from({ length: Math.floor(bytes / (block / 3) / 4) }, () =>
    Buffer.from(crypto.getRandomValues(new Uint8Array(block))).toString('base64'),
  ).join('');
}

let page: Buffer = Buffer.from('[]');
const answer = (response: ServerResponse): true => {
  response.setHeader('x-freshdesk-api-version', 'latest=v2; requested=v2');
  response
    .writeHead(200, { 'content-type': 'application/json; charset=utf-8', 'content-length': page.length })
    .end(page);
  return true;
};
const simulator = new FreshdeskSimulator({
  seed: 1,
  asOf: new Date(Date.now() - 3_600_000),
  intercept: ({ path }, response) => path === '/api/v2/groups' && answer(response),
});
const origin = await simulator.listen();
await using lab = await Lab.open(origin, [() => simulator.close()]);
const pipeline = await lab.pipeline({ objects: ['groups'] });
const [extractor, loader] = [lab.worker('extract-worker'), lab.worker('load-worker')];
const client = new pg.Client(lab.warehouseUrl);
client.on('error', () => {});
await client.connect();
await sleep(2000);

function groups(text: string): Buffer {
  const record = (id: number, description: string) =>
    `{"id":${id},"name":"group ${id}","description":"${description}","created_at":"2024-01-01T00:00:00Z","updated_at":"2024-01-01T00:00:00Z"}`;
  return Buffer.from(`[${record(1, text)},${record(2, 'small')}]`);
}

async function sync(): Promise<number> {
  const began = performance.now();
  await lab.finished(await lab.startRun(pipeline));
  return performance.now() - began;
}

/** One request, and one `COPY` of the same values into a table with the same columns, key and compression. */
async function move(text: string): Promise<number> {
  const row = Buffer.from(`1\t${text}\n`);
  await client.query('drop table if exists bench.moved; create table bench.moved (like bench.groups including all)');
  const began = performance.now();
  const { body } = await request(`${origin}/api/v2/groups`);
  await body.arrayBuffer();
  await new Promise<void>((resolve, reject) => {
    const stream = client.query(copyFrom('copy bench.moved (id, description) from stdin'));
    stream.once('finish', resolve).once('error', reject);
    stream.end(row);
  });
  return performance.now() - began;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] as number;
}

function peaks(): string {
  return `extract worker ${peakMiB(extractor)} MiB, load worker ${peakMiB(loader)} MiB`;
}

page = groups('small');
await sync();
const idle = median(await times(async () => await sync()));
console.log(`without it: ${(idle / 1000).toFixed(2)} s; ${peaks()}`);

async function times(measure: (round: number) => Promise<number>): Promise<number[]> {
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
    page = groups(text);
    synced.push(await sync());
    moved.push(
      await move(
        text
          .replaceAll('\\u0000', '\ufffd')
          .replaceAll('\\ud83d and', '\ufffd and')
          .replaceAll('\\"', '"')
          .replaceAll(/\\u(....)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
      ),
    );
  }
  const [sync50, move50] = [median(synced), median(moved)];
  console.log(
    `${name}, ${values.mb} MB: ${(sync50 / 1000).toFixed(2)} s, moving the bytes ${(move50 / 1000).toFixed(2)} s, ` +
      `ratio ${(sync50 / move50).toFixed(2)}, without the idle run ${((sync50 - idle) / move50).toFixed(2)}; ${peaks()}`,
  );
}

page = groups('words '.repeat(140_000_000 / 6));
const run = await lab.finished(await lab.startRun(pipeline));
console.log(`over the limit: ${run.objects[0]?.records_rejected} record rejected; ${peaks()}`);
await client.end();
