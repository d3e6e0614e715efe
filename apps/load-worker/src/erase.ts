import { AppError, type Owners, toAppError } from '@freshet/contracts';
import type { ControlStore, ErasedFrom, ErasureClaim, ErasureOutcome } from '@freshet/control-store';
import {
  childrenOf,
  erasedObjects,
  hashOf,
  type ObjectSpec,
  ownerFields,
  people,
  tableOf,
} from '@freshet/freshdesk-extractor';
import type { Logger } from '@freshet/runtime';
import type { RowsOf, Warehouse } from '@freshet/warehouse-loader';
import type { Warehouses } from './warehouses.ts';

export interface ErasureContext {
  readonly store: ControlStore;
  readonly warehouses: Warehouses;
  readonly logger: Logger;
}

/** One `erase` job: takes a person out of everything that a pipeline holds, and looks for them again. Killed anywhere, it is begun again, and finds less to do. */
export async function runErasure({ store, warehouses, logger }: ErasureContext, erasureId: string): Promise<void> {
  const claim = await store.erasures.claim(erasureId);
  if (claim === null) return;
  const log = logger.child({ erasureId, pipelineId: claim.pipelineId });
  try {
    const outcome = await new PersonErasure(store, await warehouses.open(claim.destinationId), claim).run();
    await store.erasures.complete(claim, outcome);
    log.info('person erased');
  } catch (thrown) {
    const error = toAppError(thrown);
    const isOver = await store.erasures.failed(claim, error);
    log[isOver ? 'error' : 'warn']({ err: error }, isOver ? 'erasure failed' : 'erasure failed, tried again');
  }
}

/** Where an object's records name those they belong to, as they are stored. */
interface Trace {
  readonly object: ObjectSpec;
  readonly owners: readonly Owners[];
  readonly rows: RowsOf;
}

class PersonErasure {
  readonly #store: ControlStore;
  readonly #warehouse: Warehouse;
  readonly #claim: ErasureClaim;
  readonly #unsearchable = new Set<string>();

  constructor(store: ControlStore, warehouse: Warehouse, claim: ErasureClaim) {
    this.#store = store;
    this.#warehouse = warehouse;
    this.#claim = claim;
  }

  async run(): Promise<ErasureOutcome> {
    await this.#refuseStaff();
    const removed: ErasedFrom[] = [];
    // Owners come first: when an object's turn comes, all that its records may belong to is known.
    for (const object of erasedObjects()) {
      removed.push(await this.#remove(await this.#traceOf(object)));
    }
    return { removed, unsearchable: [...this.#unsearchable], proof: await this.#verify() };
  }

  /** Whoever works there as well has written to many: what they wrote belongs to those. */
  async #refuseStaff(): Promise<void> {
    const { schema, tablePrefix, key } = this.#claim;
    const staff = people.person?.staff as string;
    const { rows } = await this.#warehouse.count({
      schema,
      tablePrefix,
      table: staff,
      key: 'id',
      among: [{ column: 'id', values: [key] }],
    });
    if (rows > 0) {
      throw new AppError(
        'conflict',
        `${key} stands among the ${staff} as well: what they have written belongs to the tickets of others. Nothing was erased.`,
      );
    }
  }

  async #traceOf(object: ObjectSpec): Promise<Trace> {
    const { pipelineId, id, schema, tablePrefix, fieldRules, hashSalt } = this.#claim;
    const rules = fieldRules[object.name] ?? {};
    const columns = tableOf(object, [], rules).columns;
    const owners: Owners[] = [];
    const among: { column: string; values: string[] }[] = [];
    for (const { field, object: of } of ownerFields(object)) {
      const keys = await this.#store.erasures.keys(pipelineId, of, id);
      // As it is now, and as it was before somebody asked for hashes, or after.
      const values = hashSalt === null ? keys : new Set([...keys, ...[...keys].map((key) => hashOf(key, hashSalt))]);
      if (rules[field]?.drop === true) this.#unsearchable.add(`${object.name}.${field}`);
      owners.push({ field, object: of, keys: values });
      const names = new Set([field, columns.find((c) => (c.path ?? [c.name])[0] === field)?.name ?? field]);
      for (const column of names) among.push({ column, values: [...values] });
    }
    return {
      object,
      owners,
      rows: { schema, tablePrefix, table: object.name, key: object.primaryKey[0] as string, among },
    };
  }

  async #remove({ object, owners, rows }: Trace): Promise<ErasedFrom> {
    const { erasures, loading } = this.#store;
    const claim = this.#claim;
    const { name } = object;
    // From here on nobody brings more of it.
    await erasures.fenceReaders(claim, name);
    const staged = await erasures.takeOutOfBatches(claim, name, owners, rows.key);
    const load = await loading.claim(claim.pipelineId, name);
    // Whoever had batches in hand as they were before can load nothing of them any more.
    const erased =
      load === null
        ? { rows: 0, versions: 0, keys: [] }
        : await this.#warehouse.erase(rows, load.epoch).catch(async (error: unknown) => {
            // The next try has a greater epoch than the warehouse.
            if (error instanceof AppError && error.code === 'fenced')
              await loading.overtake(load, Number(error.context['epoch'] ?? 0));
            throw error;
          });
    if (load !== null) await loading.handOn(load, 0, null);
    const rejected = await erasures.takeOutOfRejected(claim, name, owners);
    if (
      erasedObjects().some((other) => other !== object && ownerFields(other).some((owner) => owner.object === name))
    ) {
      await erasures.keepOut(claim, name, [...staged.keys, ...erased.keys]);
      const below = childrenOf(name).map((child) => child.name);
      await erasures.forgetWork(claim, name, below, [...(await erasures.keys(claim.pipelineId, name, claim.id))]);
    }
    return {
      object: name,
      rows: erased.rows,
      versions: erased.versions,
      staged_records: staged.records,
      rejected_records: rejected,
    };
  }

  /** @throws AppError when anything is left, which a repetition then removes. */
  async #verify(): Promise<ErasureOutcome['proof']> {
    const left = { rows: 0, versions: 0, staged_records: 0, rejected_records: 0 };
    for (const each of erasedObjects()) {
      const { object, owners, rows } = await this.#traceOf(each);
      const counted = await this.#warehouse.count(rows);
      left.rows += counted.rows;
      left.versions += counted.versions;
      left.staged_records += (
        await this.#store.erasures.takeOutOfBatches(this.#claim, object.name, owners, rows.key, true)
      ).records;
      left.rejected_records += await this.#store.erasures.takeOutOfRejected(this.#claim, object.name, owners, true);
    }
    if (Object.values(left).some((n) => n > 0)) {
      throw new AppError(
        'warehouse_busy',
        `Something of the person was found after all was done: ${JSON.stringify(left)}. It is removed by another try.`,
      );
    }
    return { verified_at: new Date().toISOString(), ...left };
  }
}
