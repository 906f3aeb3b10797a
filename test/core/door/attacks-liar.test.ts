// A registry that lies, beside a good one, before the door and the mirror alone.
import { patient } from '../../conformance/attack-lab.ts';
import { describeLiar } from '../../conformance/attack-liar.ts';
import { openSpied } from './spied.ts';

describeLiar('the door', (settings) => openSpied(patient(settings)));
