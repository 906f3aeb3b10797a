// The attack table against the Worker, which keeps what is public in its cache; nobody there waits for what another began.
import { describeAttacks } from '../conformance/attacks.ts';
import { waiting } from './behind.ts';
import { startEdge } from './edge.ts';

describeAttacks('the Worker', async (settings) => {
  const edge = await startEdge(JSON.parse(JSON.stringify(settings)), { around: waiting() });
  return { origin: edge.url.origin, request: edge.ask, close: edge.close };
});
