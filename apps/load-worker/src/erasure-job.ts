import { setTimeout as sleep } from 'node:timers/promises';
import { countModelRows, eraseModelRows, type ModelRowFilter, refreshAnalytics } from '@freshet/analytics';
import { AppError, ERROR_POLICY, type ErasedOwners, toAppError } from '@freshet/contracts';
import type { ControlStore, ErasedObject, ErasureOutcome, ErasureTask } from '@freshet/control-store';
import {
  hashValue,
  listChildren,
  listErasedObjects,
  listOwnerFields,
  type ObjectSpec,
  personObject,
  toTable,
} from '@freshet/freshdesk-extractor';
import type { Logger } from '@freshet/runtime';
import type { ErasedRows, RowFilter, Warehouse } from '@freshet/warehouse-loader';
import type { Warehouses } from './warehouses.ts';

/** The time limit for erasing from the models, which includes a refresh. */
const MODELS_TIMEOUT_MS = 50 * 60_000;
/**
 * An attempt to refresh the models waits ten seconds for a refresh that is running. The first
 * refresh of a large warehouse takes minutes.
 */
const REFRESH_ATTEMPTS_MAX = 60;
const REFRESH_RETRY_MS = 1000;

export interface ErasureContext {
  readonly store: ControlStore;
  readonly warehouses: Warehouses;
  readonly logger: Logger;
}

/**
 * Runs one `erase` job: removes a person from all data of a pipeline, and verifies that no data of
 * the person remains. An interrupted job is repeated from the start. All its actions are
 * idempotent.
 */
export async function runErasure({ store, warehouses, logger }: ErasureContext, erasureId: string): Promise<void> {
  const task = await store.erasures.start(erasureId);
  if (task === null) return;
  const log = logger.child({ erasureId, pipelineId: task.pipelineId });
  try {
    const outcome = await new PersonErasure(store, await warehouses.open(task.destinationId), task, log).run();
    await store.erasures.complete(task, outcome);
    log.info('erasure completed');
  } catch (thrown) {
    const error = toAppError(thrown);
    const hasFailed = await store.erasures.recordFailure(task, error);
    if (hasFailed) log.error({ err: error }, 'erasure failed, retries exhausted');
    else log.warn({ err: error }, 'erasure failed, retry scheduled');
  }
}

/** An object, and the conditions that select the person's records of this object. */
interface ErasureScope {
  readonly object: ObjectSpec;
  /**
   * The fields that contain the key of a record's owner, and the keys of the erased owners in plain
   * and hashed form.
   */
  readonly owners: readonly ErasedOwners[];
  readonly filter: RowFilter;
}

class PersonErasure {
  readonly #logger: Logger;
  readonly #store: ControlStore;
  readonly #warehouse: Warehouse;
  readonly #task: ErasureTask;
  /**
   * Owner fields (`<object>.<field>`) that a field rule drops. Records cannot be found through
   * these fields.
   */
  readonly #unsearchable = new Set<string>();

  constructor(store: ControlStore, warehouse: Warehouse, task: ErasureTask, logger: Logger) {
    this.#logger = logger;
    this.#store = store;
    this.#warehouse = warehouse;
    this.#task = task;
  }

  async run(): Promise<ErasureOutcome> {
    await this.#rejectStaff();
    const erasedObjects: ErasedObject[] = [];
    // The objects of owners precede the objects of the records that they own. All erased owners are
    // therefore known before their records are erased.
    for (const object of listErasedObjects()) erasedObjects.push(await this.#erase(await this.#buildScope(object)));
    await this.#eraseFromModels();
    return { removed: erasedObjects, unsearchable: [...this.#unsearchable], proof: await this.#verify() };
  }

  /**
   * Rejects the erasure if the person is also a member of the staff, because the messages of staff
   * belong to the tickets of other people.
   */
  async #rejectStaff(): Promise<void> {
    const { schema, tablePrefix, key } = this.#task;
    const staff = personObject.person?.staff as string;
    const { rows } = await this.#warehouse.count({
      schema,
      tablePrefix,
      table: staff,
      keyColumn: 'id',
      anyOf: [{ column: 'id', values: [key] }],
    });
    if (rows > 0) {
      throw new AppError(
        'conflict',
        `Record ${key} cannot be erased because the person is also in ${staff}: the messages of staff belong to the tickets of other people. Nothing was erased.`,
      );
    }
  }

  async #buildScope(object: ObjectSpec): Promise<ErasureScope> {
    const { pipelineId, id, schema, tablePrefix, fieldRules, hashSalt } = this.#task;
    const rules = fieldRules[object.name] ?? {};
    const { columns } = toTable(object, [], rules);
    const owners: ErasedOwners[] = [];
    const anyOf: { column: string; values: string[] }[] = [];
    for (const { field, object: owner } of listOwnerFields(object)) {
      const keys = await this.#store.erasures.listErasedKeys(pipelineId, owner, id);
      // Search for hashed and plain keys, because the rule that hashes the field may have been
      // added or removed after a record was stored.
      const values = hashSalt === null ? keys : new Set([...keys, ...[...keys].map((key) => hashValue(key, hashSalt))]);
      if (rules[field]?.drop === true) this.#unsearchable.add(`${object.name}.${field}`);
      owners.push({ field, object: owner, keys: values });
      const names = new Set([field, columns.find((c) => (c.path ?? [c.name])[0] === field)?.name ?? field]);
      for (const column of names) anyOf.push({ column, values: [...values] });
    }
    const keyColumn = object.primaryKey[0] as string;
    return { object, owners, filter: { schema, tablePrefix, table: object.name, keyColumn, anyOf } };
  }

  async #erase({ object, owners, filter }: ErasureScope): Promise<ErasedObject> {
    const { erasures } = this.#store;
    const task = this.#task;
    const { name } = object;
    // Ensure that no extraction of this object stores further records of the person.
    await erasures.fenceExtraction(task, name);
    const staged = await erasures.eraseFromBatches(task, name, owners, { keyField: filter.keyColumn });
    const erased = await this.#eraseFromWarehouse(name, filter);
    const rejectedRecords = await erasures.eraseFromRejectedRecords(task, name, owners);
    const isOwner = listErasedObjects().some(
      (other) => other !== object && listOwnerFields(other).some((owner) => owner.object === name),
    );
    if (isOwner) {
      await erasures.addErasedKeys(task, name, [...staged.keys, ...erased.keys]);
      const children = listChildren(name).map((child) => child.name);
      const erasedKeys = await erasures.listErasedKeys(task.pipelineId, name, task.id);
      await erasures.deletePendingWork(task, name, children, [...erasedKeys]);
    }
    return {
      object: name,
      rows: erased.rows,
      versions: erased.versions,
      staged_records: staged.records,
      rejected_records: rejectedRecords,
    };
  }

  /**
   * Acquires the table's lease before the erasure. A worker that read batches before the person's
   * records were removed from them can then no longer load these batches.
   */
  async #eraseFromWarehouse(object: string, filter: RowFilter): Promise<ErasedRows> {
    const { loading } = this.#store;
    const lease = await loading.acquire(this.#task.pipelineId, object);
    if (lease === null) return { rows: 0, versions: 0, keys: [] };
    const erased = await this.#warehouse.erase(filter, lease.epoch).catch(async (error: unknown) => {
      // If the warehouse has a greater epoch, raise the stored epoch, so that the next attempt is
      // not fenced.
      if (error instanceof AppError && error.code === 'fenced')
        await loading.adoptEpoch(lease, Number(error.context['epoch'] ?? 0));
      throw error;
    });
    await loading.requeue(lease, 0, null);
    return erased;
  }

  /**
   * Removes the person from the analytics models. A refresh that runs at the same time can still
   * add rows of records that it read before they were erased. The refresh that is started here
   * waits for its end, and then removes these rows.
   */
  async #eraseFromModels(): Promise<void> {
    const { hasModels } = this.#task;
    const filters = await this.#buildModelFilters();
    await this.#warehouse.useSql(MODELS_TIMEOUT_MS, async (sql) => {
      if (hasModels) await this.#refreshModels(sql);
      const rows = await eraseModelRows(sql, this.#task, filters);
      if (rows > 0) this.#logger.info({ rows }, 'rows of analytics models erased');
    });
  }

  /**
   * Refreshes the models, after the end of a refresh that is running. An error that prevents every
   * refresh, such as a view of the user that needs a removed column, does not prevent the erasure.
   * @throws any other error, so that the erasure is retried.
   */
  async #refreshModels(sql: Parameters<typeof refreshAnalytics>[0]): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await refreshAnalytics(sql, this.#task);
        return;
      } catch (thrown) {
        const error = toAppError(thrown);
        if (ERROR_POLICY[error.code].job === 'fail') {
          this.#logger.warn({ err: error }, 'analytics models cannot be refreshed, erasure continues');
          return;
        }
        if (error.code !== 'warehouse_busy' || attempt === REFRESH_ATTEMPTS_MAX) throw error;
        await sleep(REFRESH_RETRY_MS);
      }
    }
  }

  /** Lists the columns of models that can refer to the person or to records of the person. */
  async #buildModelFilters(): Promise<ModelRowFilter[]> {
    const filters: ModelRowFilter[] = [];
    for (const erasedObject of listErasedObjects()) {
      const { object, owners } = await this.#buildScope(erasedObject);
      for (const { field, keys } of owners)
        if (field !== object.primaryKey[0]) filters.push({ column: field, values: [...keys] });
    }
    return filters;
  }

  /**
   * Counts the remaining data of the person.
   * @throws AppError if data remains. The retry of the erasure removes this data.
   */
  async #verify(): Promise<ErasureOutcome['proof']> {
    const { erasures } = this.#store;
    const filters = await this.#buildModelFilters();
    const modelRows = await this.#warehouse.useSql(MODELS_TIMEOUT_MS, (sql) =>
      countModelRows(sql, this.#task, filters),
    );
    const remainingCounts = { rows: 0, versions: 0, staged_records: 0, rejected_records: 0, model_rows: modelRows };
    for (const erasedObject of listErasedObjects()) {
      const { object, owners, filter } = await this.#buildScope(erasedObject);
      const { rows, versions } = await this.#warehouse.count(filter);
      const staged = await erasures.eraseFromBatches(this.#task, object.name, owners, {
        keyField: filter.keyColumn,
        isDryRun: true,
      });
      remainingCounts.rows += rows;
      remainingCounts.versions += versions;
      remainingCounts.staged_records += staged.records;
      remainingCounts.rejected_records += await erasures.eraseFromRejectedRecords(
        this.#task,
        object.name,
        owners,
        true,
      );
    }
    if (Object.values(remainingCounts).some((count) => count > 0)) {
      throw new AppError(
        'warehouse_busy',
        `Data of the person remains after the erasure: ${JSON.stringify(remainingCounts)}. The erasure is retried.`,
      );
    }
    return { verified_at: new Date().toISOString(), ...remainingCounts };
  }
}
