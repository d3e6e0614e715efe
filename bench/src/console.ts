import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type Browser, chromium } from 'playwright-core';
import postgres from 'postgres';
import { BenchDeployment } from './deployment.ts';

/**
 * Measures the time from the navigation to the list of pipelines until its first content and its
 * first row are painted, with many pipelines and a month of runs. The baseline is the paint of an
 * almost empty page that the same process serves (`/livez`) in the same browser. Each round opens
 * both pages in a new browser context with an empty cache.
 */
const { values } = parseArgs({
  options: {
    pipelines: { type: 'string', default: '1000' },
    /** The number of runs of each pipeline in the last 30 days. */
    runs: { type: 'string', default: '120' },
    objects: { type: 'string', default: '17' },
    rounds: { type: 'string', default: '7' },
  },
});
const [pipelines, runs, objects, rounds] = [values.pipelines, values.runs, values.objects, values.rounds].map(
  Number,
) as [number, number, number, number];
const CHROMIUM = [process.env['CHROMIUM'] ?? '', '/usr/bin/chromium', '/usr/bin/chromium-browser'].find(existsSync);

await using deployment = await BenchDeployment.start('http://127.0.0.1:1');
await insertPipelines();
const { url, token } = await deployment.startApi();
const browser = await chromium.launch({
  ...(CHROMIUM === undefined ? {} : { executablePath: CHROMIUM }),
  args: ['--no-sandbox', '--disable-dev-shm-usage'],
});
const PAGES = [
  { name: 'almost empty page (/livez)', path: '/livez', selector: 'body' },
  { name: 'list of pipelines', path: '/console/', selector: 'table[aria-label="Pipelines"] tbody tr' },
] as const;
// The first request builds the console, and the first queries fill the caches of the database.
for (const page of PAGES) await measure(browser, page);
const results = PAGES.map(() => [] as Measurement[]);
for (let round = 0; round < rounds; round++)
  for (const [i, page] of PAGES.entries()) results[i]?.push(await measure(browser, page));
await browser.close();
const medians = results.map((list) => getMedian(list.map(({ paintedMs }) => paintedMs)));
for (const [i, { name }] of PAGES.entries()) {
  const measurements = results[i] as Measurement[];
  const [first] = measurements;
  const firstPaint = Math.round(getMedian(measurements.map(({ firstPaintMs }) => firstPaintMs)));
  const ratio = (medians[i] as number) / (medians[0] as number);
  console.log(
    `${name.padEnd(28)} median ${String(Math.round(medians[i] as number)).padStart(5)} ms, ratio ${ratio.toFixed(1)}, first paint ${firstPaint} ms, ${first?.requests} API requests, ${first?.kilobytes} kB of API responses`,
  );
}

interface Measurement {
  /** From the start of the navigation until the frame with the selected element. */
  readonly paintedMs: number;
  /** From the start of the navigation until the first content of the page is painted. */
  readonly firstPaintMs: number;
  readonly requests: number;
  readonly kilobytes: number;
}

/** Opens a page in a new context, and waits until an element is painted. */
async function measure(
  chrome: Browser,
  { path, selector }: { readonly path: string; readonly selector: string },
): Promise<Measurement> {
  const context = await chrome.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  let requests = 0;
  let bytes = 0;
  page.on('response', (response) => {
    if (!new URL(response.url()).pathname.startsWith('/v1/')) return;
    requests += 1;
    bytes += Number(response.headers()['content-length'] ?? 0);
  });
  await page.addInitScript(`
    sessionStorage.setItem('freshet.token', ${JSON.stringify(token)});
    const { promise, resolve } = Promise.withResolvers();
    window.painted = promise;
    const observer = new MutationObserver(check);
    observer.observe(document, { childList: true, subtree: true });
    function check() {
      if (document.querySelector(${JSON.stringify(selector)}) === null) return;
      observer.disconnect();
      // The second callback runs after the frame with the element was painted.
      requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now())));
    }
    check();`);
  await page.goto(`${url}${path}`, { waitUntil: 'commit' });
  const paintedMs = (await page.evaluate('window.painted')) as number;
  const firstPaintMs = (await page.evaluate(
    `performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0`,
  )) as number;
  await context.close();
  return { paintedMs, firstPaintMs, requests, kilobytes: Math.round(bytes / 1000) };
}

function getMedian(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] as number;
}

/** Inserts pipelines, and their runs of the last 30 days with UUIDv7 ids, like the store. */
async function insertPipelines(): Promise<void> {
  const { id } = await deployment.createPipeline({ objects: ['tickets'] });
  const sql = postgres(deployment.controlDatabaseUrl, { max: 1, onnotice: () => {} });
  const startedAt = performance.now();
  await sql.unsafe(`
    create function pg_temp.v7(ms bigint, n bigint) returns uuid language sql as $$
      select (lpad(to_hex(ms), 12, '0') || '7' || lpad(to_hex(n % 4096), 3, '0') || '8' || lpad(to_hex(n), 15, '0'))::uuid $$;
    insert into freshet.pipelines (id, name, subdomain, credential_id, historical_sync_days,
      credit_share_percent, destination_id, destination_schema, table_prefix, frequency_minutes, objects, schema_policy)
    select pg_temp.v7(1760000000000 + n, n), 'pipeline ' || n, 'account-' || n, credential_id, 30,
      80, destination_id, 'schema_' || n, '', 360, '{}', 'evolve'
    from freshet.pipelines, generate_series(1, ${pipelines - 1}) n where id = '${id}';
    insert into freshet.runs (id, pipeline_id, kind, status, trigger, created_at, started_at, finished_at)
    select pg_temp.v7((extract(epoch from at) * 1000)::bigint, row_number() over ()), p.id, 'sync', 'succeeded',
      'schedule', at, at, at
    from freshet.pipelines p, generate_series(1, ${runs}) n,
      lateral (select now() - n * interval '30 days' / ${runs} as at) t;
    insert into freshet.object_runs (id, run_id, pipeline_id, object, status, mode, records_extracted,
      records_inserted, credits_used, complete_as_of)
    select gen_random_uuid(), r.id, r.pipeline_id, 'object_' || n, 'succeeded', 'incremental', 5, 5, 2, r.created_at
    from freshet.runs r, generate_series(1, ${objects}) n;
    analyze freshet.pipelines, freshet.runs, freshet.object_runs`);
  await sql.end();
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  console.log(`${pipelines} pipelines with ${runs} runs of ${objects} objects each inserted in ${seconds} s`);
}
