import { setTimeout as sleep } from 'node:timers/promises';
import { Freshet, type Run } from '@freshet/client';
import { createLogger, runProcess } from '@freshet/runtime';
import { describeRefresh, waitForRefresh } from './analytics-refresh.ts';
import { toNextSteps } from './next-steps.ts';
import { loadState } from './persistent-state.ts';
import { type ConsoleLink, toConsoleEntry, toJsonLine, toSummary } from './run-summary.ts';
import { readStandaloneSettings, type StandaloneSettings } from './settings.ts';
import { type ConfiguredPipeline, findPipeline, setUpPipeline } from './setup.ts';
import { DEMO_ACCOUNT, StandaloneDeployment } from './standalone-deployment.ts';
import { StartDisplay } from './start-display.ts';

/**
 * `npm start`: runs a complete deployment on one machine, creates its pipeline, and shows the
 * progress of the first run.
 */

const POLL_INTERVAL_MS = 250;

await runProcess('standalone', createLogger('standalone', 'error'), async (setProgram) => {
  const settings = readStandaloneSettings(process.env, process.argv.slice(2));
  // A signal may stop the process before the run has finished.
  if (settings.once) process.exitCode = 1;
  const display = new StartDisplay(process.stdout);
  const deployment = new StandaloneDeployment(settings, loadState(settings.dataDir), display);
  const program = {
    stop: () => {
      display.close();
      return deployment.stop();
    },
  };
  setProgram(program);
  try {
    const { apiUrl, warehouseUrl } = await deployment.start();
    const client = new Freshet({ url: apiUrl, token: deployment.token });
    const { subdomain, apiKey } = settings.account ?? DEMO_ACCOUNT;
    const { historicalSyncDays, analytics } = settings;
    // Update an existing pipeline before the workers and the scheduler start. Otherwise, they could
    // continue or start a run with the previous settings.
    const isNew = (await findPipeline(client, subdomain)) === null;
    if (isNew) deployment.startWorkers();
    const pipeline = await display.step(
      'Pipeline',
      () => setUpPipeline(client, { subdomain, apiKey, warehouseUrl, historicalSyncDays, analytics }),
      ({ name, destination_schema }) => `account ${name} → schema ${destination_schema}`,
    );
    if (!isNew) deployment.startWorkers();
    const context = { settings, display, deployment, client, pipeline, apiUrl, warehouseUrl };
    void completeRun(context).catch(async (error: unknown) => {
      // A shutdown interrupts the requests that start the run and query its progress.
      if (deployment.isStopping) return;
      display.close();
      print(error instanceof Error ? error.message : String(error));
      await deployment.stop();
      process.exit(1);
    });
    return program;
  } catch (error) {
    await program.stop();
    throw error;
  }
});

/** Runs the pipeline. Then prints the result and the next steps or, with `--once`, exits. */
async function completeRun(options: {
  readonly settings: StandaloneSettings;
  readonly display: StartDisplay;
  readonly deployment: StandaloneDeployment;
  readonly client: Freshet;
  readonly pipeline: ConfiguredPipeline;
  readonly apiUrl: string;
  readonly warehouseUrl: string;
}): Promise<void> {
  const { settings, display, deployment, client, pipeline, apiUrl, warehouseUrl } = options;
  const { startCommand } = settings;
  // The first sync of a real account can take hours. The console shows its progress.
  if (settings.account !== null && !settings.once)
    display.print(`${toConsoleEntry(await createConsoleLink(client, apiUrl, startCommand))}\n`);
  const run = await display.step(
    'Sync',
    () => followRun(client, display, pipeline.id),
    ({ status }) => status,
  );
  const refresh = pipeline.analytics
    ? await display.step(
        'Analytics',
        () => waitForRefresh(client, pipeline.id),
        (state) => (state === null ? 'switched off' : describeRefresh(state)),
      )
    : null;
  display.close();
  const schema = pipeline.destination_schema;
  const modelsSchema = refresh?.refreshed_at ? refresh.schema : null;
  const summary = { run, warehouseUrl, schema, modelsSchema };
  if (settings.once) {
    await deployment.stop();
    print(toSummary(summary, null));
    if (!process.stdout.isTTY) print(toJsonLine(summary));
    process.exit(run.status === 'succeeded' ? 0 : 1);
  }
  print(toSummary(summary, await createConsoleLink(client, apiUrl, startCommand)));
  const isDemo = settings.account === null;
  print(toNextSteps({ run, apiUrl, token: deployment.token, schema, isDemo, modelsSchema, startCommand }));
}

/** @param startCommand the command that starts the deployment, such as `npm start`. */
async function createConsoleLink(client: Freshet, apiUrl: string, startCommand: string): Promise<ConsoleLink> {
  const { code } = await client.post('/v1/sign-in-codes');
  const command = startCommand === 'npm start' ? 'npm run freshet sign-in' : `${startCommand} sign-in`;
  return { url: `${apiUrl}/console?code=${code}`, command };
}

/**
 * Starts a run or, if a run is in progress, joins that run. Shows the progress of the run.
 * @returns the finished run.
 */
async function followRun(client: Freshet, display: StartDisplay, pipelineId: string): Promise<Run> {
  const { data: objects } = await client.get('/v1/catalog/objects');
  const parents = new Map(objects.map(({ name, parent }) => [name, parent]));
  let run = await client.post('/v1/pipelines/{id}/runs', { params: { path: { id: pipelineId } } });
  while (run.finished_at === null) {
    display.showRun(run, parents);
    await sleep(POLL_INTERVAL_MS);
    // The API may be restarting. The workers continue the run in the meantime.
    run = await client.get('/v1/runs/{id}', { params: { path: { id: run.id } } }).catch(() => run);
  }
  display.hideRun();
  return run;
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
