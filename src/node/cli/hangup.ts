// SIGHUP means two things: whoever runs sampan wants it to read its configuration anew, or its terminal was closed.
import { closeSync, openSync } from 'node:fs';

/** `reload` is called for the first; the second stops sampan like any other signal to stop. */
export function onHangup(reload: () => void): void {
  process.on('SIGHUP', () => {
    if (process.stdin.isTTY && isTerminalGone()) process.kill(process.pid, 'SIGTERM');
    else reload();
  });
}

/** One that hangs up can no longer be opened. */
function isTerminalGone(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return false;
  } catch {
    return true;
  }
}
