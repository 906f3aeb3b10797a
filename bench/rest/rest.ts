// What is here already: how fast it goes out, what it costs, how soon after the start, and how much of it there may be.
import type { Scenario } from '../bench.ts';
import { scale } from '../scale/scale.ts';
import { manifests } from './manifests.ts';
import { memory } from './memory.ts';
import { start } from './start.ts';
import { tls } from './tls.ts';
import { warm } from './warm.ts';

export const rest = { warm, manifests, memory, start, tls, scale } satisfies Readonly<Record<string, Scenario>>;
