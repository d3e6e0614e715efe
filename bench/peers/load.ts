import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { SimulatedAccount } from '@freshet/freshdesk-simulator';
import { NODE_OPTIONS } from '@freshet/runtime';
import pg from 'pg';
import { BenchDeployment } from '../src/deployment.ts';

/**
 * Compares Freshet's loader with multi-row INSERTs, dlt and a published Singer target, on the same
 * records and the same PostgreSQL server. dlt and the target each run with their defaults and with
 * their fastest settings. Each loader has a separate schema. Each loader loads all records into an
 * empty table, and then loads them again three times: with 1 % of the records changed, with none
 * changed, and with all changed.
 */
const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '20000' },
    peers: { type: 'string', default: 'freshet,insert,dlt,dlt fast,singer,singer fast' },
  },
});
const ROWS = Number(values.rows);
const here = fileURLToPath(new URL('.', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'freshet-peers-'));
await using deployment = await BenchDeployment.start('http://127.0.0.1:1');
const client = new pg.Client(deployment.warehouseUrl);
await client.connect();

const account = new SimulatedAccount({
  seed: 1,
  asOf: new Date(Date.now() - 7_200_000),
  spanDays: 365,
  counts: { tickets: ROWS },
});
const texts = [...account.listAllRecords('tickets')].flatMap(({ view, text }) =>
  view.deleteKind === null ? [text] : [],
);
let minute = 0;
const change = (text: string) => {
  const later = new Date(Date.now() - 3_600_000 + minute * 60_000).toISOString().replace(/\.\d+Z/, 'Z');
  return text.replace(/"updated_at":"[^"]*"/, `"updated_at":"${later}"`).replace('"subject":"', '"subject":"Re: ');
};
const SCENARIOS = ['empty table', '1 % changed', 'unchanged', 'all changed'] as const;
const files = SCENARIOS.map((scenario) => {
  minute++;
  if (scenario === '1 % changed') for (let n = 0; n < texts.length; n += 100) texts[n] = change(texts[n] as string);
  if (scenario === 'all changed') for (let n = 0; n < texts.length; n++) texts[n] = change(texts[n] as string);
  const file = join(folder, `${minute}.jsonl`);
  writeFileSync(file, `${texts.join('\n')}\n`);
  return [scenario, file] as const;
});

let interpreter: string | null = null;
try {
  console.log(`${texts.length.toLocaleString('en-US')} tickets; rows/s, CPU seconds, WAL MiB\n`);
  console.log(''.padEnd(16), ...SCENARIOS.map((s) => s.padEnd(28)));
  for (const peer of values.peers.split(',')) {
    const cells: string[] = [];
    for (const [, file] of files) cells.push((await load(peer, file)).padEnd(28));
    console.log(peer.padEnd(16), ...cells);
  }
} finally {
  await client.end();
  rmSync(folder, { recursive: true, force: true });
}

async function load(peer: string, file: string): Promise<string> {
  const [name, mode = 'default'] = peer.split(' ') as [string, string?];
  const isOurs = name === 'freshet' || name === 'insert';
  const command = isOurs ? process.execPath : getPython();
  const script = isOurs
    ? [...NODE_OPTIONS, join(here, 'load-child.ts')]
    : [join(here, name === 'dlt' ? 'dlt_load.py' : 'singer_load.py')];
  const env = {
    ...process.env,
    FILE: file,
    WAREHOUSE: deployment.warehouseUrl,
    MODE: isOurs ? name : mode,
    STATE: join(folder, peer.replace(' ', '-')),
    RUNTIME__DLTHUB_TELEMETRY: 'false',
  };
  await client.query('checkpoint');
  const before = await getWalBytes();
  const startedAt = performance.now();
  const child = spawn(command, script, { env, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output = (output + text).slice(-4000);
  });
  const status = await new Promise((resolve) => child.once('close', resolve));
  const seconds = (performance.now() - startedAt) / 1000;
  const cpu = Number(/CPU ([\d.]+)\s*$/.exec(output)?.[1]);
  if (status !== 0 || Number.isNaN(cpu)) throw new Error(`${peer} exited with status ${String(status)}: ${output}`);
  const megabytes = ((await getWalBytes()) - before) / 2 ** 20;
  return `${Math.round(texts.length / seconds).toLocaleString('en-US')}/s ${cpu.toFixed(1)} s ${megabytes.toFixed(1)} MiB`;
}

async function getWalBytes(): Promise<number> {
  const { rows } = await client.query<{ n: string }>(`select pg_current_wal_lsn() - '0/0' as n`);
  return Number(rows[0]?.n);
}

function getPython(): string {
  if (interpreter !== null) return interpreter;
  const venv = join(folder, 'venv');
  execFileSync('python3', ['-m', 'venv', venv]);
  interpreter = join(venv, 'bin', 'python');
  const quiet = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];
  execFileSync(interpreter, [...quiet, '-r', join(here, 'requirements-load.txt')], { stdio: 'inherit' });
  return interpreter;
}
