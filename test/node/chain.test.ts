// The real app behind another one that is closed to strangers.
import { describeChain } from '../conformance/chain.ts';
import { openApp } from './real-app.ts';

describeChain('the Node server behind another one', openApp, openApp);
