// What is told of an upstream that answers, but not with what was asked for.
import { RegistryError } from '../oci/errors.ts';

/** `what`: goes on after "the upstream". */
export function wrong(what: string): RegistryError {
  return new RegistryError('UNAVAILABLE', `the upstream ${what}`, { status: 502 });
}
