// What this very process is called in `Via`: never another's, and tells nobody where it runs (RFC 9110, section 7.6.3).
import { randomBytes } from 'node:crypto';

export const pseudonym = `sampan-${randomBytes(6).toString('hex')}`;
