export interface AccountOptions {
  /** The same seed generates the same account. */
  readonly seed: number;
  /** Object → number of records; for other objects, the catalogue's typical count applies. */
  readonly counts?: Readonly<Record<string, number>>;
  /** The newest record changed just before this time. */
  readonly asOf: Date;
  /** The oldest record was created this many days before `asOf`. */
  readonly spanDays: number;
  /**
   * The account's clock in milliseconds, which tests can set. Default: the clock of this machine.
   */
  readonly now?: () => number;
  /**
   * Columns with `setAfterCreation` are set this many seconds after creation, without a newer
   * version. Default: 0.
   */
  readonly fillDelaySeconds?: number;
  /** Values have only the documented types, and none of the others that real accounts return. */
  readonly documentedShapesOnly?: boolean;
  /** Records in the trash or in spam are purged after this many days. Default: never. */
  readonly purgeAfterDays?: number;
  /**
   * Closed tickets without changes move to the archive, which no list contains, after this many
   * days. Default: never.
   */
  readonly archiveAfterDays?: number;
  /**
   * Changes appear in lists after a random delay of up to this many seconds. Default: immediately.
   */
  readonly lagSeconds?: number;
}

/** Fields of a record, by name. */
export type Fields = Record<string, unknown>;

export const NO_HIDDEN_COLUMNS: ReadonlySet<string> = new Set();
