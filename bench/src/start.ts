import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startEmbeddedPostgres } from '@freshet/runtime/embedded-postgres';
import pg from 'pg';
import { CpuMeter } from './cpu-meter.ts';
import { BenchDeployment } from './deployment.ts';

/**
 * Measures how long `npm start` takes with a new data folder: until the API responds, until the
 * first row of the simulated account is in the warehouse, and until `npm start -- --once` exits.
 * For `--once`, also measures the CPU time of all processes, including PostgreSQL. The baseline is
 * the minimum that every start needs: npm with an empty script, and a PostgreSQL server with a new
 * cluster.
 *
 * Then measures the start of each single process on an existing control database, as in a container
 * or a systemd unit. The baseline is Node with an empty script.
 *
 * Requires Linux, because it reads `/proc`.
 */
const { values } = parseArgs({ options: { rounds: { type: 'string', default: '5' } } });
const ROUNDS = Number(values.rounds);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const POLL_INTERVAL_MS = 10;
const folders: string[] = [];

interface Start {
  readonly apiSeconds: number;
  readonly firstRowSeconds: number;
  readonly exitSeconds: number;
  readonly cpuSeconds: number;
}

const median = (numbers: readonly number[]) =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] as number;

// Bundle the processes and fill the caches of the first start.
await waitForExit(startOnce(createFolder()));
const baselines: number[] = [];
const starts: Start[] = [];
for (let round = 0; round < ROUNDS; round++) {
  baselines.push(await measureBaseline(createFolder()));
  starts.push(await measureStart(createFolder()));
}
const baseline = median(baselines);
console.log(`baseline: npm with an empty script, and PostgreSQL: ${baseline.toFixed(2)} s\n`);
console.log(`${''.padEnd(40)} ${'median'.padStart(8)} ${'× baseline'.padStart(12)}`);
const print = (label: string, measure: (start: Start) => number, unit: string) => {
  const seconds = median(starts.map(measure));
  const ratio = unit === 's' ? (seconds / baseline).toFixed(1) : '';
  console.log(`${label.padEnd(40)} ${`${seconds.toFixed(2)} ${unit}`.padStart(8)} ${ratio.padStart(12)}`);
};
print('until the API responds', (s) => s.apiSeconds, 's');
print('until the first row is in the warehouse', (s) => s.firstRowSeconds, 's');
print('until --once exits', (s) => s.exitSeconds, 's');
print('CPU time of --once, with PostgreSQL', (s) => s.cpuSeconds, 'CPU s');

await measureProcesses();

process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** Creates a folder, which is deleted at the end. ext4 is slow while it deletes many files. */
function createFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'freshet-bench-'));
  // Make the folder accessible to other users, because PostgreSQL does not run as root.
  chmodSync(folder, 0o755);
  folders.push(folder);
  return folder;
}

async function measureBaseline(folder: string): Promise<number> {
  const startedAt = performance.now();
  await waitForExit(spawn('npm', ['exec', '--offline', '--', 'node', '-e', '0'], { cwd: ROOT, stdio: 'ignore' }));
  const server = await startEmbeddedPostgres({
    resolveFrom: import.meta.url,
    dataDir: folder,
    isTemporary: true,
    databases: ['freshet', 'warehouse'],
  });
  const seconds = (performance.now() - startedAt) / 1000;
  await server.stop();
  return seconds;
}

function startOnce(folder: string): ChildProcess {
  return spawn('npm', ['start', '--', '--once'], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', FRESHET_DATA_DIR: folder, PORT: '0' },
  });
}

async function measureStart(folder: string): Promise<Start> {
  const startedAt = performance.now();
  const getSeconds = () => (performance.now() - startedAt) / 1000;
  const child = startOnce(folder);
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const cpu = new CpuMeter(child.pid as number, folder);
  const exit = waitForExit(child).then(getSeconds);
  const apiSeconds = await pollUntil(async () => {
    const url = /^ {2}API +(\S+)$/m.exec(output)?.[1];
    return url !== undefined && (await fetch(`${url}/livez`)).ok;
  }).then(getSeconds);
  const warehouse = await connectToWarehouse(folder);
  const firstRowSeconds = await pollUntil(async () => {
    // The run creates the table.
    const { rows } = await warehouse.query(`select to_regclass('freshdesk_demo._freshet_objects') as objects`);
    if (rows[0].objects === null) return false;
    const query = 'select from freshdesk_demo._freshet_objects where row_count > 0 limit 1';
    return ((await warehouse.query(query)).rowCount ?? 0) > 0;
  }).then(getSeconds);
  await warehouse.end();
  return { apiSeconds, firstRowSeconds, exitSeconds: await exit, cpuSeconds: cpu.stop() };
}

/** Measures the start of each process until it has registered with the queue. */
async function measureProcesses(): Promise<void> {
  await using deployment = await BenchDeployment.start('http://127.0.0.1:1');
  const db = new pg.Client(deployment.controlDatabaseUrl);
  await db.connect();
  /** Stops the process afterwards, because each process keeps connections to PostgreSQL. */
  const measure = async (start: () => ChildProcess | Promise<ChildProcess>): Promise<number> => {
    const startedAt = performance.now();
    const child = await start();
    const seconds = (performance.now() - startedAt) / 1000;
    if (child.exitCode === null) {
      child.kill();
      await waitForExit(child);
    }
    return seconds;
  };
  const isRegistered = async (name: string, pid: number | undefined) =>
    ((await db.query('select from freshet.processes where name = $1 and pid = $2', [name, pid])).rowCount ?? 0) > 0;
  const runs: Record<string, number[]> = { node: [], api: [], 'extract-worker': [], 'load-worker': [], scheduler: [] };
  for (let round = 0; round < ROUNDS; round++) {
    runs['node']?.push(await measure(runEmptyScript));
    runs['api']?.push(await measure(async () => (await deployment.startApi()).child));
    for (const name of ['extract-worker', 'load-worker', 'scheduler'] as const) {
      const seconds = await measure(async () => {
        const child = deployment.startWorker(name);
        await pollUntil(() => isRegistered(name, child.pid));
        return child;
      });
      runs[name]?.push(seconds);
    }
  }
  await db.end();
  console.log(`\n${'one process, until it is ready'.padEnd(40)} ${'median'.padStart(8)} ${'× Node'.padStart(12)}`);
  for (const [name, seconds] of Object.entries(runs)) {
    const ratio = median(seconds) / median(runs['node'] as number[]);
    console.log(`${name.padEnd(40)} ${`${median(seconds).toFixed(2)} s`.padStart(8)} ${ratio.toFixed(1).padStart(12)}`);
  }
}

async function runEmptyScript(): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['-e', '0'], { stdio: 'ignore' });
  await waitForExit(child);
  return child;
}

async function connectToWarehouse(folder: string): Promise<pg.Client> {
  await pollUntil(() => existsSync(join(folder, 'port')));
  const read = (name: string) => readFileSync(join(folder, name), 'utf8').trim();
  const client = new pg.Client(`postgres://freshet:${read('superuser-password')}@127.0.0.1:${read('port')}/warehouse`);
  await client.connect();
  return client;
}

async function pollUntil(check: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await check())) await sleep(POLL_INTERVAL_MS);
}

async function waitForExit(child: ChildProcess): Promise<void> {
  child.stdout?.resume();
  await new Promise<void>((resolve, reject) => {
    child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`npm exited with status ${code}.`))));
  });
}
