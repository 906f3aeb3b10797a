// Real clients log in to the Worker, in a workerd on loopback.
import { startEdge } from '../worker/edge.ts';
import { describeLogins } from './logins.ts';

describeLogins('a login at the Worker', async (_, registries, settings) => {
  const edge = await startEdge(JSON.parse(JSON.stringify({ catalogue: false, registries, ...settings })));
  return {
    address: edge.url.host,
    get output() {
      return edge.log.join('\n');
    },
    stop: () => edge.close(),
  };
});
