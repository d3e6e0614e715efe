import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

type Labels<L extends string> = Partial<Record<L, string>>;

/** What only ever grows. */
export interface Count<L extends string> {
  inc(labels: Labels<L>, value?: number): void;
}

/** How values are spread. */
export interface Spread<L extends string> {
  observe(labels: Labels<L>, value: number): void;
}

/** How much of something there is. */
export interface Level<L extends string> {
  set(labels: Labels<L>, value: number): void;
  /** Forgets all of its labels. */
  reset(): void;
}

/**
 * A process' own numbers, in the conventions of Prometheus: `freshet_` first, units last, counters end in `_total`. Labels have few
 * values, whatever an account holds: objects, stages, outcomes, routes; never an id of a record or a run.
 */
export class Metrics {
  readonly #registry = new Registry();

  /** @param process `api`, `extract-worker`, … */
  constructor(process: string) {
    this.#registry.setDefaultLabels({ process });
    collectDefaultMetrics({ register: this.#registry });
  }

  counter<L extends string>(name: string, help: string, labels: readonly L[]): Count<L> {
    return new Counter({ name: `freshet_${name}`, help, labelNames: [...labels], registers: [this.#registry] });
  }

  /** @param buckets upper bounds, in the unit of its name. */
  histogram<L extends string>(name: string, help: string, labels: readonly L[], buckets: readonly number[]): Spread<L> {
    return new Histogram({
      name: `freshet_${name}`,
      help,
      labelNames: [...labels],
      buckets: [...buckets],
      registers: [this.#registry],
    });
  }

  gauge<L extends string>(name: string, help: string, labels: readonly L[]): Level<L> {
    return new Gauge({ name: `freshet_${name}`, help, labelNames: [...labels], registers: [this.#registry] });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }
}
