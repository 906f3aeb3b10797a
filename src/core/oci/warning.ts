// The Warning header of replies (distribution-spec, "Warnings"), in the one form that clients read.
import { quote } from './field.ts';

/** With what else a reply may warn of, this stays below the 4096 bytes that the specification allows. */
const longest = 1500;

/** Each is a field of its own, because no client takes a list apart. */
export function warningOf(text: string): string {
  return `299 - ${quote(text.slice(0, longest))}`;
}
