// A kind of request that the Worker's time is measured for.
export interface Kind {
  readonly name: string;
  /** GET if there is none. */
  readonly method?: string;
  /** Of the `at`th request. */
  readonly target: (at: number) => string;
  readonly headers?: Readonly<Record<string, string>>;
}
