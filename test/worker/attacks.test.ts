// The attack table against the Worker.
import { describeAttacks } from '../conformance/attacks.ts';
import { openWaiting } from './attacked.ts';

describeAttacks('the Worker', openWaiting);
