// Text that leaves for Sentry: without secrets, and no longer than anybody reads.
import { redact } from '../oci/redact.ts';

const longest = 2000;

export function clean(text: string): string {
  const cleaned = redact(text);
  return cleaned.length > longest ? `${cleaned.slice(0, longest)}…` : cleaned;
}
