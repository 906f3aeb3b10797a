// The attack table against the real app.
import { patient } from '../conformance/attack-lab.ts';
import { describeAttacks } from '../conformance/attacks.ts';
import { openApp } from './real-app.ts';

// Who says from where an attack comes is believed.
describeAttacks('the Node server', (settings) => openApp({ ...patient(settings), trusted_proxies: ['127.0.0.1'] }));
