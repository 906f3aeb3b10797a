// The attack table against the door and the mirror alone, where it can be seen what an attack sets off.
import { forgeries, patient } from '../../conformance/attack-lab.ts';
import { describeAttacks } from '../../conformance/attacks.ts';
import { ways } from '../../conformance/attack-ways.ts';
import { openSpied } from './spied.ts';

// Another one before it is reached by HTTP.
const { 'another sampan before this one': _, ...here } = ways;

describeAttacks('the door', (settings) => openSpied(patient(settings)), { ways: here, forgeries });
