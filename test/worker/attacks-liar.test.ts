// A registry that lies, beside a good one, before the Worker.
import { describeLiar } from '../conformance/attack-liar.ts';
import { openWaiting } from './attacked.ts';

describeLiar('the Worker', openWaiting);
