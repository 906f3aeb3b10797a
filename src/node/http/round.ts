// Answers that are found in the same round of the event loop go out together, at its end. To send them one by one means to wake a reader
// on this machine (a client, a reverse proxy) each time anew, and that costs as much as the sending: one processor interrupts another,
// through the hypervisor where there is one.

export class Round {
  #end: Promise<void> | undefined;

  /** Resolves when all that is there to be read has been read. */
  end(): Promise<void> {
    this.#end ??= new Promise((resolve) => {
      setImmediate(() => {
        this.#end = undefined;
        resolve();
      });
    });
    return this.#end;
  }
}
