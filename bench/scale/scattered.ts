// Asks for a byte of blobs drawn from very many, so that hardly one was asked for before: each is looked up in the book, and used.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bear, type Borne } from '../rest/wrk.ts';
import { repositories } from './stock.ts';

/** Of those whose numbers are from `first` to `last`. */
export async function askScattered(
  url: string,
  directory: string,
  first: number,
  last: number,
  seconds: number,
): Promise<Borne> {
  const script = join(directory, 'scattered.lua');
  // `hexOf` and `repositoryOf`, as wrk reads them.
  await writeFile(
    script,
    `math.randomseed(1)
    request = function()
      local index = math.random(${first}, ${last})
      local eight = string.format('%08x', (index * 2654435761) % 4294967296)
      local path = string.format('/v2/library/r%d/blobs/sha256:%s', index % ${repositories}, string.rep(eight, 8))
      return wrk.format('GET', path, { Range = 'bytes=0-0' })
    end`,
  );
  return bear(directory, { url, connections: 32, seconds, script });
}
