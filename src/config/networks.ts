// Networks of clients, as several keys name them.
import { type Network, parseNetwork } from '../core/access/networks.ts';
import { list, value } from './fields.ts';

const network = value('an IP network, such as 10.0.0.0/8, or an IP address', (found): Network | undefined => {
  try {
    return typeof found === 'string' ? parseNetwork(found) : undefined;
  } catch {
    return undefined;
  }
});

export const someNetworks = list(network, 'IP networks').min(1, { error: 'at least one IP network' });
