// One line of an access log, as docker-registry and nginx both write it (Apache's combined format).
export interface Access {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  /** Of the body. */
  readonly bytes: number;
}

const line = /"([A-Z]+) (\S+) HTTP\/[\d.]+" (\d{3}) (\d+)/;

export function parseAccessLog(text: string): Access[] {
  return text.split('\n').flatMap((each) => {
    const [, method, path, status, bytes] = line.exec(each) ?? [];
    return method === undefined || path === undefined
      ? []
      : [{ method, path, status: Number(status), bytes: Number(bytes) }];
  });
}
