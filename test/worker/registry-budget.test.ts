// A registry that counts, before the Worker: what is left of it is known to the isolate.
import { describeBudget } from '../conformance/budget.ts';
import { startEdge } from './edge.ts';

describeBudget('the Worker behind a registry that counts', async (settings) => {
  const edge = await startEdge(JSON.parse(JSON.stringify(settings)));
  return { request: edge.ask, close: edge.close };
});
