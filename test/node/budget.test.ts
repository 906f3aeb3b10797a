// A registry that counts, before the Node server.
import { describeBudget } from '../conformance/budget.ts';
import { openApp } from './real-app.ts';

describeBudget('the Node server behind a registry that counts', openApp);
