import type { Column, ColumnType } from '@freshet/contracts';

/**
 * Declarations of an object's columns: the warehouse type, the description, and hints for the
 * documentation and the simulator.
 */

/** A documented column of an object. */
export interface CatalogueColumn extends Column {
  /** The field may be null. */
  readonly nullable: boolean;
  /** The field may be absent from a record, for example on older accounts or on some plans. */
  readonly optional: boolean;
  /** Labels of an enumeration's values: value → label; null if the field is not an enumeration. */
  readonly values: Readonly<Record<string, string>> | null;
  /** The object whose primary key the column holds; null if the column is not a foreign key. */
  readonly references: string | null;
  /** The record belongs to the referenced record, and is erased together with that record. */
  readonly isOwner: boolean;
  /**
   * Values that real accounts send, from which the simulator picks. Null: the simulator generates
   * values.
   */
  readonly samples: readonly unknown[] | null;
  /** The kind of text that the simulator generates. */
  readonly textKind: TextKind | null;
  /**
   * Freshdesk sets the field some seconds after it creates the record. Until then, the field is
   * null.
   */
  readonly setAfterCreation: boolean;
}

export type TextKind = 'title' | 'person' | 'email' | 'phone' | 'paragraph' | 'html' | 'uuid';

type ColumnHints = Partial<
  Pick<
    CatalogueColumn,
    'path' | 'nullable' | 'optional' | 'values' | 'references' | 'isOwner' | 'samples' | 'textKind' | 'setAfterCreation'
  >
>;

/** A column as a catalogue file declares it, before defaults are applied. */
export type ColumnDraft = { readonly type: ColumnType; readonly description: string } & ColumnHints;

const column =
  (type: ColumnType) =>
  (description: string, hints: ColumnHints = {}): ColumnDraft => ({ type, description, ...hints });

export const bigint = column('bigint');
export const numeric = column('numeric');
export const boolean = column('boolean');
export const text = column('text');
export const timestamp = column('timestamptz');
export const date = column('date');
export const jsonb = column('jsonb');

/** Applies the defaults to the declared columns, in the order of declaration. */
export function completeColumns(drafts: Readonly<Record<string, ColumnDraft>>): CatalogueColumn[] {
  return Object.entries(drafts).map(([name, draft]) => ({
    name,
    nullable: false,
    optional: false,
    values: null,
    references: null,
    isOwner: false,
    samples: null,
    textKind: null,
    setAfterCreation: false,
    ...draft,
  }));
}

/** The last columns of most objects. */
export const TIMESTAMPS = {
  created_at: timestamp('Creation time.'),
  updated_at: timestamp('Time of the last update.'),
};
