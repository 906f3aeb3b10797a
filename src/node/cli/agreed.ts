// Asks whoever sits at the terminal before something of the machine is changed.
import { createInterface } from 'node:readline/promises';

/** Undefined if nobody is there to be asked. */
export async function agreed(question: string): Promise<boolean | undefined> {
  if (!process.stdin.isTTY) return undefined;
  const asking = createInterface({ input: process.stdin, output: process.stdout });
  // Ctrl-D, or the end of the input, is no yes.
  const ended = new Promise<string>((resolve) => asking.once('close', () => resolve('')));
  const answer = await Promise.race([asking.question(`\n${question} [y/N] `), ended]);
  asking.close();
  return /^y(?:es)?$/i.test(answer.trim());
}
