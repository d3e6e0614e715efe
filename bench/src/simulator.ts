import { fork } from 'node:child_process';
import { Pool } from 'undici';
import { findProcessModule } from './deployment.ts';

/**
 * Measures how many pages of 100 tickets the simulator serves per second, and how long the
 * simulator takes to start with 200,000 tickets.
 */
const PAGES = 2000;
const PAGES_MAX = 300;
const headers = { authorization: `Basic ${Buffer.from('demo-admin-key:X').toString('base64')}` };

const startedAt = performance.now();
const simulator = fork(
  findProcessModule('packages/freshdesk-simulator/src/main'),
  ['--tickets', '200000', '--span-days', '300'],
  {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: [],
  },
);
const origin = await new Promise<string>((resolve) =>
  simulator.once('message', (m) => resolve((m as { listening: string }).listening)),
);
console.log(`start with 200,000 tickets: ${Math.round(performance.now() - startedAt)} ms`);
for (const connections of [1, 4]) {
  const pool = new Pool(origin, { connections });
  let next = 0;
  const start = performance.now();
  const requestPages = async () => {
    while (next < PAGES) {
      const page = 1 + (next++ % PAGES_MAX);
      const path = `/api/v2/tickets?updated_since=2000-01-01&order_by=updated_at&order_type=asc&per_page=100&page=${page}`;
      await (await pool.request({ method: 'GET', path, headers })).body.arrayBuffer();
    }
  };
  await Promise.all(Array.from({ length: connections }, requestPages));
  console.log(`${connections} connections: ${Math.round(PAGES / ((performance.now() - start) / 1000))} pages/s`);
  await pool.close();
}
simulator.kill();
