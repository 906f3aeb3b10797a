// The attack table against the real app.
import { patient } from '../conformance/attack-lab.ts';
import { allWays, describeAttacks } from '../conformance/attacks.ts';
import { passwords } from './attack-passwords.ts';
import { openApp } from './real-app.ts';

describeAttacks(
  'the Node server',
  // Who says from where an attack comes is believed.
  (settings) => openApp({ ...patient(settings), trusted_proxies: ['127.0.0.1'] }),
  { ways: { ...allWays, 'our credentials for accounts with passwords of a file': passwords } },
);
