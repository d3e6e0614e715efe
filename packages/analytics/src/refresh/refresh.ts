import type postgres from 'postgres';
import { withAnalyticsErrors } from '../errors.ts';
import { createBookkeeping, INSTALLED_MODELS, readState, STATE, writeState } from '../install/bookkeeping.ts';
import { readRelations } from '../install/catalog.ts';
import { createChangeTracking, dropChangeTracking } from '../install/change-tracking.ts';
import { Definitions, readInstalledHashes, writeInstalledHashes } from '../install/definitions.ts';
import { type InstallPlan, planInstallation } from '../install/plan.ts';
import { Replacement } from '../install/replacement.ts';
import type { AnalyticsTarget, RefreshResult, RefreshWarning } from '../interface.ts';
import { loadModels, type Model } from '../models/model.ts';
import { listPipelineTables, WarehouseTables } from '../models/warehouse-tables.ts';
import { Names } from '../sql.ts';
import { type RecordedChanges, takeChangedTickets } from './changes.ts';
import { type Recomputation, recompute } from './recompute.ts';
import { ModelWriter } from './tables.ts';

const LOCK_TIMEOUT = '10s';
/** The key of a state: `true` if changes were not recorded, so all must be recomputed. */
const REBUILD_NEEDED = 'rebuild_needed';
/** The key of a state: the calendar of the last refresh (see `Recomputation`). */
const CALENDAR = 'calendar';
/** The key of a state: `true` if a refresh was completed. */
const IS_BUILT = 'is_built';

/**
 * Installs or updates the models, and recomputes the rows of changed tickets.
 *
 * A first short transaction creates the schema and the triggers. From its commit on, no change is
 * lost. A second transaction computes the models from one snapshot, so that readers see either the
 * previous state or the new state of all models.
 * @param models the models. Tests pass changed models.
 */
export async function refreshAnalytics(
  sql: postgres.Sql,
  target: AnalyticsTarget,
  models: readonly Model[] = loadModels(),
): Promise<RefreshResult> {
  const names = new Names(target);
  return await withAnalyticsErrors(async () => {
    const tables = await sql.begin(async (transaction) => {
      await configure(transaction);
      await lockInstallation(transaction, names);
      await createBookkeeping(transaction, names);
      if (await createChangeTracking(transaction, names)) await writeState(transaction, names, REBUILD_NEEDED, 'true');
      return await listPipelineTables(transaction, names);
    });
    return await sql.begin('isolation level repeatable read', async (transaction) => {
      await configure(transaction);
      // A lock does not take the snapshot of the transaction, so the snapshot contains everything
      // that the previous refresh has committed.
      await transaction.unsafe(`lock table ${names.relation(STATE)} in exclusive mode`);
      // A load that widens a column creates the views over the table again. The lock delays such a
      // load, so that the views and their columns are the same as in the snapshot.
      if (tables.length > 0) await transaction.unsafe(`lock table ${tables.join(', ')} in access share mode`);
      return await runRefresh(transaction, names, models);
    });
  });
}

/** Drops the triggers that record changes. The models and their rows stay. */
export async function removeChangeTracking(sql: postgres.Sql, target: AnalyticsTarget): Promise<void> {
  const names = new Names(target);
  await withAnalyticsErrors(() =>
    sql.begin(async (transaction) => {
      await configure(transaction);
      await lockInstallation(transaction, names);
      await dropChangeTracking(transaction, names);
    }),
  );
}

async function configure(sql: postgres.TransactionSql): Promise<void> {
  await sql.unsafe(`
    set local search_path = pg_catalog, pg_temp;
    set local timezone = 'UTC';
    set local datestyle = 'ISO';
    set local lock_timeout = '${LOCK_TIMEOUT}';
    set local statement_timeout = '60min';
    set local work_mem = '64MB';
    set local maintenance_work_mem = '256MB';
    set local jit = off`);
}

async function lockInstallation(sql: postgres.TransactionSql, names: Names): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`freshet analytics ${names.relation(INSTALLED_MODELS)}`}, 0))`;
}

async function runRefresh(
  sql: postgres.TransactionSql,
  names: Names,
  models: readonly Model[],
): Promise<RefreshResult> {
  const tables = await WarehouseTables.read(sql, names);
  const definitions = new Definitions(names, tables, models);
  const relations = await readRelations(sql, names.analyticsSchema);
  const installed = await readInstalledHashes(sql, names);
  const state = await readState(sql, names);
  const plan = planInstallation(definitions.list, relations, installed, (model) => names.relationName(model));
  const changes = await takeChangedTickets(sql, names);
  const replacement = await Replacement.drop(sql, names, definitions.list, plan, relations);
  const writer = new ModelWriter(sql, names, definitions);
  const recomputation = await recompute(sql, names, {
    definitions,
    plan,
    writer,
    tables,
    changes,
    firstDay: state.get('first_day') ?? null,
    calendar: state.get(CALENDAR) ?? null,
    mustRebuild: mustRebuild(models, plan, changes, state),
  });
  await replacement.restore(sql);
  await writeInstalledHashes(sql, names, definitions.list);
  await writeState(sql, names, 'first_day', recomputation.firstDay);
  await writeState(sql, names, CALENDAR, recomputation.calendar);
  await writeState(sql, names, REBUILD_NEEDED, 'false');
  await writeState(sql, names, IS_BUILT, 'true');
  return {
    kind: toKind(recomputation, plan, state.get(IS_BUILT) === 'true'),
    tickets: recomputation.tickets,
    warnings: await readWarnings(sql, names, tables),
  };
}

/** Whether all tickets must be recomputed, as far as this is known before the small tables are. */
function mustRebuild(
  models: readonly Model[],
  { actions }: InstallPlan,
  changes: RecordedChanges,
  state: ReadonlyMap<string, string>,
): boolean {
  const isRedefined = models.some(
    ({ name, materialized, affectsTickets, internal }) =>
      actions.get(name) !== 'keep' &&
      (materialized === 'incremental' || affectsTickets || (materialized === 'view' && internal)),
  );
  return (
    isRedefined || changes.hasEverything || state.get(REBUILD_NEEDED) !== 'false' || state.get(IS_BUILT) !== 'true'
  );
}

function toKind({ mode }: Recomputation, { actions }: InstallPlan, wasBuilt: boolean): RefreshResult['kind'] {
  if (!wasBuilt) return 'built';
  if (mode === 'rebuilt') return 'rebuilt';
  const isRedefined = [...actions.values()].some((action) => action !== 'keep');
  return mode === 'unchanged' && isRedefined ? 'refreshed' : mode;
}

async function readWarnings(
  sql: postgres.TransactionSql,
  names: Names,
  tables: WarehouseTables,
): Promise<RefreshWarning[]> {
  const rows = await sql.unsafe<{ kind: string; message: string }[]>(
    `select kind, message from ${names.relation('analytics_warnings')} order by kind, subject`,
  );
  const unusable = tables.listUnusableColumns().map(({ table, column, type, needed }) => ({
    kind: 'unusable_column',
    message: `The column ${table}.${column} has the type ${type} instead of ${needed}, so the models treat it as empty. Change the type back.`,
  }));
  return [...rows.map(({ kind, message }) => ({ kind, message })), ...unusable];
}
