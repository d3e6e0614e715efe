import { randomBytes } from 'node:crypto';
import { type ControlStore, openControlStore } from '@freshet/control-store';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { App } from '../context.ts';
import { type Method, useTestApi } from '../test-support/api.ts';
import { useStatementRecorder } from '../test-support/statements.ts';

const record = useStatementRecorder();
const api = useTestApi({ resetsBeforeEach: false });

/** An API whose transactions share one connection, on which every statement is soon prepared. */
let store: ControlStore;
let app: App;

beforeAll(async () => {
  store = await openControlStore({
    databaseUrl: api.databaseUrl,
    secretKeys: `test:${randomBytes(32).toString('base64')}`,
    supervise: false,
    connections: 1,
    onError: (error) => {
      throw error;
    },
  });
  app = await api.build({ store });
});
afterAll(async () => {
  await app.close();
  await store.close(1000);
});

const send = (method: Method, path: string, status: number) => api.call(method, path, api.token, app).expect(status);
const authentication = ['select api_tokens'];

/** Records the second of two requests, because the first also prepares the statements. */
async function recordSecond(request: () => PromiseLike<unknown>): Promise<string[][]> {
  await request();
  return await record(request);
}

describe('the round trips of a request', () => {
  test('a request for a run or a pipeline takes the authentication and one statement', async () => {
    const pipeline = await api.createPipeline('read');
    const { id } = await store.runs.start(pipeline.id, 'manual', []);
    expect(await recordSecond(() => send('get', `/v1/runs/${id}`, 200))).toEqual([
      authentication,
      ['select object_runs runs'],
    ]);
    expect(await recordSecond(() => send('get', `/v1/pipelines/${pipeline.id}`, 200))).toEqual([
      authentication,
      ['select pipelines'],
    ]);
  });

  test('a request to start a run while a run is active opens no transaction', async () => {
    const { id } = await api.createPipeline('active');
    await send('post', `/v1/pipelines/${id}/runs`, 202);
    expect(await recordSecond(() => send('post', `/v1/pipelines/${id}/runs`, 202))).toEqual([
      authentication,
      ['select object_runs runs'],
      ['insert audit_log'],
    ]);
  });

  test('the number of statements to start a run does not depend on the number of objects, and the audit log entry is sent with the commit', async () => {
    const { id } = await api.createPipeline('new');
    const start = () => send('post', `/v1/pipelines/${id}/runs`, 202);
    const { body: first } = await start();
    await send('post', `/v1/runs/${first.id}/cancel`, 200);
    expect(await record(start)).toEqual([
      authentication,
      ['select object_runs runs'],
      ['begin'],
      ['select pipelines', 'select runs pipelines'],
      ['with pipeline_objects runs object_runs', 'insert job_common queue'],
      ['insert audit_log', 'commit'],
    ]);
  });
});
