import { zstdDecompressSync } from 'node:zlib';
import type { Schemas } from '@freshet/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Deployment } from '../test-support/deployment.ts';

let deployment: Deployment;
let pipelineId = '';
/** The ticket whose rejected record is discarded. */
let discardedTicket = 0;

beforeAll(async () => {
  deployment = await Deployment.start({ counts: { tickets: 60, conversations: 0 } });
});
afterAll(() => deployment[Symbol.asyncDispose]());

test('rejected records are listed with their reasons, replayed and discarded (I10)', async () => {
  const { api, simulator, warehouse, schema } = deployment;
  pipelineId = await deployment.createPipeline('demo-admin-key', 30, ['tickets', 'groups', 'agents']);
  await deployment.updatePipeline(pipelineId, { schema_policy: 'freeze' });
  await deployment.updateObject(pipelineId, 'tickets', { history: true });
  await deployment.sync(pipelineId);
  const live = [...simulator.account.listAllRecords('tickets')]
    .filter(({ view }) => view.deleteKind === null)
    .map(({ text }) => (JSON.parse(text) as { id: number }).id);
  const urgent = live.slice(0, 4);
  for (const id of urgent) simulator.account.update('tickets', id, { priority: 'urgent' });
  const misassigned = live[10] as number;
  discardedTicket = misassigned;
  simulator.account.update('tickets', misassigned, { group_id: 'none' });
  const run = await deployment.sync(pipelineId);
  expect(run.objects.find((o) => o.object === 'tickets')).toMatchObject({ status: 'succeeded', records_rejected: 5 });

  const path = { id: pipelineId };
  const list = (query: { readonly limit?: number; readonly cursor?: string; readonly reason?: string } = {}) =>
    api.get('/v1/pipelines/{id}/rejected-records', { params: { path, query } });
  const firstPage = await list({ limit: 3 });
  const secondPage = await list({ limit: 3, cursor: firstPage.next_cursor as string });
  expect([...firstPage.data, ...secondPage.data].map((r) => r.reason).sort()).toEqual([
    'value_not_bigint: group_id',
    ...urgent.map(() => 'value_not_bigint: priority'),
  ]);
  expect(secondPage.next_cursor).toBeNull();
  expect(firstPage.data.every((r) => r.record === null)).toBe(true);
  const [other] = (await list({ reason: 'value_not_bigint: group_id' })).data;
  const recordId = other?.id as string;
  const shown = await api.get('/v1/pipelines/{id}/rejected-records/{record_id}', {
    params: { path: { id: pipelineId, record_id: recordId } },
  });
  expect(JSON.parse(shown.record as string)).toMatchObject({ id: misassigned, group_id: 'none' });

  // The schema policy is still `freeze`, so the replay rejects the records again.
  const replay = async (body: Schemas['RejectedRecordFilter']) => {
    const { run_id } = await api.post('/v1/pipelines/{id}/rejected-records/replay', { params: { path }, body });
    return deployment.waitForRun(run_id);
  };
  expect(await replay({ reason: 'value_not_bigint: priority' })).toMatchObject({
    kind: 'replay',
    status: 'succeeded',
    objects: [{ object: 'tickets', mode: 'replay', records_extracted: 4, records_rejected: 4, records_loaded: 0 }],
  });
  expect((await list()).data).toHaveLength(5);

  // One ticket is corrected in Freshdesk, and the next sync loads the corrected ticket.
  simulator.account.update('tickets', urgent[0] as number, { priority: 2, subject: 'newer' });
  await deployment.sync(pipelineId);
  await deployment.updatePipeline(pipelineId, { schema_policy: 'evolve' });
  expect(await replay({ object: 'tickets', reason: 'value_not_bigint: priority' })).toMatchObject({
    status: 'succeeded',
    objects: [{ records_loaded: 3, records_unchanged: 1, records_rejected: 0 }],
  });
  const rows = await warehouse.sql.unsafe(
    `select id::int, priority, subject, _freshet_extra ->> 'priority' as extra from ${schema}.tickets where id = any($1) order by id`,
    [urgent],
  );
  // The type of a documented column does not change, so `urgent` is stored in _freshet_extra.
  expect(rows.map((r) => [r['priority'], r['extra']])).toEqual(
    urgent.toSorted((a, b) => a - b).map((id) => (id === urgent[0] ? ['2', null] : [null, 'urgent'])),
  );
  expect(rows.find((r) => r['id'] === urgent[0])?.['subject']).toBe('newer');

  // The history contains the first version and the current version, but not the rejected version.
  const versions = await warehouse.sql.unsafe(
    `select subject, valid_to from ${schema}.tickets_history where id = ${urgent[0]} order by valid_from`,
  );
  expect(versions.map((v) => [v['subject'] === 'newer', v['valid_to'] === null])).toEqual([
    [false, false],
    [true, true],
  ]);

  const discarded = await api.post('/v1/pipelines/{id}/rejected-records/discard', {
    params: { path },
    body: { ids: [recordId] },
  });
  expect(discarded).toEqual({ records: 1 });
  expect((await list()).data).toEqual([]);
  await expect(replay({})).rejects.toThrow(/404|no rejected record matches/i);
});

test('a rebuild after a table was dropped restores its rows from stored batches, without spending credits', async () => {
  const { api, simulator, warehouse, schema } = deployment;
  // Exclude the ticket of the discarded record. The rebuild loads this record, because the current
  // schema policy accepts it.
  const selectRows = () =>
    warehouse.sql.unsafe(
      `select id, subject, updated_at from ${schema}.tickets where id <> ${discardedTicket} order by id`,
    );
  const before = await selectRows();
  await warehouse.sql.unsafe(`drop table ${schema}.tickets`);
  const callsBefore = simulator.requestCount;
  const rebuild = (object: string) =>
    api.post('/v1/pipelines/{id}/objects/{object}/rebuild', { params: { path: { id: pipelineId, object } } });
  const started = await rebuild('tickets');
  expect(started).toMatchObject({ whole: true });
  const run = await deployment.waitForRun(started.run_id);
  expect(run).toMatchObject({
    kind: 'rebuild',
    status: 'succeeded',
    objects: [{ object: 'tickets', mode: 'rebuild', records_extracted: started.records }],
  });
  expect(simulator.requestCount).toBe(callsBefore);
  expect(await selectRows()).toEqual(before);
  await expect(rebuild('skills')).rejects.toThrow(/Restart the object/);
});

test('the original values of dropped and hashed fields are stored neither in batches nor in tables (I6)', async () => {
  const { api, control, simulator, warehouse, schema } = deployment;
  const params = { path: { id: pipelineId, object: 'tickets' } };
  const ids = [...simulator.account.listAllRecords('tickets')]
    .filter(({ view }) => view.deleteKind === null)
    .map(({ text }) => (JSON.parse(text) as { id: number }).id);
  const [first, second] = ids.slice(20) as [number, number];
  const columns = {
    subject: { hash: true },
    description: { drop: true },
    description_text: { drop: true },
    type: { rename: 'kind' },
  };
  const object = await api.patch('/v1/pipelines/{id}/objects/{object}', { params, body: { columns } });
  expect(object.columns).toEqual(columns);
  for (const [invalidColumns, message] of [
    [{ id: { hash: true } }, /depends on this field/],
    [{ subject: { rename: 'id' } }, /already/],
    [{ custom_fields: { drop: true } }, /custom fields can only be dropped or hashed individually/],
    [{ subject: { rename: '_freshet_hash' } }, /pattern|reserved by/],
  ] as const) {
    const update = api.patch('/v1/pipelines/{id}/objects/{object}', { params, body: { columns: invalidColumns } });
    await expect(update).rejects.toThrow(message);
  }
  await control.sql`delete from freshet.batches`;
  for (const id of [first, second])
    simulator.account.update('tickets', id, {
      subject: 'Very Secret Subject',
      description: 'Very Secret Text',
      description_text: 'Very Secret Text',
    });
  expect((await deployment.sync(pipelineId)).status).toBe('succeeded');
  const rows = await warehouse.sql.unsafe(
    `select subject, description, kind from ${schema}.tickets where id = any($1)`,
    [[first, second]],
  );
  expect(rows[0]?.['subject']).toMatch(/^[0-9a-f]{64}$/);
  expect(rows[1]).toMatchObject({ subject: rows[0]?.['subject'], description: null });
  const bodies = await control.sql<{ body: Buffer }[]>`select body from freshet.batches where object = 'tickets'`;
  const stored = bodies.map(({ body }) => zstdDecompressSync(body).toString()).join('');
  expect(stored).toContain(String(first));
  expect(stored).not.toContain('Very Secret');
});
