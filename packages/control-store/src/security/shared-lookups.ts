interface ActiveLookup<T> {
  /** Resolves when the lookup has ended, whether it succeeded or failed. */
  readonly ended: Promise<void>;
  /** The lookup that starts next. Null: no caller waits for it. */
  next: Promise<T> | null;
}

/**
 * Shares lookups between concurrent callers. If a lookup of a key is in progress, further callers
 * wait for its end and then share one more lookup. Each lookup starts after its callers have
 * arrived, so no caller gets a value that was outdated when the caller arrived.
 */
export class SharedLookups<T> {
  readonly #find: (key: string) => Promise<T>;
  readonly #active = new Map<string, ActiveLookup<T>>();

  constructor(find: (key: string) => Promise<T>) {
    this.#find = find;
  }

  get(key: string): Promise<T> {
    const active = this.#active.get(key);
    if (active === undefined) return this.#start(key);
    active.next ??= active.ended.then(() => this.#start(key));
    return active.next;
  }

  #start(key: string): Promise<T> {
    const result = this.#find(key);
    const onEnd = () => {
      if (lookup.next === null) this.#active.delete(key);
    };
    const lookup: ActiveLookup<T> = { ended: result.then(onEnd, onEnd), next: null };
    this.#active.set(key, lookup);
    return result;
  }
}
