// What stands between a client and the link in one measurement, and the ways in which that can be.

export interface Server {
  readonly url: string;
  /** undefined for none: the client pulls over the link itself. */
  readonly pid: number | undefined;
  stop(): Promise<unknown>;
}

export interface Kind {
  readonly name: string;
  /** What sampan is measured beside, but not by: fewer rounds will do. */
  readonly peer: boolean;
  /** Why this machine cannot run it. */
  readonly missing: string | undefined;
  /** Cold: with nothing but an empty directory and the URL of its upstream. */
  start(directory: string, upstream: string): Promise<Server>;
}
