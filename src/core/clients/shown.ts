// What of a diff is for people's eyes: not the secrets that stand near what is changed.
import { redact } from '../oci/redact.ts';

// Of JSON, TOML, YAML and environment files, to the end of the line, whatever the value looks like.
const secret =
  /((?:^|[^\w-])["']?(?:[\w-]*(?:password|passwd|secret|token)[\w-]*|auth)["']?[ \t]*[:=][ \t]*)(?=\S)(?![{[]\s*$).+/gim;

/** The text of a diff without passwords, tokens and what else lets somebody in. */
export function withoutSecrets(text: string): string {
  return redact(text).replace(secret, '$1…');
}
