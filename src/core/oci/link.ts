// The Link header of a list that goes on (distribution-spec, "Listing Tags").

/** What a client asked, as far as its next page must be asked in the same way. Both are validated and safe to reflect. */
export interface Self {
  /** The path in the client's own layout, decoded. */
  readonly path: string;
  /** The `ns` that came along, or undefined. */
  readonly ns: string | undefined;
}

/** `query` comes from an upstream: it is taken apart and put together again, so that it cannot end the header or the link. */
export function linkToNext(self: Self, query: string): string {
  const parameters = new URLSearchParams(query);
  parameters.delete('ns');
  if (self.ns !== undefined) parameters.set('ns', self.ns);
  return `<${self.path}?${parameters.toString()}>; rel="next"`;
}
