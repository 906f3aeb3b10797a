// The ways in which files are sent: what holds of one holds of each.
import { openSendfile, type Sendfile } from '../../../src/node/http/sendfile.ts';

export interface Way {
  readonly way: string;
  readonly sendfile: Sendfile | undefined;
}

const buffers: Way = { way: 'through buffers', sendfile: undefined };

/** Where there is no sendfile, there is one way. */
export const ways: readonly Way[] = await openSendfile().then(
  (sendfile) => [buffers, { way: 'by sendfile', sendfile }],
  () => [buffers],
);
