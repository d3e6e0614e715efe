import { createDatabase, type TestDatabase, waitFor } from '@freshet/testing';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestWarehouse } from '../test-support/warehouse.ts';
import { refreshAnalytics } from './refresh.ts';

const buildTicket = (id: number) => ({ id, status: 2, priority: 1, source: 1, created_at: '2025-02-03T08:00:00Z' });

let database: TestDatabase;
let other: postgres.Sql;
beforeAll(async () => {
  database = await createDatabase();
  other = postgres(database.url, { max: 4, onnotice: () => {} });
});
afterAll(async () => {
  await other.end();
  await database[Symbol.asyncDispose]();
});

const countBlocked = () =>
  database.sql`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`.then(
    (rows) => rows.length,
  );

describe('refreshAnalytics', () => {
  test('does not lose a load that commits during a refresh', async () => {
    const warehouse = await TestWarehouse.create(database.sql, { schema: 'concurrent' });
    await warehouse.insert('tickets', [buildTicket(1)]);
    await refreshAnalytics(database.sql, warehouse.target);
    await warehouse.insert('tickets', [buildTicket(2)]);
    // The lock makes the refresh wait after it has taken its snapshot.
    const reader = await other.reserve();
    await reader.unsafe('begin; lock table concurrent_analytics.ticket_metrics in share mode');
    const refreshing = refreshAnalytics(other, warehouse.target);
    await waitFor(async () => (await countBlocked()) > 0, 'the refresh waits for a lock');
    await warehouse.insert('tickets', [buildTicket(3)]);
    await reader.unsafe('commit');
    reader.release();
    expect(await refreshing).toMatchObject({ kind: 'refreshed', tickets: 1 });
    expect(await refreshAnalytics(other, warehouse.target)).toMatchObject({ kind: 'refreshed', tickets: 1 });
    const rows = await warehouse.query('select ticket_id from concurrent_analytics.ticket_metrics order by 1');
    expect(rows.map((row) => row['ticket_id'])).toEqual(['1', '2', '3']);
  });

  test('does not lose a load that began before a refresh and commits after it', async () => {
    const warehouse = await TestWarehouse.create(database.sql, { schema: 'slow_load' });
    await refreshAnalytics(database.sql, warehouse.target);
    const load = await other.reserve();
    await load.unsafe(`begin; insert into slow_load.tickets (id, created_at) values (1, now())`);
    expect((await refreshAnalytics(other, warehouse.target)).kind).toBe('unchanged');
    await load.unsafe('commit');
    load.release();
    expect(await refreshAnalytics(other, warehouse.target)).toMatchObject({ kind: 'refreshed', tickets: 1 });
  });

  test('runs two refreshes at once one after the other', async () => {
    const warehouse = await TestWarehouse.create(database.sql, { schema: 'twice' });
    await warehouse.insert('tickets', [buildTicket(1), buildTicket(2)]);
    const built = await Promise.all([1, 2, 3].map(() => refreshAnalytics(other, warehouse.target)));
    expect(built.map(({ kind }) => kind).sort()).toEqual(['built', 'unchanged', 'unchanged']);
    await warehouse.insert('tickets', [buildTicket(3)]);
    const refreshed = await Promise.all([1, 2].map(() => refreshAnalytics(other, warehouse.target)));
    expect(refreshed.map(({ kind }) => kind).sort()).toEqual(['refreshed', 'unchanged']);
    expect(await warehouse.query('select ticket_id from twice_analytics.ticket_metrics')).toHaveLength(3);
  });

  test('readers see the previous state until a refresh commits', async () => {
    const warehouse = await TestWarehouse.create(database.sql, { schema: 'stable' });
    await warehouse.insert('tickets', [buildTicket(1)]);
    await refreshAnalytics(database.sql, warehouse.target);
    await warehouse.insert('tickets', [buildTicket(2)]);
    const blocker = await other.reserve();
    await blocker.unsafe('begin; lock table stable_analytics.analytics_warnings in access exclusive mode');
    const refreshing = refreshAnalytics(other, warehouse.target);
    await waitFor(async () => (await countBlocked()) > 0, 'the refresh waits for a lock');
    expect(await warehouse.query('select ticket_id from stable_analytics.ticket_metrics')).toHaveLength(1);
    await blocker.unsafe('commit');
    blocker.release();
    await refreshing;
    expect(await warehouse.query('select ticket_id from stable_analytics.ticket_metrics')).toHaveLength(2);
  });
});
