// The Worker as a face for the attack table: it keeps what is public in its cache, and nothing else.
import type { OpenSpied } from '../conformance/attack-lab.ts';
import { waiting } from './behind.ts';
import { startEdge } from './edge.ts';

/** Nobody there waits for what another began. */
export const openWaiting: OpenSpied = async (settings) => {
  const edge = await startEdge(JSON.parse(JSON.stringify(settings)), { around: waiting() });
  return { forgets: true, origin: edge.url.origin, request: edge.ask, close: edge.close };
};
