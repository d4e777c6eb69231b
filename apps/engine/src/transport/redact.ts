/**
 * Secrets are blanked before a message enters the trace: the page may be on a projector.
 * The rule is by name, as people name secrets; the length of the blank says nothing.
 */
const SECRET_NAME =
  /pass(word|wd|phrase)|secret|token|credential|api_?key|private_?key|^auth$|registry.?auth/i;
const BLANK = '•••';
const ENVIRONMENT_ENTRY = /^([A-Za-z_][A-Za-z0-9_.-]*)=(.+)$/s;

const blankValue = (value: unknown, found: string[]): unknown => {
  if (typeof value !== 'string' || value === '') return value;
  found.push(value);
  return BLANK;
};

/** A copy without secrets; each one that was blanked is added to `found`. */
export const redact = (value: unknown, found: string[]): unknown => {
  if (typeof value === 'string') {
    const [, name, secret] = ENVIRONMENT_ENTRY.exec(value) ?? [];
    if (!name || !secret || !SECRET_NAME.test(name)) return value;
    found.push(secret);
    return `${name}=${BLANK}`;
  }
  if (Array.isArray(value)) return value.map((item) => redact(item, found));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      SECRET_NAME.test(key) && typeof item === 'string'
        ? blankValue(item, found)
        : redact(item, found),
    ]),
  );
};

/** The same secrets in the bytes as they travelled, overwritten by stars of the same length. */
export const redactBytes = (bytes: Uint8Array, secrets: readonly string[]): Uint8Array => {
  if (secrets.length === 0) return bytes;
  const copy = Buffer.from(bytes);
  for (const secret of secrets) {
    // As it stands, and as JSON escapes it.
    for (const form of new Set([secret, JSON.stringify(secret).slice(1, -1)])) {
      const needle = Buffer.from(form);
      for (let at = copy.indexOf(needle); at >= 0; at = copy.indexOf(needle, at + needle.length))
        copy.fill('*', at, at + needle.length);
    }
  }
  return copy;
};
