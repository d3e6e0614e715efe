import { refreshAnalytics } from '@freshet/analytics';
import type { TestApi } from './api.ts';

/** Switches the analytics models of a pipeline on, and builds them in the test database. */
export async function buildModels(
  { pipeline }: { readonly pipeline: { readonly id: string } },
  { store, sql }: Pick<TestApi, 'store' | 'sql'>,
): Promise<void> {
  await store.pipelines.update(pipeline.id, { analytics: true }, null);
  const task = await store.analytics.start(pipeline.id);
  if (task === null) throw new Error(`Pipeline ${pipeline.id} does not exist.`);
  await sql`create schema if not exists ${sql(task.schema)}`;
  await store.analytics.complete(task, await refreshAnalytics(sql, task));
}
