// Real clients log in to sampan as people run it.
import { describeLogins } from './logins.ts';
import { startSampan } from './sampan.ts';

describeLogins('a login', async (directory, registries, settings) => {
  const sampan = await startSampan(directory, registries, settings);
  return {
    address: sampan.url.replace('http://', ''),
    get output() {
      return sampan.output;
    },
    stop: () => sampan.stop(),
  };
});
