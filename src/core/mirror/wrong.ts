// What is told of an upstream that answers, but not with what was asked for.
import { RegistryError } from '../oci/errors.ts';

/** The bytes of the blob themselves are in doubt, or how many there are. */
export class Wrong extends RegistryError {}

/** `what`: goes on after "the upstream". */
export function wrong(what: string): Wrong {
  return new Wrong('UNAVAILABLE', `the upstream ${what}`, { status: 502 });
}
