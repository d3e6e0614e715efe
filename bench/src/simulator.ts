import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Pool } from 'undici';

/** Pages of 100 tickets a second that the simulator answers over HTTP, and how long an account of 200,000 takes to be there. */
const PAGES = 2000;
const PAGES_MAX = 300;
const headers = { authorization: `Basic ${Buffer.from('demo-admin-key:X').toString('base64')}` };

const began = performance.now();
const simulator = fork(
  fileURLToPath(new URL('../../packages/freshdesk-simulator/src/main.ts', import.meta.url)),
  ['--tickets', '200000', '--span-days', '300'],
  {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: [],
  },
);
const origin = await new Promise<string>((resolve) =>
  simulator.once('message', (m) => resolve((m as { listening: string }).listening)),
);
console.log(`an account of 200,000 tickets listens after ${Math.round(performance.now() - began)} ms`);
for (const connections of [1, 4]) {
  const pool = new Pool(origin, { connections });
  let next = 0;
  const start = performance.now();
  const read = async () => {
    while (next < PAGES) {
      const page = 1 + (next++ % PAGES_MAX);
      const path = `/api/v2/tickets?updated_since=2000-01-01&order_by=updated_at&order_type=asc&per_page=100&page=${page}`;
      await (await pool.request({ method: 'GET', path, headers })).body.arrayBuffer();
    }
  };
  await Promise.all(Array.from({ length: connections }, read));
  console.log(`${connections} connections: ${Math.round(PAGES / ((performance.now() - start) / 1000))} pages a second`);
  await pool.close();
}
simulator.kill();
