// What the lab asks of a client that people pull with, whichever it is.

/** Where a client is told to find docker.io. */
export interface Mirror {
  /** `127.0.0.1:5050`; undefined: nowhere, and it goes by docker.io's own hosts. */
  readonly address: string | undefined;
  /** What stands before the repository's name, for clients that cannot send `ns`: `docker.io/`, or nothing for a plain registry. */
  readonly prefix: string;
  /** For HTTP_PROXY and HTTPS_PROXY: where all that is asked of no address of the loopback goes. */
  readonly proxy?: string;
  /** The file of the only CA that the client trusts. */
  readonly ca?: string;
  /** A directory with the `ca.crt` of whom it is to be trusted by https; else it is asked in plain HTTP. */
  readonly trust?: string;
}

export function originOf({ address, trust }: Mirror): string {
  return `${trust === undefined ? 'http' : 'https'}://${address}`;
}

/** What a client has after a pull. */
export interface Pulled {
  /** Digests by which the client knows the image: what the tag named, and where it tells, the platform's manifest. */
  readonly digests: readonly string[];
}

export interface Client {
  readonly name: string;
  /** Programs that it needs. */
  readonly needs: readonly string[];
  /** Pulls `library/x:tag` of docker.io through the mirror, into a store that is new each time, in an empty directory. */
  pull(image: string, mirror: Mirror, directory: string): Promise<Pulled>;
}

export function digestsIn(text: string): string[] {
  return [...new Set(text.match(/sha256:[0-9a-f]{64}/g))];
}

export function wayOf({ proxy, ca }: Mirror): Readonly<Record<string, string>> {
  return {
    ...(proxy !== undefined && { HTTP_PROXY: proxy, HTTPS_PROXY: proxy }),
    ...(ca !== undefined && { SSL_CERT_FILE: ca }),
  };
}
