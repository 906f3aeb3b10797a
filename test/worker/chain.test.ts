// A Worker that is closed to strangers, and a sampan behind it: a Node server, as people have at home, and another Worker.
import { describeChain, type ReachableFace } from '../conformance/chain.ts';
import type { Settings } from '../conformance/door.ts';
import { openApp } from '../node/real-app.ts';
import { startEdge } from './edge.ts';

async function openEdge(settings: Settings): Promise<ReachableFace> {
  const edge = await startEdge(JSON.parse(JSON.stringify(settings)));
  return { origin: edge.url.origin, request: edge.ask, close: edge.close };
}

describeChain('the Node server behind the Worker', openApp, openEdge);
describeChain('the Worker behind another one', openEdge, openEdge);
