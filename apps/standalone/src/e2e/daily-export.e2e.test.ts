import { catalogue, getObject } from '@freshet/freshdesk-extractor';
import type { ExportFault } from '@freshet/freshdesk-simulator';
import { waitFor } from '@freshet/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Deployment } from '../test-support/deployment.ts';
import { findDifferences } from '../test-support/differences.ts';

const OBJECT = 'ticket_activities';
const toDay = (daysAgo: number) => new Date(Date.now() - daysAgo * 86_400_000).toISOString().slice(0, 10);

const faults = new Map<string, ExportFault>();
let deployment: Deployment;
let pipelineId = '';

beforeAll(async () => {
  // Without a scheduler, no run starts before the selection of objects is complete.
  deployment = await Deployment.start(
    { counts: { tickets: 400, contacts: 50 }, exportFault: (day) => faults.get(day) ?? null },
    ['api', 'extract-worker', 'load-worker'],
  );
  pipelineId = await deployment.createPipeline();
  const objects = catalogue.map(({ name }) => [name, { included: [OBJECT, 'tickets'].includes(name) }] as const);
  await deployment.updatePipeline(pipelineId, { objects: Object.fromEntries(objects) });
});
afterAll(() => deployment[Symbol.asyncDispose]());

const listDifferences = () =>
  findDifferences(deployment.simulator, deployment.warehouse, deployment.schema, ['tickets', OBJECT].map(getObject));
const listFailedDays = async () => {
  const { data } = await deployment.api.get('/v1/pipelines/{id}/failed-units', {
    params: { path: { id: pipelineId } },
  });
  return data.map(({ object, key, error }) => `${object} ${key} ${error.code}`);
};
const getCoverage = async () => {
  const [row] = await deployment.warehouse.sql.unsafe<{ from: string; to: string; rows: number }[]>(
    `select (complete_back_to at time zone 'UTC')::date::text as from,
       (complete_as_of at time zone 'UTC')::date::text as to, row_count::int as rows
     from ${deployment.schema}._freshet_objects where table_name = '${OBJECT}'`,
  );
  return row as { readonly from: string; readonly to: string; readonly rows: number };
};

describe('an object with a daily export', () => {
  test('is complete after an extract worker was killed within a file (I8)', async () => {
    const day = toDay(3);
    faults.set(day, 'slow');
    const { id } = await deployment.startRun(pipelineId);
    await waitFor(() => deployment.simulator.exportFiles.requestsByDay.has(day), 'a file is being downloaded');
    await deployment.kill('extract-worker');
    faults.clear();
    await deployment.launch('extract-worker');
    const run = await deployment.waitForRun(id);
    expect(run.objects.map(({ object, status }) => `${object} ${status}`).sort()).toEqual([
      `${OBJECT} succeeded`,
      'tickets succeeded',
    ]);
    expect(await listDifferences()).toEqual([]);
    const { from, to, rows } = await getCoverage();
    // The oldest tickets of the account are younger than the oldest kept file.
    expect([from, to]).toEqual([toDay(30), toDay(1)]);
    expect(rows).toBeGreaterThan(400);
  });

  test('costs no credits if nothing is due, and adds the typed columns beside the complete activity', async () => {
    const run = await deployment.sync(pipelineId);
    expect(run.objects.find(({ object }) => object === OBJECT)).toMatchObject({
      status: 'succeeded',
      credits_used: 0,
      records_extracted: 0,
    });
    const [row] = await deployment.warehouse.sql.unsafe(
      `select count(*)::int as n,
         count(*) filter (where status is distinct from activity ->> 'status'
           or priority is distinct from activity ->> 'priority' or "group" is distinct from activity ->> 'group'
           or agent is distinct from activity ->> 'agent_id')::int as different,
         count(status)::int as statuses
       from ${deployment.schema}.${OBJECT}`,
    );
    expect(row).toMatchObject({ different: 0 });
    expect(row?.['statuses']).toBeGreaterThan(400);
    const [stats] = await deployment.warehouse.sql.unsafe(
      `select count(stats_resolved_at)::int as n,
         count(*) filter (
           where stats_resolved_at is distinct from (stats ->> 'resolved_at')::timestamptz
         )::int as different
       from ${deployment.schema}.tickets`,
    );
    expect(stats).toMatchObject({ different: 0 });
    expect(stats?.['n']).toBeGreaterThan(50);
  });

  test('lists a day whose file is damaged as a failed unit, claims no coverage for it, and reads it when a user retries it (I7, I10)', async () => {
    const day = toDay(5);
    faults.set(day, 'wrong-count');
    await deployment.restartObject(pipelineId, OBJECT);
    const run = await deployment.sync(pipelineId);
    expect(run.objects.find(({ object }) => object === OBJECT)).toMatchObject({ status: 'partial', failed_units: 1 });
    expect(await listFailedDays()).toEqual([`${OBJECT} ${day} source_contract`]);
    expect(await getCoverage()).toMatchObject({ from: toDay(4), to: toDay(1) });
    const { rows } = await getCoverage();
    faults.clear();
    const retried = await deployment.api.post('/v1/pipelines/{id}/failed-units/retry', {
      params: { path: { id: pipelineId } },
    });
    expect((await deployment.waitForRun(retried.run_id)).status).toBe('succeeded');
    expect(await listFailedDays()).toEqual([]);
    expect((await deployment.sync(pipelineId)).status).toBe('succeeded');
    expect(await listDifferences()).toEqual([]);
    expect((await getCoverage()).rows).toBe(rows);
  });
});
