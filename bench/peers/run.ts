import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { getObject } from '@freshet/freshdesk-extractor';
import { FreshdeskSimulator } from '@freshet/freshdesk-simulator';
import pg from 'pg';
import { API_KEY, BenchDeployment, getCpuSeconds } from '../src/deployment.ts';

/**
 * Compares Freshet with a published Singer tap and with dlt's REST source on the same simulated
 * account of tickets with conversations. The tap and dlt are installed from PyPI into a virtual
 * environment.
 *
 * Each of the three programs runs twice on an account that does not change. The first run measures
 * the records per CPU second, and both runs measure the credits. Each program then runs on an
 * account that changes one ticket at every second request, and runs again after the last change. A
 * ticket counts as lost if its last version was not extracted.
 */
const { values } = parseArgs({
  options: { tickets: { type: 'string', default: '20000' }, peers: { type: 'string', default: 'freshet,singer,dlt' } },
});
const TICKETS = Number(values.tickets);
const here = fileURLToPath(new URL('.', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'freshet-peers-'));

interface RunResult {
  readonly records: number;
  readonly cpuSeconds: number;
}
interface Peer {
  readonly name: string;
  /** Extracts the account, incrementally after the first run. */
  run(): Promise<RunResult>;
  /** Returns the latest extracted `updated_at` of each ticket, by key, in epoch seconds. */
  tickets(): Promise<ReadonlyMap<number, number>>;
  close(): Promise<void>;
}

let interpreter: string | null = null;
const PEERS: Readonly<Record<string, (origin: string) => Promise<Peer>>> = {
  freshet: openFreshet,
  singer: openSinger,
  dlt: openDlt,
};

try {
  console.log(
    `${TICKETS.toLocaleString('en-US')} tickets with conversations; for each peer: without changes, then with changes\n`,
  );
  for (const name of values.peers.split(','))
    console.log(await compare(PEERS[name] as (origin: string) => Promise<Peer>));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function compare(open: (origin: string) => Promise<Peer>): Promise<string> {
  const unchanged = await startAccount(() => {});
  const peer = await open(unchanged.origin);
  const first = await peer.run();
  const firstCredits = unchanged.simulator.limits.creditsUsed;
  const second = await peer.run();
  const secondCredits = unchanged.simulator.limits.creditsUsed - firstCredits;
  await peer.close();
  await unchanged.simulator.close();

  let changing = true;
  let n = 0;
  const changingAccount = await startAccount((simulator, call) => {
    if (!changing || call % 2 === 1) return;
    // Change the tickets in the same order for each peer.
    n++;
    simulator.account.update('tickets', 1 + ((n * 7919) % TICKETS), {});
  });
  const other = await open(changingAccount.origin);
  await other.run();
  changing = false;
  await other.run();
  const lost = countLostTickets(changingAccount.simulator, await other.tickets());
  await other.close();
  await changingAccount.simulator.close();
  return [
    peer.name.padEnd(22),
    `${Math.round(first.records / first.cpuSeconds).toLocaleString('en-US')} records per CPU second`.padEnd(32),
    `first run ${firstCredits.toLocaleString('en-US')} credits, second ${secondCredits.toLocaleString('en-US')} (${second.records} records)`.padEnd(
      64,
    ),
    `${lost} tickets lost of ${TICKETS.toLocaleString('en-US')} under ${n.toLocaleString('en-US')} changes`,
  ].join('');
}

async function startAccount(afterCall: (simulator: FreshdeskSimulator, call: number) => void) {
  const simulator: FreshdeskSimulator = new FreshdeskSimulator({
    seed: 1,
    counts: { tickets: TICKETS, conversations: 2 },
    spanDays: 300,
    // The tap fails on email fields that are not lists of addresses.
    documentedShapesOnly: true,
    asOf: new Date(Date.now() - 3_600_000),
    intercept: ({ number }) => {
      afterCall(simulator, number);
      return false;
    },
  });
  return { simulator, origin: await simulator.listen() };
}

/** Counts the tickets that are not deleted and whose last version was not extracted. */
function countLostTickets({ account: simulated }: FreshdeskSimulator, arrived: ReadonlyMap<number, number>): number {
  const list = simulated.getList(getObject('tickets'));
  let lost = 0;
  for (let number = 0; number < list.length; number++) {
    if (list.getView(number) === 0 && arrived.get(list.getKey(number)) !== list.getUpdatedAt(number)) lost++;
  }
  return lost;
}

async function openFreshet(origin: string): Promise<Peer> {
  const deployment = await BenchDeployment.start(origin);
  const pipeline = await deployment.createPipeline({ objects: ['tickets', 'conversations'] });
  const [extractor] = [deployment.startWorker('extract-worker'), deployment.startWorker('load-worker')];
  return {
    name: 'Freshet',
    run: async () => {
      const before = getCpuSeconds(extractor);
      const run = await deployment.waitForRun(await deployment.startRun(pipeline));
      return {
        records: run.objects.reduce((sum, o) => sum + o.records_extracted, 0),
        cpuSeconds: getCpuSeconds(extractor) - before,
      };
    },
    tickets: async () => {
      const client = new pg.Client(deployment.warehouseUrl);
      await client.connect();
      const { rows } = await client.query<{ id: string; at: string }>(
        'select id, extract(epoch from updated_at) as at from bench.tickets',
      );
      await client.end();
      return new Map(rows.map((r) => [Number(r.id), Number(r.at)]));
    },
    close: async () => deployment[Symbol.asyncDispose](),
  };
}

async function openSinger(origin: string): Promise<Peer> {
  const at = mkdtempSync(join(folder, 'singer-'));
  const file = (name: string, content: unknown) => {
    writeFileSync(join(at, name), JSON.stringify(content));
    return join(at, name);
  };
  const config = file('config.json', {
    api_key: API_KEY,
    domain: 'demo',
    start_date: '1970-01-01T00:00:00Z',
    user_agent: 'bench',
  });
  const env = { ...process.env, ORIGIN: origin };
  const discovered = JSON.parse(
    execFileSync(getPython(), [join(here, 'tap.py'), '--config', config, '--discover'], {
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
        getPython(),
        [join(here, 'tap.py'), '--config', config, '--catalog', catalog, ...(state === null ? [] : ['--state', state])],
        { env },
      );
      const cpu = readCpuSeconds(child);
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

async function openDlt(origin: string): Promise<Peer> {
  const at = mkdtempSync(join(folder, 'dlt-'));
  const out = join(at, 'out');
  mkdirSync(out);
  const env = {
    ...process.env,
    ORIGIN: origin,
    KEY: API_KEY,
    OUT: out,
    STATE: join(at, 'state'),
    RUNTIME__DLTHUB_TELEMETRY: 'false',
    NORMALIZE__DATA_WRITER__DISABLE_COMPRESSION: 'true',
  };
  const processedFiles = new Set<string>();
  const arrived = new Map<number, number>();
  const collect = (table: string): number => {
    const folderPath = join(out, 'peer', table);
    let records = 0;
    for (const name of readdirSync(folderPath).filter(
      (f) => f.endsWith('.jsonl') && !processedFiles.has(`${table}/${f}`),
    )) {
      processedFiles.add(`${table}/${name}`);
      for (const line of readFileSync(join(folderPath, name), 'utf8').split('\n')) {
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
      const child = spawn(getPython(), [join(here, 'dlt_rest.py')], {
        env,
        cwd: at,
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      const cpuSeconds = await readCpuSeconds(child);
      return { records: collect('tickets') + collect('conversations'), cpuSeconds };
    },
    tickets: async () => arrived,
    close: async () => {},
  };
}

function keepNewest(arrived: Map<number, number>, { id, updated_at }: { id: number; updated_at: string }): void {
  arrived.set(id, Math.max(arrived.get(id) ?? 0, Date.parse(updated_at) / 1000));
}

/**
 * Waits for a peer to exit, and returns the CPU seconds that it reports on stderr. @throws Error if
 * the peer fails or reports no CPU seconds.
 */
async function readCpuSeconds(child: ChildProcess): Promise<number> {
  let output = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    output = (output + text).slice(-4000);
  });
  await new Promise((resolve) => child.once('close', resolve));
  const seconds = Number(/CPU ([\d.]+)/.exec(output)?.[1]);
  if (child.exitCode !== 0 || Number.isNaN(seconds))
    throw new Error(`A peer exited with status ${child.exitCode}: ${output}`);
  return seconds;
}

function getPython(): string {
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
