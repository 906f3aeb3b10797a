// The Warning header as podman, skopeo and buildah read it (containers/image, parseRegistryWarningHeader): each field by itself.

/** The text; undefined for what they leave out without a word. */
export function warningRead(field: string): string | undefined {
  const [, text] = /^299 - "([^]*)"$/.exec(field) ?? [];
  if (text === undefined) return undefined;
  let read = '';
  let escaping = false;
  for (const byte of Buffer.from(text, 'latin1')) {
    const letter = String.fromCharCode(byte);
    if (byte === 0x7f || (byte < 0x20 && letter !== '\t')) return undefined;
    if (!escaping && letter === '"') return undefined;
    if (!escaping && letter === '\\') {
      escaping = true;
      continue;
    }
    escaping = false;
    read += letter;
  }
  return escaping ? undefined : read;
}

/** The fields of that name as they came, one after the other: Node's own view makes one of them. */
export function fieldsOf(rawHeaders: readonly string[], name: string): readonly string[] {
  return rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === name);
}
