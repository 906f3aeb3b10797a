// The thread that compares passwords with their hashes, which nothing else has to wait for.
import { compareSync } from 'bcryptjs';
import { parentPort } from 'node:worker_threads';

export interface Comparison {
  readonly password: string;
  readonly hash: string;
}

const port = parentPort;
if (port === null) throw new Error('this is the main file of a worker thread');
port.on('message', ({ password, hash }: Comparison) => port.postMessage(compareSync(password, hash)));
