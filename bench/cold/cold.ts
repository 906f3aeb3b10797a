// The cold path: what is not here yet, over links that are fast, slow, broken or crowded.
import type { Scenario } from '../bench.ts';
import { crowd } from './crowd.ts';
import { fast } from './fast.ts';
import { ranges } from './ranges.ts';
import { resets } from './resets.ts';
import { slow } from './slow.ts';

export const cold: Readonly<Record<string, Scenario>> = { fast, slow, resets, crowd, ranges };
