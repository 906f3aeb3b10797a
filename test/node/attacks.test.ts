// The attack table against the real app.
import { patient } from '../conformance/attack-lab.ts';
import { describeAttacks } from '../conformance/attacks.ts';
import { openApp } from './real-app.ts';

describeAttacks('the Node server', (settings) => openApp(patient(settings)));
