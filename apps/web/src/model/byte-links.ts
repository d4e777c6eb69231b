/**
 * Which bytes of a message are which field. Works for JSON and for protobuf alike, because both write texts down as
 * they are: the field's value is looked for in the raw bytes, each one behind the one found before it.
 */
export interface ByteLink {
  /** Path of the field: `HostConfig.Memory`. */
  readonly path: string;
  readonly start: number;
  readonly end: number;
}

const SHORTEST = 2;
const FIELD_LIMIT = 400;

export const bytesOf = (base64: string): Uint8Array => {
  try {
    return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  } catch {
    return new Uint8Array();
  }
};

export const linkBytes = (body: unknown, bytes: Uint8Array): readonly ByteLink[] => {
  // One character for each byte, so that positions in the text are positions in the bytes.
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  const links: ByteLink[] = [];
  let from = 0;
  for (const [path, value] of leaves(body, '', FIELD_LIMIT)) {
    const needle = typeof value === 'string' ? utf8(value) : String(value);
    if (needle.length < SHORTEST) continue;
    let start = text.indexOf(needle, from);
    if (start === -1) start = text.indexOf(needle);
    if (start === -1) continue;
    links.push({ path, start, end: start + needle.length });
    from = start + needle.length;
  }
  return links;
};

const utf8 = (text: string): string =>
  Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join('');

/** Every text and number of the message with its path. */
function leaves(value: unknown, path: string, limit: number): [string, string | number][] {
  if (typeof value === 'string' || typeof value === 'number') return [[path, value]];
  if (typeof value !== 'object' || value === null) return [];
  const found: [string, string | number][] = [];
  for (const [key, child] of Object.entries(value)) {
    found.push(...leaves(child, path === '' ? key : `${path}.${key}`, limit - found.length));
    if (found.length >= limit) break;
  }
  return found;
}
