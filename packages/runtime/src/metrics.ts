import * as prometheus from 'prom-client';

/**
 * The interval at which the delay of the event loop is sampled. With the default of 10 ms, these
 * samples would be most of the CPU usage of an idle process. With 100 ms, they would be a third.
 */
const EVENT_LOOP_SAMPLING_MS = 1000;

type Labels<L extends string> = Partial<Record<L, string>>;

/** A value that only increases. */
export interface Counter<L extends string> {
  /** @param value the increment; 1 by default. */
  inc(labels: Labels<L>, value?: number): void;
}

/** A distribution of observed values. */
export interface Histogram<L extends string> {
  observe(labels: Labels<L>, value: number): void;
}

/** A value that increases and decreases. */
export interface Gauge<L extends string> {
  set(labels: Labels<L>, value: number): void;
  /** Removes the values of all label combinations. */
  reset(): void;
}

/**
 * The metrics of one process. Their names follow the conventions of Prometheus: the prefix
 * `freshet_`, the unit as suffix, and `_total` for counters. Label values are the names of objects,
 * stages, outcomes and routes. Ids of records and runs are not allowed as label values, so that the
 * number of time series does not grow with an account.
 */
export class Metrics {
  readonly #registry = new prometheus.Registry();

  /** @param process the value of the label `process` in every metric: `api`, `extract-worker`, … */
  constructor(process: string) {
    this.#registry.setDefaultLabels({ process });
    prometheus.collectDefaultMetrics({
      register: this.#registry,
      eventLoopMonitoringPrecision: EVENT_LOOP_SAMPLING_MS,
    });
  }

  /** @param name without the prefix `freshet_`. */
  counter<L extends string>(name: string, help: string, labels: readonly L[]): Counter<L> {
    return new prometheus.Counter(this.#configure(name, help, labels));
  }

  /**
   * @param name without the prefix `freshet_`.
   * @param buckets upper bounds, in the unit at the end of the name.
   */
  histogram<L extends string>(
    name: string,
    help: string,
    labels: readonly L[],
    buckets: readonly number[],
  ): Histogram<L> {
    return new prometheus.Histogram({ ...this.#configure(name, help, labels), buckets: [...buckets] });
  }

  /** @param name without the prefix `freshet_`. */
  gauge<L extends string>(name: string, help: string, labels: readonly L[]): Gauge<L> {
    return new prometheus.Gauge(this.#configure(name, help, labels));
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Returns all metrics in the text format of Prometheus. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  #configure<L extends string>(name: string, help: string, labels: readonly L[]) {
    return { name: `freshet_${name}`, help, labelNames: [...labels], registers: [this.#registry] };
  }
}
