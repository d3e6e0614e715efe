import { zstdDecompressSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Deployment } from '../test-support/deployment.ts';

interface Rejected {
  readonly id: string;
  readonly object: string;
  readonly reason: string;
  readonly record: string | null;
}

let deployment: Deployment;
/** The ticket whose record is discarded. */
let refused = 0;

beforeAll(async () => {
  deployment = await Deployment.start({ counts: { tickets: 60, conversations: 0 } });
});
afterAll(() => deployment[Symbol.asyncDispose]());

test('I10: rejected records are listed with their reasons, shown, replayed when they can land, and discarded when nobody wants them', async () => {
  const { api, simulator, warehouse, schema } = deployment;
  const pipelineId = await deployment.createPipeline();
  await api.call('PATCH', `/v1/pipelines/${pipelineId}`, { schema_policy: 'freeze' });
  await api.call('PATCH', `/v1/pipelines/${pipelineId}/objects/tickets`, { history: true });
  await deployment.sync(pipelineId);
  const live = [...simulator.account.everything('tickets')]
    .filter(({ view }) => view.deleted === null)
    .map(({ text }) => (JSON.parse(text) as { id: number }).id);
  const odd = live.slice(0, 4);
  for (const id of odd) simulator.account.update('tickets', id, { priority: 'urgent' });
  const group = live[10] as number;
  refused = group;
  simulator.account.update('tickets', group, { group_id: 'none' });
  const run = await deployment.sync(pipelineId);
  expect(run.objects.find((o) => o.object === 'tickets')).toMatchObject({ status: 'succeeded', records_rejected: 5 });

  const path = `/v1/pipelines/${pipelineId}/rejected-records`;
  const list = (query = '') => api.call<{ data: Rejected[]; next_cursor: string | null }>('GET', `${path}${query}`);
  const first = await list('?limit=3');
  const rest = await list(`?limit=3&cursor=${first.next_cursor}`);
  expect([...first.data, ...rest.data].map((r) => r.reason).sort()).toEqual([
    'value_not_bigint: group_id',
    ...odd.map(() => 'value_not_bigint: priority'),
  ]);
  expect(rest.next_cursor).toBeNull();
  expect(first.data.every((r) => r.record === null)).toBe(true);
  const [other] = (await list('?reason=value_not_bigint: group_id')).data as [Rejected];
  const shown = await api.call<Rejected>('GET', `${path}/${other.id}`);
  expect(JSON.parse(shown.record as string)).toMatchObject({ id: group, group_id: 'none' });

  // As they are now they are refused again, and still there.
  const replay = async (filter: object) => {
    const { run_id } = await api.call<{ run_id: string; records: number }>('POST', `${path}/replay`, filter);
    return deployment.finished(run_id);
  };
  expect(await replay({ reason: 'value_not_bigint: priority' })).toMatchObject({
    kind: 'replay',
    status: 'succeeded',
    objects: [{ object: 'tickets', mode: 'replay', records_extracted: 4, records_rejected: 4, records_loaded: 0 }],
  });
  expect((await list()).data).toHaveLength(5);

  // One of them changes in Freshdesk meanwhile, and lands by itself.
  simulator.account.update('tickets', odd[0] as number, { priority: 2, subject: 'newer' });
  await deployment.sync(pipelineId);
  await api.call('PATCH', `/v1/pipelines/${pipelineId}`, { schema_policy: 'evolve' });
  expect(await replay({ object: 'tickets', reason: 'value_not_bigint: priority' })).toMatchObject({
    status: 'succeeded',
    objects: [{ records_loaded: 3, records_unchanged: 1, records_rejected: 0 }],
  });
  const rows = await warehouse.sql.unsafe(
    `select id::int, priority, subject, _freshet_extra ->> 'priority' as kept from ${schema}.tickets where id = any($1) order by id`,
    [odd],
  );
  // The documented column keeps its type.
  expect(rows.map((r) => [r['priority'], r['kept']])).toEqual(
    odd.toSorted((a, b) => a - b).map((id) => (id === odd[0] ? ['2', null] : [null, 'urgent'])),
  );
  expect(rows.find((r) => r['id'] === odd[0])?.['subject']).toBe('newer');

  // Its history was asked for: as it came first, and as it is.
  const versions = await warehouse.sql.unsafe(
    `select subject, valid_to from ${schema}.tickets_history where id = ${odd[0]} order by valid_from`,
  );
  expect(versions.map((v) => [v['subject'] === 'newer', v['valid_to'] === null])).toEqual([
    [false, false],
    [true, true],
  ]);

  expect(await api.call('POST', `${path}/discard`, { ids: [other.id] })).toEqual({ records: 1 });
  expect((await list()).data).toEqual([]);
  await expect(api.call('POST', `${path}/replay`, {})).rejects.toThrow(/404|no such rejected record/i);
});

test('a table that was dropped is loaded anew from what is stored, without a credit', async () => {
  const { api, simulator, warehouse, schema } = deployment;
  const [pipeline] = (await api.call<{ data: { id: string }[] }>('GET', '/v1/pipelines')).data as [{ id: string }];
  // All but the record that was refused and discarded: with the policy as it is now, it lands.
  const rows = () =>
    warehouse.sql.unsafe(`select id, subject, updated_at from ${schema}.tickets where id <> ${refused} order by id`);
  const before = await rows();
  await warehouse.sql.unsafe(`drop table ${schema}.tickets`);
  const calls = simulator.callCount;
  const started = await api.call<{ run_id: string; records: number; whole: boolean }>(
    'POST',
    `/v1/pipelines/${pipeline.id}/objects/tickets/rebuild`,
  );
  expect(started).toMatchObject({ whole: true });
  const run = await deployment.finished(started.run_id);
  expect(run).toMatchObject({
    kind: 'rebuild',
    status: 'succeeded',
    objects: [{ object: 'tickets', mode: 'rebuild', records_extracted: started.records }],
  });
  expect(simulator.callCount).toBe(calls);
  expect(await rows()).toEqual(before);
  await expect(api.call('POST', `/v1/pipelines/${pipeline.id}/objects/skills/rebuild`)).rejects.toThrow(/restart it/);
});

test('I6: what is dropped or hashed is stored nowhere, neither in a batch nor in a table', async () => {
  const { api, control, simulator, warehouse, schema } = deployment;
  const [pipeline] = (await api.call<{ data: { id: string }[] }>('GET', '/v1/pipelines')).data as [{ id: string }];
  const path = `/v1/pipelines/${pipeline.id}/objects/tickets`;
  const ids = [...simulator.account.everything('tickets')]
    .filter(({ view }) => view.deleted === null)
    .map(({ text }) => (JSON.parse(text) as { id: number }).id);
  const [one, two] = ids.slice(20) as [number, number];
  const columns = {
    subject: { hash: true },
    description: { drop: true },
    description_text: { drop: true },
    type: { rename: 'kind' },
  };
  expect((await api.call<{ columns: object }>('PATCH', path, { columns })).columns).toEqual(columns);
  for (const [wrong, why] of [
    [{ id: { hash: true } }, /stand on it/],
    [{ subject: { rename: 'id' } }, /already/],
    [{ custom_fields: { drop: true } }, /name the fields in it/],
    [{ subject: { rename: '_freshet_hash' } }, /pattern|keeps for itself/],
  ] as const) {
    await expect(api.call('PATCH', path, { columns: wrong })).rejects.toThrow(why);
  }
  await control.sql`delete from freshet.batches`;
  for (const id of [one, two])
    simulator.account.update('tickets', id, {
      subject: 'Very Secret Subject',
      description: 'Very Secret Text',
      description_text: 'Very Secret Text',
    });
  expect((await deployment.sync(pipeline.id)).status).toBe('succeeded');
  const rows = await warehouse.sql.unsafe(
    `select subject, description, kind from ${schema}.tickets where id = any($1)`,
    [[one, two]],
  );
  expect(rows[0]?.['subject']).toMatch(/^[0-9a-f]{64}$/);
  expect(rows[1]).toMatchObject({ subject: rows[0]?.['subject'], description: null });
  const bodies = await control.sql<{ body: Buffer }[]>`select body from freshet.batches where object = 'tickets'`;
  const stored = bodies.map(({ body }) => zstdDecompressSync(body).toString()).join('');
  expect(stored).toContain(String(one));
  expect(stored).not.toContain('Very Secret');
});
