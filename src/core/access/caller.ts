// Who asks.

export interface Caller {
  /** The client's IP address, as text; IPv4-mapped IPv6 addresses in their IPv4 form. Empty for sampan itself. */
  readonly address: string;
  /** The client's own `Authorization` header. It goes to the registry only and is never kept. */
  readonly authorization?: string;
}

/** Nobody in particular: what is asked in this name is what everyone may know. */
export const anonymous: Caller = { address: '' };
