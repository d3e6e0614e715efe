import { parseArgs } from 'node:util';
import postgres from 'postgres';
import { Pool } from 'undici';
import { BenchDeployment } from './deployment.ts';

/**
 * Measures the throughput and the p99 latency of the API's five most frequent operations with many
 * pipelines and runs stored. A request to start a run either finds an active run, or starts a run
 * with all objects that pipelines include by default. The baseline is a bare Fastify route with one
 * indexed query and a response of the same size, called by the same client in the same run. A start
 * of a run has a second baseline: a bare route that inserts one row and commits. Both this route
 * and a start of a run wait until their commit has been flushed to disk. Also measures the
 * first and the last page of a list, to show that the last page costs no more than the first page.
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

await using deployment = await BenchDeployment.start('http://127.0.0.1:1');
const first = await deployment.createPipeline({ objects: ['tickets'] });
const sql = postgres(deployment.controlDatabaseUrl, { max: 1, onnotice: () => {} });
const startedAt = performance.now();
// Insert runs with UUIDv7 ids, like the store, and one object run for each run.
await sql.unsafe(`
  create function pg_temp.v7(ms bigint, n bigint) returns uuid language sql as $$
    select (lpad(to_hex(ms), 12, '0') || '7' || lpad(to_hex(n % 4096), 3, '0') || '8' || lpad(to_hex(n), 15, '0'))::uuid $$;
  insert into freshet.pipelines (id, name, subdomain, credential_id, historical_sync_days,
    credit_share_percent, destination_id, destination_schema, table_prefix, frequency_minutes, objects, schema_policy)
  select pg_temp.v7(1760000000000 + n, n), 'pipeline ' || n, 'demo', credential_id, 30,
    80, destination_id, 'schema_' || n, '', 360, '{}', 'evolve'
  from freshet.pipelines, generate_series(1, ${pipelines - 1}) n where id = '${first.id}';
  insert into freshet.runs (id, pipeline_id, kind, status, trigger, created_at, started_at, finished_at)
  select pg_temp.v7(1770000000000 + n * 10, n),
    pg_temp.v7(1760000000000 + 1 + n % ${pipelines - 1}, 1 + n % ${pipelines - 1}),
    'sync', 'succeeded', 'schedule', now(), now(), now()
  from generate_series(1, ${runs}) n;
  insert into freshet.object_runs (id, run_id, pipeline_id, object, status, mode)
  select gen_random_uuid(), id, pipeline_id, 'tickets', 'succeeded', 'incremental' from freshet.runs;
  analyze freshet.pipelines, freshet.runs, freshet.object_runs;
  create schema bench;
  create table bench.rows (id bigint generated always as identity primary key, at timestamptz, value text)`);
console.log(
  `${pipelines} pipelines and ${runs} runs inserted in ${Math.round((performance.now() - startedAt) / 1000)} s`,
);

const [middle] = await sql<
  { run: string; pipeline: string }[]
>`select id as run, pipeline_id as pipeline from freshet.runs order by id offset ${Math.floor(runs / 2)} limit 1`;
const { run, pipeline } = middle as { run: string; pipeline: string };
const [deep] = await sql<{ id: string }[]>`select id from freshet.runs order by id offset 100 limit 1`;
const cursor = Buffer.from((deep as { id: string }).id).toString('base64url');
const ids = (await sql<{ id: string }[]>`select id from freshet.pipelines where id <> ${first.id}`).map(({ id }) => id);
let startedRuns = 0;
const api = await deployment.startApi();
const bare = await deployment.startServer('bench/src/bare-api.ts');

interface Operation {
  readonly name: string;
  /** The name of the baseline: a bare route with a response of the same size. */
  readonly baseline?: string;
  /** The name of the second baseline: a bare route that writes. */
  readonly writeBaseline?: string;
  readonly url: string;
  readonly method: 'GET' | 'POST';
  /** The path, or a function that returns the path of the next request. */
  readonly path: string | (() => string);
  /** Restores the state that the first request of a round expects. */
  readonly prepare?: () => Promise<unknown>;
}
const oldest = (deep as { id: string }).id;
const operations: Operation[] = [
  { name: 'bare: one row', url: bare, method: 'GET', path: `/runs/${run}` },
  { name: 'bare: 20 pipelines', url: bare, method: 'GET', path: '/pipelines' },
  { name: 'bare: 20 runs', url: bare, method: 'GET', path: '/runs' },
  { name: 'bare: 20 runs, last page', url: bare, method: 'GET', path: `/runs?before=${oldest}` },
  { name: 'bare: insert a row', url: bare, method: 'POST', path: '/rows' },
  { name: 'get a run', baseline: 'bare: one row', url: api.url, method: 'GET', path: `/v1/runs/${run}` },
  { name: 'get a pipeline', baseline: 'bare: one row', url: api.url, method: 'GET', path: `/v1/pipelines/${pipeline}` },
  {
    name: 'list runs of a pipeline (20)',
    baseline: 'bare: 20 runs',
    url: api.url,
    method: 'GET',
    path: `/v1/runs?pipeline_id=${pipeline}&limit=20`,
  },
  {
    name: 'list pipelines (20)',
    baseline: 'bare: 20 pipelines',
    url: api.url,
    method: 'GET',
    path: '/v1/pipelines?limit=20',
  },
  {
    name: 'start a run, run is active',
    baseline: 'bare: one row',
    writeBaseline: 'bare: insert a row',
    url: api.url,
    method: 'POST',
    path: `/v1/pipelines/${first.id}/runs`,
  },
  {
    name: 'start a run',
    baseline: 'bare: one row',
    writeBaseline: 'bare: insert a row',
    url: api.url,
    method: 'POST',
    path: () => `/v1/pipelines/${ids[startedRuns++ % ids.length]}/runs`,
    prepare: async () => {
      await sql`update freshet.runs set status = 'cancelled', finished_at = now() where status = 'queued'`;
      await sql`delete from pgboss.job`;
    },
  },
  {
    name: 'list runs, first page (20)',
    baseline: 'bare: 20 runs',
    url: api.url,
    method: 'GET',
    path: '/v1/runs?limit=20',
  },
  {
    name: 'list runs, last page (20)',
    baseline: 'bare: 20 runs, last page',
    url: api.url,
    method: 'GET',
    path: `/v1/runs?limit=20&cursor=${cursor}`,
  },
];

const results = new Map<string, { rate: number[]; p99: number[] }>(
  operations.map(({ name }) => [name, { rate: [], p99: [] }]),
);
for (let round = 0; round < rounds; round++) {
  for (const operation of operations) {
    await operation.prepare?.();
    const { rate, p99 } = await measure(operation);
    results.get(operation.name)?.rate.push(rate);
    results.get(operation.name)?.p99.push(p99);
  }
}
await sql.end();
const median = (numbers: readonly number[]) =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] as number;
for (const { name, baseline = name, writeBaseline } of operations) {
  const { rate = [], p99 = [] } = results.get(name) ?? {};
  const ratios = [baseline, writeBaseline].flatMap((other) =>
    other === undefined ? [] : [`${(median(rate) / median(results.get(other)?.rate ?? [])).toFixed(2)} of “${other}”`],
  );
  console.log(
    `${name.padEnd(32)} ${String(Math.round(median(rate))).padStart(6)} requests/s, ${ratios.join(', ')}, p99 ${median(p99).toFixed(1)} ms`,
  );
}

async function measure({ url, method, path }: Operation): Promise<{ rate: number; p99: number }> {
  const pool = new Pool(url, { connections: CONNECTIONS });
  const headers = { authorization: `Bearer ${api.token}` };
  const latencies: number[] = [];
  const deadline = performance.now() + seconds * 1000;
  const roundStartedAt = performance.now();
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      while (performance.now() < deadline) {
        const sentAt = performance.now();
        const requestPath = typeof path === 'string' ? path : path();
        const { statusCode, body } = await pool.request({ method, path: requestPath, headers });
        await body.arrayBuffer();
        if (statusCode >= 300) throw new Error(`${method} ${requestPath} responded with status ${statusCode}.`);
        latencies.push(performance.now() - sentAt);
      }
    }),
  );
  const rate = latencies.length / ((performance.now() - roundStartedAt) / 1000);
  await pool.close();
  latencies.sort((a, b) => a - b);
  return { rate, p99: latencies[Math.floor(latencies.length * 0.99)] as number };
}
