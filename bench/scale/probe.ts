// Loaded into the server beside its own code: at each SIGUSR2 it says for how long the event loop stood still since the last one.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

/** Milliseconds between two looks: what a pause is longer by is not seen. */
const resolution = 1;

// A worker inherits what its process was started with.
if (isMainThread) {
  const delay = monitorEventLoopDelay({ resolution });
  delay.enable();
  process.on('SIGUSR2', () => {
    process.stderr.write(`longest pause ${delay.max / 1e6 - resolution} ms\n`);
    delay.reset();
  });
}
