// Whether this process itself is what is slow: then no link is to be called slow.
import { type EventLoopUtilization, performance } from 'node:perf_hooks';

/** Milliseconds. */
const window = 250;
/** Of its time, the event loop had no rest. */
const much = 0.5;

export class Load {
  #mark: EventLoopUtilization = performance.eventLoopUtilization();
  #busy = false;

  /** As it was over the last moments. */
  get busy(): boolean {
    const since = performance.eventLoopUtilization(this.#mark);
    if (since.active + since.idle >= window) {
      this.#busy = since.utilization >= much;
      this.#mark = performance.eventLoopUtilization();
    }
    return this.#busy;
  }
}
