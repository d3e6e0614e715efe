import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { objectNamed } from '@freshet/freshdesk-extractor';
import { FreshdeskSimulator } from '@freshet/freshdesk-simulator';
import pg from 'pg';
import { KEY, Lab } from '../src/lab.ts';

/**
 * Freshet beside others, on the same simulated account of tickets with conversations: a published Singer tap and dlt's REST
 * source, installed from PyPI into an environment of their own.
 *
 * Twice each: on an account at rest (records a second of CPU, credits of a first and of a second run), and on one where a
 * ticket changes with every other call, then rests for one more run: tickets whose last version did not arrive are lost.
 */
const { values } = parseArgs({
  options: { tickets: { type: 'string', default: '20000' }, peers: { type: 'string', default: 'freshet,singer,dlt' } },
});
const TICKETS = Number(values.tickets);
const here = fileURLToPath(new URL('.', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'freshet-peers-'));

interface Reading {
  readonly records: number;
  readonly cpuSeconds: number;
}
interface Peer {
  readonly name: string;
  /** Reads the account once more, from where it stood. */
  run(): Promise<Reading>;
  /** Ticket → the newest version that has arrived. */
  tickets(): Promise<ReadonlyMap<number, number>>;
  close(): Promise<void>;
}

let interpreter: string | null = null;
const PEERS: Readonly<Record<string, (origin: string) => Promise<Peer>>> = { freshet, singer, dlt };

try {
  console.log(`${TICKETS.toLocaleString('en-US')} tickets with conversations; each at rest, then with changes\n`);
  for (const name of values.peers.split(','))
    console.log(await compare(PEERS[name] as (origin: string) => Promise<Peer>));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function compare(open: (origin: string) => Promise<Peer>): Promise<string> {
  const rest = await account(() => {});
  const peer = await open(rest.origin);
  const first = await peer.run();
  const firstCredits = rest.simulator.limits.creditsUsed;
  const second = await peer.run();
  const secondCredits = rest.simulator.limits.creditsUsed - firstCredits;
  await peer.close();
  await rest.simulator.close();

  let changing = true;
  let n = 0;
  const moving = await account((simulator, call) => {
    if (!changing || call % 2 === 1) return;
    // Any ticket, the same ones for everybody.
    n++;
    simulator.account.update('tickets', 1 + ((n * 7919) % TICKETS), {});
  });
  const other = await open(moving.origin);
  await other.run();
  changing = false;
  await other.run();
  const lost = lostTickets(moving.simulator, await other.tickets());
  await other.close();
  await moving.simulator.close();
  return [
    peer.name.padEnd(22),
    `${Math.round(first.records / first.cpuSeconds).toLocaleString('en-US')} records a CPU second`.padEnd(32),
    `first run ${firstCredits.toLocaleString('en-US')} credits, second ${secondCredits.toLocaleString('en-US')} (${second.records} records)`.padEnd(
      64,
    ),
    `${lost} tickets lost of ${TICKETS.toLocaleString('en-US')} under ${n.toLocaleString('en-US')} changes`,
  ].join('');
}

async function account(afterCall: (simulator: FreshdeskSimulator, call: number) => void) {
  const simulator: FreshdeskSimulator = new FreshdeskSimulator({
    seed: 1,
    counts: { tickets: TICKETS, conversations: 2 },
    spanDays: 300,
    // The tap stops at the first address that is no list of addresses.
    tame: true,
    asOf: new Date(Date.now() - 3_600_000),
    intercept: ({ number }) => {
      afterCall(simulator, number);
      return false;
    },
  });
  return { simulator, origin: await simulator.listen() };
}

/** Tickets that exist, in no list of deleted ones, and have not arrived in their last version. */
function lostTickets({ account: simulated }: FreshdeskSimulator, arrived: ReadonlyMap<number, number>): number {
  const list = simulated.listOf(objectNamed('tickets'));
  let lost = 0;
  for (let number = 0; number < list.length; number++) {
    if (list.viewOf(number) === 0 && arrived.get(list.keyOf(number)) !== list.updatedAt(number)) lost++;
  }
  return lost;
}

async function freshet(origin: string): Promise<Peer> {
  const lab = await Lab.open(origin);
  const pipeline = await lab.pipeline({ objects: ['tickets', 'conversations'] });
  const [extractor] = [lab.worker('extract-worker'), lab.worker('load-worker')];
  return {
    name: 'Freshet',
    run: async () => {
      const before = cpuSeconds(extractor);
      const run = await lab.finished(await lab.startRun(pipeline));
      return {
        records: run.objects.reduce((sum, o) => sum + o.records_extracted, 0),
        cpuSeconds: cpuSeconds(extractor) - before,
      };
    },
    tickets: async () => {
      const client = new pg.Client(lab.warehouseUrl);
      await client.connect();
      const { rows } = await client.query<{ id: string; at: string }>(
        'select id, extract(epoch from updated_at) as at from bench.tickets',
      );
      await client.end();
      return new Map(rows.map((r) => [Number(r.id), Number(r.at)]));
    },
    close: async () => lab[Symbol.asyncDispose](),
  };
}

async function singer(origin: string): Promise<Peer> {
  const at = mkdtempSync(join(folder, 'singer-'));
  const file = (name: string, content: unknown) => {
    writeFileSync(join(at, name), JSON.stringify(content));
    return join(at, name);
  };
  const config = file('config.json', {
    api_key: KEY,
    domain: 'demo',
    start_date: '1970-01-01T00:00:00Z',
    user_agent: 'bench',
  });
  const env = { ...process.env, ORIGIN: origin };
  const discovered = JSON.parse(
    execFileSync(python(), [join(here, 'tap.py'), '--config', config, '--discover'], {
      env,
      maxBuffer: 1e9,
      stdio: ['ignore', 'pipe', 'ignore'],
    }).toString(),
  );
  for (const stream of discovered.streams) {
    for (const { breadcrumb, metadata } of stream.metadata)
      if (breadcrumb.length === 0) metadata.selected = stream.stream === 'tickets' || stream.stream === 'conversations';
  }
  const catalog = file('catalog.json', discovered);
  const arrived = new Map<number, number>();
  let state: string | null = null;
  return {
    name: 'Singer tap 1.0.1',
    run: async () => {
      let records = 0;
      const child = spawn(
        python(),
        [join(here, 'tap.py'), '--config', config, '--catalog', catalog, ...(state === null ? [] : ['--state', state])],
        { env },
      );
      const cpu = cpuOf(child);
      for await (const line of createInterface({ input: child.stdout })) {
        const message = JSON.parse(line) as {
          type: string;
          stream?: string;
          record?: { id: number; updated_at: string };
          value?: unknown;
        };
        if (message.type === 'STATE') state = file('state.json', message.value);
        if (message.type !== 'RECORD' || !message.record) continue;
        records++;
        if (message.stream === 'tickets') keepNewest(arrived, message.record);
      }
      return { records, cpuSeconds: await cpu };
    },
    tickets: async () => arrived,
    close: async () => {},
  };
}

async function dlt(origin: string): Promise<Peer> {
  const at = mkdtempSync(join(folder, 'dlt-'));
  const out = join(at, 'out');
  mkdirSync(out);
  const env = {
    ...process.env,
    ORIGIN: origin,
    KEY,
    OUT: out,
    STATE: join(at, 'state'),
    RUNTIME__DLTHUB_TELEMETRY: 'false',
    NORMALIZE__DATA_WRITER__DISABLE_COMPRESSION: 'true',
  };
  const seen = new Set<string>();
  const arrived = new Map<number, number>();
  const collect = (table: string): number => {
    const under = join(out, 'peer', table);
    let records = 0;
    for (const name of readdirSync(under).filter((f) => f.endsWith('.jsonl') && !seen.has(`${table}/${f}`))) {
      seen.add(`${table}/${name}`);
      for (const line of readFileSync(join(under, name), 'utf8').split('\n')) {
        if (line === '') continue;
        records++;
        if (table === 'tickets') keepNewest(arrived, JSON.parse(line) as { id: number; updated_at: string });
      }
    }
    return records;
  };
  return {
    name: 'dlt 1.31.0',
    run: async () => {
      const child = spawn(python(), [join(here, 'dlt_rest.py')], { env, cwd: at, stdio: ['ignore', 'ignore', 'pipe'] });
      const cpuSeconds = await cpuOf(child);
      return { records: collect('tickets') + collect('conversations'), cpuSeconds };
    },
    tickets: async () => arrived,
    close: async () => {},
  };
}

function keepNewest(arrived: Map<number, number>, { id, updated_at }: { id: number; updated_at: string }): void {
  arrived.set(id, Math.max(arrived.get(id) ?? 0, Date.parse(updated_at) / 1000));
}

/** What a peer says that it has used, when it ends. @throws Error with its own words when it says nothing. */
async function cpuOf(child: ChildProcess): Promise<number> {
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-4000);
  });
  await new Promise((resolve) => child.once('close', resolve));
  const seconds = Number(/CPU ([\d.]+)/.exec(said)?.[1]);
  if (child.exitCode !== 0 || Number.isNaN(seconds)) throw new Error(`A peer ended with ${child.exitCode}: ${said}`);
  return seconds;
}

/** User and system time of a process that runs; Linux counts it in hundredths. */
function cpuSeconds(child: ChildProcess): number {
  const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function python(): string {
  if (interpreter !== null) return interpreter;
  const venv = join(folder, 'venv');
  execFileSync('python3', ['-m', 'venv', venv]);
  interpreter = join(venv, 'bin', 'python');
  execFileSync(
    interpreter,
    ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', join(here, 'requirements.txt')],
    { stdio: 'inherit' },
  );
  return interpreter;
}
