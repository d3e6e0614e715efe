import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { catalogue, listObjectsToExtract } from '@freshet/freshdesk-extractor';
import { waitFor } from '@freshet/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isRunning, StandaloneProcess } from '../test-support/standalone-process.ts';

/** The start of the first line about the run, which is created after all processes have started. */
const FIRST_OBJECT = '  agents ';
/** The data folder of all tests, so that only the first start creates and fills databases. */
let dataDir: string;
beforeAll(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'freshet-standalone-'));
  chmodSync(dataDir, 0o755);
});
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

test('--once loads the simulated account into an embedded PostgreSQL, prints the result, and leaves no process running', async () => {
  using first = new StandaloneProcess(['--once'], {}, dataDir);
  await first.waitForOutput(FIRST_OBJECT);
  const processTree = first.getProcessTree();
  expect(processTree.length).toBeGreaterThanOrEqual(8);
  expect(await first.exited, first.output).toBe(0);
  const last = JSON.parse(first.lastLine);
  expect(last).toMatchObject({
    run: { status: 'succeeded' },
    schema: 'freshdesk_demo',
    warehouse_url: expect.stringMatching(/^postgres:/),
  });
  // The simulated account has all objects.
  const available = catalogue.filter((object) => object.includedIfAvailable);
  expect(last.run.objects).toHaveLength(listObjectsToExtract({}).length + available.length);
  expect(last.run.objects.find((o: { object: string }) => o.object === 'tickets').records_loaded).toBe(2000);
  await waitFor(() => !processTree.some(isRunning), 'all processes have exited');
  expect(existsSync(join(dataDir, 'running.json'))).toBe(false);

  // A second start reuses the data folder, and extracts only changes.
  using second = new StandaloneProcess(['--once'], {}, dataDir);
  expect(await second.exited, second.output).toBe(0);
  const { run, warehouse_url } = JSON.parse(second.lastLine);
  expect(run.objects.find((o: { object: string }) => o.object === 'conversations')).toMatchObject({
    mode: 'incremental',
    credits_used: 0,
  });
  expect(warehouse_url).toBe(last.warehouse_url);
});

test('--once exits with 1 if a signal interrupts the run', async () => {
  using standalone = new StandaloneProcess(['--once'], {}, dataDir);
  await standalone.waitForOutput('  API ');
  process.kill(standalone.getProcessChain()[2] as number, 'SIGTERM');
  expect(await standalone.exited, standalone.output).toBe(1);
});

test.each(['Simulated account', 'PostgreSQL', 'API'])(
  'a signal after the step “%s” of the start stops all processes before npm exits, so the next start succeeds',
  async (step) => {
    using standalone = new StandaloneProcess([], {}, dataDir);
    await standalone.waitForOutput(`  ${step} `);
    const processTree = standalone.getProcessTree();
    process.kill(standalone.getProcessChain()[2] as number, 'SIGTERM');
    expect(await standalone.exited, standalone.output).toBe(0);
    expect(processTree.filter(isRunning)).toEqual([]);
    expect(standalone.getProcessTree()).toEqual([]);
  },
);

describe('npm start without options', () => {
  test('prints the result of the first run, the link to the console, the token and example queries', async () => {
    using standalone = new StandaloneProcess([], {}, dataDir);
    await standalone.waitForOutput('Freshet is running.');
    expect(standalone.output).toMatch(/reference: http:\/\/127\.0\.0\.1:\d+\/docs/);
    expect(standalone.output).toMatch(/Token {10}frt_/);
    expect(standalone.output).toMatch(/Console {8}http:\/\/127\.0\.0\.1:\d+\/console\?code=frc_\w{36}\n/);
    expect(standalone.output).toContain("psql 'postgres://");
    expect(standalone.output).toContain('select * from freshdesk_demo_analytics.daily_summary');
  });

  // Each process of the chain can receive the signal: npm, the start script, and the parent of all
  // other processes. All processes have started, and a run is in progress.
  test.each([
    ['SIGTERM to npm', 0, 'SIGTERM'],
    ['SIGINT to npm', 0, 'SIGINT'],
    ['SIGHUP to npm', 0, 'SIGHUP'],
    ['SIGINT to the start script', 1, 'SIGINT'],
    ['SIGQUIT to the start script', 1, 'SIGQUIT'],
    ['SIGHUP to the parent of all other processes', 2, 'SIGHUP'],
    ['Ctrl-C, which sends SIGINT to the process group', 'group', 'SIGINT'],
    ['SIGTERM to the process group', 'group', 'SIGTERM'],
    ['SIGKILL to npm', 0, 'SIGKILL'],
    ['SIGKILL to the start script', 1, 'SIGKILL'],
    ['SIGKILL to the parent of all other processes', 2, 'SIGKILL'],
  ] as const)('leaves no process running after %s', async (_title, target, signal) => {
    using standalone = new StandaloneProcess([], {}, dataDir, { detached: target === 'group' });
    await standalone.waitForOutput(FIRST_OBJECT);
    const processTree = standalone.getProcessTree();
    expect(processTree.length).toBeGreaterThanOrEqual(8);
    if (target === 'group') process.kill(-(standalone.process.pid as number), signal);
    else process.kill(standalone.getProcessChain()[target] as number, signal);
    await waitFor(() => !processTree.some(isRunning), 'all processes have exited');
    // The parent stops the other processes in order. If the parent itself is killed, each process
    // stops because its parent has exited.
    expect(standalone.lastShutdown).toBe(target === 2 && signal === 'SIGKILL' ? 'parent exited' : 'SIGTERM');
  });

  test('npm run freshet sign-in prints a link to the deployment of the data folder, which works once', async () => {
    using standalone = new StandaloneProcess([], {}, dataDir);
    await standalone.waitForOutput('  API ');
    const env = { ...process.env, FRESHET_DATA_DIR: dataDir };
    const { stdout } = await promisify(execFile)('npm', ['run', '--silent', 'freshet', 'sign-in'], { env });
    const link = new URL(stdout.trim());
    expect(link.origin).toBe(standalone.apiUrl);
    const exchange = () =>
      fetch(`${link.origin}/v1/sessions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ code: link.searchParams.get('code') }),
      });
    expect([(await exchange()).status, (await exchange()).status]).toEqual([201, 401]);
  });

  test('rejects a second start with the same data folder, and the first deployment continues to run', async () => {
    using first = new StandaloneProcess([], {}, dataDir);
    await first.waitForOutput('  API ');
    const second = new StandaloneProcess([], {}, dataDir);
    expect(await second.exited).toBe(78);
    expect(second.output).toContain('already running on the data folder');
    expect(isRunning(first.process.pid as number)).toBe(true);
  });
});
