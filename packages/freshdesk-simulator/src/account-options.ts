export interface AccountOptions {
  /** With equal other options, the same seed generates the same account. */
  readonly seed: number;
  /**
   * The number of records of each object, by name. For a child object, the average number of
   * children per parent. If an object is absent, the catalogue's typical count applies.
   */
  readonly counts?: Readonly<Record<string, number>>;
  /** No generated record was created or changed after this time. */
  readonly asOf: Date;
  /** The oldest record was created about this many days before `asOf`. */
  readonly spanDays: number;
  /**
   * Returns the time of the account's clock in milliseconds, so that tests can set the clock.
   * Default: `Date.now`.
   */
  readonly now?: () => number;
  /**
   * In a record that `create` adds, columns with `setAfterCreation` receive their values this many
   * seconds after the creation. `updated_at` does not change. Default: 0.
   */
  readonly fillDelaySeconds?: number;
  /**
   * Generates only values of the documented types. By default, some values have undocumented types,
   * as in real accounts.
   */
  readonly documentedShapesOnly?: boolean;
  /** Records are purged after this many days in the trash or in spam. Default: never. */
  readonly purgeAfterDays?: number;
  /**
   * Closed tickets move to the archive after this many days without changes. No list contains
   * archived tickets. Default: never.
   */
  readonly archiveAfterDays?: number;
  /**
   * Changes by `create`, `update` and `move` become visible after a random delay of up to this many
   * seconds. Default: immediately.
   */
  readonly lagSeconds?: number;
}

/** Fields of a record, by name. */
export type Fields = Record<string, unknown>;

export const NO_HIDDEN_COLUMNS: ReadonlySet<string> = new Set();
