// Counters, gauges and histograms of one Prometheus registry of ours: prom-client's own is in module scope.
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

// Seconds: from a cached manifest to gigabytes over a slow link.
const buckets = [0.005, 0.02, 0.1, 0.5, 1, 5, 15, 60, 300, 1800];

export class Instruments {
  readonly #registers: Registry[];

  constructor(registry: Registry) {
    this.#registers = [registry];
  }

  counter<Label extends string>(name: string, help: string, labelNames: readonly Label[] = []): Counter<Label> {
    return new Counter({ name, help, labelNames, registers: this.#registers });
  }

  histogram<Label extends string>(name: string, help: string, labelNames: readonly Label[]): Histogram<Label> {
    return new Histogram({ name, help, labelNames, buckets, registers: this.#registers });
  }

  /** `value` is asked whenever the metrics are read. */
  gauge(name: string, help: string, value: () => number): void {
    const gauge: Gauge = new Gauge({ name, help, registers: this.#registers, collect: () => gauge.set(value()) });
  }

  gauges<Label extends string>(name: string, help: string, labelNames: readonly Label[]): Gauge<Label> {
    return new Gauge({ name, help, labelNames, registers: this.#registers });
  }

  /** One for each that is there when the metrics are read; of what is not, nothing is said. */
  family<Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
    values: () => Iterable<readonly [labels: Record<Label, string>, value: number]>,
  ): void {
    const collect = (): void => {
      gauge.reset();
      for (const [labels, value] of values()) gauge.set(labels, value);
    };
    const gauge: Gauge<Label> = new Gauge({ name, help, labelNames, registers: this.#registers, collect });
  }

  /** A counter that somebody else keeps. */
  total(name: string, help: string, value: () => number): void {
    const collect = (): void => {
      counter.reset();
      counter.inc(value());
    };
    const counter: Counter = new Counter({ name, help, registers: this.#registers, collect });
  }

  /** A gauge that is always 1 and says something by its labels. */
  fact(name: string, help: string, labels: Readonly<Record<string, string>>): void {
    new Gauge({ name, help, labelNames: Object.keys(labels), registers: this.#registers }).set(labels, 1);
  }
}
