import type { ObjectSpec } from '@freshet/freshdesk-extractor';
import type { SimulatedAccount } from '../account.ts';

export interface RandomChangesOptions {
  readonly account: SimulatedAccount;
  readonly object: ObjectSpec;
  /** Returns the next random integer from 0 to `below` - 1. */
  readonly random: (below: number) => number;
  readonly isKeyset: boolean;
  /** The expected number of changes to single records in 100 requests. */
  readonly rate: number;
  /** Some edits set an `updated_at` in the past. */
  readonly backdatedEdits: boolean;
}

/** At this rate, up to three changes to single records follow each request. */
export const MAX_CHANGE_RATE = 150;

/** Applies random changes to an account between requests. */
export class RandomChanges {
  readonly #options: RandomChangesOptions;

  constructor(options: RandomChangesOptions) {
    this.#options = options;
  }

  /** Applies the changes between one request and the next. */
  apply(): void {
    const { random, rate, isKeyset } = this.#options;
    if (rate === MAX_CHANGE_RATE) for (let n = random(4); n > 0; n--) this.#changeRecord();
    else if (random(100) < rate) this.#changeRecord();
    if (random(rate === MAX_CHANGE_RATE ? 60 : 600) === 0) this.#updateMany();
    if (!isKeyset && random(40) === 0) this.#deleteMany();
  }

  #changeRecord(): void {
    const { account, object, random, isKeyset, backdatedEdits } = this.#options;
    const list = account.getList(object);
    const number = random(list.length);
    const key = list.getKey(number);
    if (!isKeyset) {
      // A deleted record stays deleted.
      if (object.views[list.getView(number)] === undefined) return;
      if (random(8) === 0) return account.delete(object.name, key);
    }
    const kind = random(20);
    const view = object.views[object.views.length === 1 ? 0 : 1 + random(object.views.length - 1)]?.name as string;
    if (kind === 0 || (kind === 1 && object.views.length === 1)) account.create(object.name);
    else if (kind === 1) account.move(object.name, key, view);
    else if (kind === 2) account.move(object.name, key, object.views[0]?.name as string);
    else if (backdatedEdits && kind < 8) account.update(object.name, key, {}, account.nowSeconds() - 3600);
    else account.update(object.name, key, kind < 6 ? { name: `renamed ${random(1000)}` } : {});
  }

  #deleteMany(): void {
    const { account, object, random } = this.#options;
    const list = account.getList(object);
    const from = random(list.length);
    for (let i = 0; i < 2 + random(5); i++) {
      const number = (from + i) % list.length;
      if (object.views[list.getView(number)] !== undefined) account.delete(object.name, list.getKey(number));
    }
  }

  /**
   * Updates 20 to 149 records in the same second. These can be more records than all pages of the
   * list together contain.
   */
  #updateMany(): void {
    const { account, object, random } = this.#options;
    const list = account.getList(object);
    const from = random(list.length);
    for (let i = 0; i < 20 + random(130); i++) account.update(object.name, list.getKey((from + i) % list.length), {});
  }
}
