// Whether somebody may pull something, as far as that can be told without asking anybody.

/** A repository is public: an anonymous request for an object of it was answered 200. */
export interface Verdict {
  /** When that was; milliseconds since 1970. */
  readonly asOf: number;
}
