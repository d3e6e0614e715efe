import { parseArgs } from 'node:util';
import postgres from 'postgres';
import { Pool } from 'undici';
import { Lab } from './lab.ts';

/**
 * Requests a second and the time within which 99 of 100 are answered, for the API's five commonest calls, with many pipelines and
 * runs stored; beside bare Fastify routes with one indexed query that answer with as much, asked by the same client in the same run. And a list's page
 * when it is the first and when it is deep: its cost must not grow.
 */
const { values } = parseArgs({
  options: {
    pipelines: { type: 'string', default: '10000' },
    runs: { type: 'string', default: '1000000' },
    seconds: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '3' },
  },
});
const [pipelines, runs, seconds, rounds] = [values.pipelines, values.runs, values.seconds, values.rounds].map(
  Number,
) as [number, number, number, number];
const CONNECTIONS = 8;

await using lab = await Lab.open('http://127.0.0.1:1');
const first = await lab.pipeline({ objects: ['tickets'] });
const sql = postgres(lab.controlUrl, { max: 1, onnotice: () => {} });
const began = performance.now();
// Ids that rise with time, as the store's own do; an object run for each run.
await sql.unsafe(`
  create function pg_temp.v7(ms bigint, n bigint) returns uuid language sql as $$
    select (lpad(to_hex(ms), 12, '0') || '7' || lpad(to_hex(n % 4096), 3, '0') || '8' || lpad(to_hex(n), 15, '0'))::uuid $$;
  insert into freshet.pipelines (id, name, subdomain, credential_id, historical_sync_days, credit_share_percent, destination_id, destination_schema, table_prefix,
    frequency_minutes, objects, schema_policy)
  select pg_temp.v7(1760000000000 + n, n), 'pipeline ' || n, 'demo', credential_id, 30, 80, destination_id, 'schema_' || n, '', 360, '{}', 'evolve'
  from freshet.pipelines, generate_series(1, ${pipelines - 1}) n where id = '${first.id}';
  insert into freshet.runs (id, pipeline_id, kind, status, trigger, created_at, started_at, finished_at)
  select pg_temp.v7(1770000000000 + n * 10, n), pg_temp.v7(1760000000000 + 1 + n % ${pipelines - 1}, 1 + n % ${pipelines - 1}), 'sync', 'succeeded', 'schedule', now(), now(), now()
  from generate_series(1, ${runs}) n;
  insert into freshet.object_runs (id, run_id, pipeline_id, object, status, mode)
  select gen_random_uuid(), id, pipeline_id, 'tickets', 'succeeded', 'incremental' from freshet.runs;
  analyze freshet.pipelines, freshet.runs, freshet.object_runs`);
console.log(
  `${pipelines} pipelines and ${runs} runs are stored after ${Math.round((performance.now() - began) / 1000)} s`,
);

const [some] = await sql<
  { run: string; pipeline: string }[]
>`select id as run, pipeline_id as pipeline from freshet.runs order by id offset ${Math.floor(runs / 2)} limit 1`;
const { run, pipeline } = some as { run: string; pipeline: string };
const [deep] = await sql<{ id: string }[]>`select id from freshet.runs order by id offset 100 limit 1`;
const cursor = Buffer.from((deep as { id: string }).id).toString('base64url');
await sql.end();
const api = await lab.api();
const bare = await lab.server('bench/src/bare-api.ts');

interface Call {
  readonly name: string;
  /** The bare route that answers with as much. */
  readonly floor?: string;
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
}
const oldest = (deep as { id: string }).id;
const calls: Call[] = [
  { name: 'bare: a row', url: bare, method: 'GET', path: `/runs/${run}` },
  { name: 'bare: 20 pipelines', url: bare, method: 'GET', path: '/pipelines' },
  { name: 'bare: 20 runs', url: bare, method: 'GET', path: '/runs' },
  { name: 'bare: 20 runs, deep', url: bare, method: 'GET', path: `/runs?before=${oldest}` },
  { name: 'read a run', floor: 'bare: a row', url: api.url, method: 'GET', path: `/v1/runs/${run}` },
  { name: 'read a pipeline', floor: 'bare: a row', url: api.url, method: 'GET', path: `/v1/pipelines/${pipeline}` },
  {
    name: 'the runs of a pipeline (20)',
    floor: 'bare: 20 runs',
    url: api.url,
    method: 'GET',
    path: `/v1/runs?pipeline_id=${pipeline}&limit=20`,
  },
  {
    name: 'list pipelines (20)',
    floor: 'bare: 20 pipelines',
    url: api.url,
    method: 'GET',
    path: '/v1/pipelines?limit=20',
  },
  { name: 'run now', floor: 'bare: a row', url: api.url, method: 'POST', path: `/v1/pipelines/${first.id}/runs` },
  {
    name: 'list runs, the first page (20)',
    floor: 'bare: 20 runs',
    url: api.url,
    method: 'GET',
    path: '/v1/runs?limit=20',
  },
  {
    name: 'list runs, the last page (20)',
    floor: 'bare: 20 runs, deep',
    url: api.url,
    method: 'GET',
    path: `/v1/runs?limit=20&cursor=${cursor}`,
  },
];

const measured = new Map<string, { rate: number[]; p99: number[] }>(
  calls.map(({ name }) => [name, { rate: [], p99: [] }]),
);
for (let round = 0; round < rounds; round++) {
  for (const call of calls) {
    const { rate, p99 } = await measure(call);
    measured.get(call.name)?.rate.push(rate);
    measured.get(call.name)?.p99.push(p99);
  }
}
const median = (numbers: readonly number[]) =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] as number;
for (const { name, floor = name } of calls) {
  const { rate = [], p99 = [] } = measured.get(name) ?? {};
  const ratio = median(rate) / median(measured.get(floor)?.rate ?? []);
  console.log(
    `${name.padEnd(32)} ${String(Math.round(median(rate))).padStart(6)} a second, ${ratio.toFixed(2)} of “${floor}”, p99 ${median(p99).toFixed(1)} ms`,
  );
}

async function measure({ url, method, path }: Call): Promise<{ rate: number; p99: number }> {
  const pool = new Pool(url, { connections: CONNECTIONS });
  const headers = { authorization: `Bearer ${api.token}` };
  const times: number[] = [];
  const until = performance.now() + seconds * 1000;
  const start = performance.now();
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      while (performance.now() < until) {
        const at = performance.now();
        const { statusCode, body } = await pool.request({ method, path, headers });
        await body.arrayBuffer();
        if (statusCode >= 300) throw new Error(`${method} ${path} answered with status ${statusCode}.`);
        times.push(performance.now() - at);
      }
    }),
  );
  const rate = times.length / ((performance.now() - start) / 1000);
  await pool.close();
  times.sort((a, b) => a - b);
  return { rate, p99: times[Math.floor(times.length * 0.99)] as number };
}
