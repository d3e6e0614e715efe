import { locateRecord, RawObject } from '@freshet/contracts';
import type { ObjectSpec, Page } from '@freshet/freshdesk-extractor';
import type { SimulatedAccount } from '../account.ts';

interface StoredRecord {
  readonly version: number;
  readonly readAt: number;
  readonly deleted: string | null;
  /** The generation to which the record's page belongs; null if the page belongs to none. */
  readonly generation: string | null;
}

/** The rows of one table, merged according to the rules of the loader. */
export class SimulatedWarehouse {
  readonly #account: SimulatedAccount;
  readonly #object: ObjectSpec;
  readonly #rows = new Map<string, StoredRecord>();

  constructor(account: SimulatedAccount, object: ObjectSpec) {
    this.#account = account;
    this.#object = object;
  }

  /**
   * Loads a page. For each key, the record with the latest `updated_at` wins. Of records with equal
   * `updated_at`, the record that was extracted last wins. If the extraction times are also equal,
   * the record that was loaded last wins. A line that ends a generation marks the rows of other
   * generations as deleted.
   */
  load({ lines, extractedAt, generation }: Page): void {
    for (const line of lines) {
      const bytes = Buffer.concat(line);
      const location = locateRecord(bytes);
      if (location === null) {
        this.#endGeneration(bytes);
        continue;
      }
      const record = RawObject.parse(bytes, location.start, location.end);
      this.#merge(String(record.get('id') as number), {
        version: Date.parse(record.get('updated_at') as string),
        readAt: extractedAt.getTime(),
        deleted: location.deleted,
        generation,
      });
    }
  }

  /**
   * Compares each record of the account with its row. Rows of permanently deleted records are not
   * compared.
   * @param options With `ignoreVersions`, only missing rows and wrong deletions count as
   * differences. With `changedBefore`, a time in milliseconds, only records that have not changed
   * since that time are compared.
   * @returns the differences, each as `<key> <difference>`.
   */
  findDifferences({
    ignoreVersions = false,
    changedBefore = Number.POSITIVE_INFINITY,
  }: {
    readonly ignoreVersions?: boolean;
    readonly changedBefore?: number;
  }): string[] {
    const differences: string[] = [];
    for (const { view, text } of this.#account.listAllRecords(this.#object.name)) {
      const { id, updated_at } = JSON.parse(text) as { id: number; updated_at: string };
      if (Date.parse(updated_at) >= changedBefore) continue;
      const row = this.#rows.get(String(id));
      if (!row) differences.push(`${id} missing`);
      else if (!ignoreVersions && row.version !== Date.parse(updated_at))
        differences.push(`${id} stale: ${new Date(row.version).toISOString()} instead of ${updated_at}`);
      else if (row.deleted !== view.deleteKind)
        differences.push(`${id} marked ${row.deleted} instead of ${view.deleteKind}`);
    }
    return differences;
  }

  #endGeneration(line: Buffer): void {
    const { generation } = JSON.parse(line.toString()) as { generation?: { id: string } };
    if (generation === undefined) return;
    for (const [id, row] of this.#rows)
      if (row.generation !== generation.id) this.#rows.set(id, { ...row, deleted: 'missing' });
  }

  #merge(id: string, record: StoredRecord): void {
    const row = this.#rows.get(id);
    const isOlder =
      row && (record.version < row.version || (record.version === row.version && record.readAt < row.readAt));
    if (!isOlder) this.#rows.set(id, record);
  }
}
