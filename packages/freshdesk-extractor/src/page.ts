import { type ErrorCode, isRawNumber, type LinePieces, numberText, type Owners } from '@freshet/contracts';
import type { ListedRecord } from './http/client.ts';

/**
 * What one step of an extraction yields. All of it is stored together, or none of it: whoever goes on later
 * starts from `position`, which then holds everything the next read needs.
 */
export interface Page {
  /** Lines of a batch, without their line breaks. */
  readonly lines: readonly LinePieces[];
  /** How many of the lines are records. */
  readonly records: number;
  /** When the server answered. */
  readonly extractedAt: Date;
  readonly position: Position;
  /** Records that were left out: they belong to somebody who is erased. */
  readonly erased: readonly ErasedKey[];
  /** Parents whose children may have changed. */
  readonly work: readonly ChildWork[];
  /** Parents whose children have been read, or are gone. */
  readonly settled: readonly Settled[];
  /** Units that could not be read. The caller sets them aside and offers them again later. */
  readonly failed: readonly FailedUnit[];
  /** Share of the reading that is done, from 0 to 1; null when the strategy cannot tell. */
  readonly progress: number | null;
  /** The complete reading that these records are part of; null: none that could show deletions. */
  readonly generation: string | null;
  /** How far the reading has come with this page; null: no further than was said before. */
  readonly reached: Reached | null;
  /** What comes next follows from what the loader finds: read on once everything up to here is loaded. */
  readonly awaitsLoad: boolean;
  /** More has been asked for already, and paid: who stops after this page throws it away. */
  readonly ahead: boolean;
  /** The last page: the reading is finished. */
  readonly finished: boolean;
}

/** The key of a record that was left out, and whom it belongs to. */
export interface ErasedKey {
  readonly key: string;
  readonly owner: { readonly object: string; readonly key: string };
}

/** An item of a work list that is done with; an audit says what it was found to be. */
export interface Settled extends ChildWork {
  /** `lasting`: it stays what it is, and need not be asked for again. */
  readonly outcome?: { readonly name: string; readonly lasting: boolean };
}

/** A parent whose children cannot be read, or a record whose own address fails, while other units of the object can be read. */
export interface FailedUnit {
  readonly object: string;
  /** The key of the parent, or of the record. */
  readonly key: string;
  readonly code: ErrorCode;
  readonly message: string;
}

export interface Reached {
  /** The warehouse holds every change that Freshdesk showed up to this moment. */
  readonly completeAsOf: Date;
  /** The oldest change that the object reaches back to; epoch 0: everything. */
  readonly completeBackTo: Date;
}

/** Where an object's reading stands, as JSON. Its inner shape belongs to the object's way of reading. */
export type Position = Readonly<Record<string, unknown>>;

/** A parent whose children are to be read, and the version of it that called for it. */
export interface ChildWork {
  readonly object: string;
  readonly parentId: string;
  readonly version: string;
  /** Its list was empty where there had been records: one that is empty again is believed. */
  readonly doubted?: boolean | undefined;
}

export interface ReadOptions {
  /** The first sync of an object with history starts here; null: at the beginning. */
  readonly historyFrom: Date | null;
  /** The reading ends then, even if it has not come to the beginning of its history: another goes on. Absent: it does not end before. */
  readonly pastUntil?: Date;
  /** Names this reading: generations and the versions of children that nothing tells of are counted by it. */
  readonly readingId: string;
  /** Each record is completed by what only its own address shows: a call more for each. */
  readonly detail?: boolean;
  /** What is done with each record before it leaves the reading. */
  readonly mask?: ((record: Buffer) => Buffer) | null;
  /** Those who are erased: what belongs to them is left out. Absent: nobody is. */
  readonly erased?: readonly Owners[];
  /** Aborted when the reading is to stop soon: nothing is asked for ahead any more. Absent: it is not. */
  readonly ending?: AbortSignal;
  /** The next units of the work list, at most `limit`, none twice: parents of a child object, otherwise records to look up by their own address. */
  readonly nextParents: (limit: number) => Promise<readonly ChildWork[]>;
  /** Parents whose children were read before: evidence that the endpoint works. Absent: none are known. */
  readonly readableParents?: () => Promise<readonly ChildWork[]>;
}

const NOTHING = {
  lines: [],
  records: 0,
  erased: [],
  work: [],
  settled: [],
  failed: [],
  progress: null,
  generation: null,
  reached: null,
  awaitsLoad: false,
  ahead: false,
  finished: false,
} as const;

export function page(parts: Partial<Page> & Pick<Page, 'position' | 'extractedAt'>): Page {
  return { ...NOTHING, ...parts };
}

/** A record's key as text, whole numbers digit for digit. */
export function keyTexts(record: ListedRecord, primaryKey: readonly string[]): string[] {
  return primaryKey.map((column) => textOf(record.raw.get(column)));
}

/** A scalar as text. Integers are plain digits, all of them, as the loader writes keys. */
export function textOf(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number' || isRawNumber(value)) return numberText(value);
  return typeof value === 'object' ? JSON.stringify(value) : String(value as string | boolean);
}
