import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { AppError } from '@freshet/contracts';
import { createLogger, runProcess } from '@freshet/runtime';
import { startEmbeddedPostgres } from '@freshet/runtime/embedded-postgres';
import postgres from 'postgres';
import { ApiClient, type RunAnswer } from './api-client.ts';
import { Children } from './children.ts';
import { toJsonLine, toSummary } from './outcome.ts';
import { type Parents, Progress } from './progress.ts';
import { readStandaloneSettings } from './settings.ts';
import { setUpPipeline } from './setup.ts';
import { loadState } from './state.ts';

/** `npm start`: everything that Freshet is, on one machine, with one command. */

const USUAL_PORT = 8080;
const POLL_MS = 250;
const DEMO = { subdomain: 'demo', apiKey: 'demo-admin-key', spanDays: 28 };
const app = (name: string) => fileURLToPath(new URL(`../../${name}/src/main.ts`, import.meta.url));

const say = (text: string) => process.stdout.write(`${text}\n`);

await runProcess('standalone', createLogger('standalone', 'error'), async () => {
  const settings = readStandaloneSettings(process.env, process.argv.slice(2));
  const state = loadState(settings.dataDir);
  const closing: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const close of closing.splice(0).reverse()) await close();
  };
  try {
    const embedded =
      settings.databaseUrl !== null && settings.warehouseUrl !== null
        ? null
        : await startEmbeddedPostgres({ from: import.meta.url, dataDir: settings.dataDir });
    if (embedded) {
      closing.push(() => embedded.stop());
      say(`PostgreSQL runs, with its data in ${embedded.dataDir}.`);
    }
    const databaseUrl = settings.databaseUrl ?? (await ensureDatabase((embedded as { url: string }).url, 'freshet'));
    const warehouseUrl =
      settings.warehouseUrl ?? (await ensureDatabase((embedded as { url: string }).url, 'warehouse'));

    const children = new Children(settings.dataDir);
    children.onRestart = (name, status) =>
      say(`The ${name} ended (${status}) and is started again; its log is in ${settings.dataDir}/logs.`);
    let origin = settings.origin;
    if (settings.account === null) {
      origin = await children.startListener({
        name: 'simulator',
        main: fileURLToPath(import.meta.resolve('@freshet/freshdesk-simulator/main')),
        args: ['--as-of', state.simulated_as_of, '--span-days', String(DEMO.spanDays), '--plan', 'demo'],
        env: {},
      });
      closing.push(() => children.stop('simulator'));
      say(`A simulated Freshdesk account answers at ${origin}.`);
    }
    const token = settings.bootstrapToken ?? state.token;
    const env = {
      DATABASE_URL: databaseUrl,
      FRESHET_SECRET_KEYS: settings.secretKeys ?? state.secret_keys,
      LOG_LEVEL: settings.logLevel,
      // Everything is on this machine, for whoever has this machine.
      FRESHET_ALLOWED_ADDRESSES: '127.0.0.0/8,::1/128',
      ...(origin === null ? {} : { FRESHDESK_ORIGIN: origin }),
    };
    closing.push(() => children.stop('api', 'extract-worker', 'load-worker', 'scheduler'));
    const starting = startApi(children, { ...env, FRESHET_BOOTSTRAP_TOKEN: token, HOST: settings.host }, settings.port);
    for (const name of ['extract-worker', 'load-worker', 'scheduler']) children.start({ name, main: app(name), env });
    const base = await starting;
    say(`The API answers at ${base}.`);

    const api = new ApiClient(base, token);
    const { subdomain, apiKey } = settings.account ?? DEMO;
    const pipeline = await setUpPipeline(api, {
      subdomain,
      apiKey,
      warehouseUrl,
      historicalSyncDays: settings.historicalSyncDays,
    });
    const finish = async () => {
      const run = await watchRun(api, pipeline.id);
      if (settings.once) {
        await stop();
        const outcome = { run, warehouseUrl, schema: pipeline.destination_schema };
        say(process.stdout.isTTY ? toSummary(outcome) : toJsonLine(outcome));
        process.exit(run.status === 'succeeded' ? 0 : 1);
      }
      say(
        whatNext({
          base,
          token,
          warehouseUrl,
          schema: pipeline.destination_schema,
          table: largest(run),
          real: settings.account !== null,
        }),
      );
    };
    // A stop while the run goes on is no failure of it.
    void finish().catch(async (error: unknown) => {
      if (closing.length === 0) return;
      say(error instanceof Error ? error.message : String(error));
      await stop();
      process.exit(1);
    });
    return { stop };
  } catch (error) {
    await stop();
    throw error;
  }
});

/** On the usual port or, where nobody has asked for it, on another one that is free. */
async function startApi(
  children: Children,
  env: Readonly<Record<string, string>>,
  port: number | null,
): Promise<string> {
  const spec = (p: number) => ({ name: 'api', main: app('api'), env: { ...env, PORT: String(p) } });
  if (port !== null) return children.startListener(spec(port));
  try {
    return await children.startListener(spec(USUAL_PORT));
  } catch (error) {
    if (!(error instanceof AppError && error.message.includes(`Port ${USUAL_PORT} is in use`))) throw error;
    return children.startListener(spec(0));
  }
}

async function ensureDatabase(superuserUrl: string, name: string): Promise<string> {
  const sql = postgres(superuserUrl, { max: 1, onnotice: () => {} });
  try {
    const found = await sql`select from pg_database where datname = ${name}`;
    if (found.length === 0) await sql.unsafe(`create database ${name}`);
  } finally {
    await sql.end();
  }
  const url = new URL(superuserUrl);
  url.pathname = `/${name}`;
  return url.href;
}

/** Starts a run, or joins the one under way, and shows it to its end. */
async function watchRun(api: ApiClient, pipelineId: string): Promise<RunAnswer> {
  const catalogue = await api.call<{ data: { name: string; parent: string | null }[] }>('GET', '/v1/catalog/objects');
  const parents: Parents = new Map(catalogue.data.map((o) => [o.name, o.parent]));
  const progress = new Progress(process.stdout, parents);
  let run = await api.call<RunAnswer>('POST', `/v1/pipelines/${pipelineId}/runs`);
  say('');
  while (run.finished_at === null) {
    progress.show(run);
    await sleep(POLL_MS);
    // The API may be starting again; the run goes on without it.
    run = await api.call<RunAnswer>('GET', `/v1/runs/${run.id}`).catch(() => run);
  }
  progress.summary(run);
  return run;
}

/** The object of which there is most to see. */
function largest(run: RunAnswer): string {
  return run.objects.reduce((a, b) => (b.records_extracted > a.records_extracted ? b : a)).object;
}

function whatNext(at: {
  readonly base: string;
  readonly token: string;
  readonly warehouseUrl: string;
  readonly schema: string;
  readonly table: string;
  readonly real: boolean;
}): string {
  return `
Freshet keeps running; Ctrl-C stops it, and the next start goes on from here.

  Console        ${at.base}/console
  API            ${at.base}   (reference: ${at.base}/docs)
  Token          ${at.token}
  Try            curl -H 'Authorization: Bearer ${at.token}' -H 'Accept: application/json; indent=2' ${at.base}/v1/runs
  Warehouse      psql '${at.warehouseUrl}'
                 select * from ${at.schema}.${at.table} order by _freshet_loaded_at desc limit 10;
                 select * from ${at.schema}._freshet_objects;   -- how fresh and how deep each table is
${at.real ? '' : '  Your account   FRESHDESK_SUBDOMAIN=acme FRESHDESK_API_KEY=… npm start\n'}`;
}
