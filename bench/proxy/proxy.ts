// The forward proxy: how fast one tunnel is, and what two thousand at once cost.
import type { Scenario } from '../bench.ts';
import { crowd } from './crowd.ts';
import { one } from './one.ts';

export const proxy: Readonly<Record<string, Scenario>> = { one, crowd };
