/**
 * Text from a trace as one may show it: control characters, and those that turn the direction of what follows, become
 * U+FFFD. What really crossed the wire stands in the bytes beside it.
 */
const UNREADABLE = /[^\P{Cc}\n\r\t]|[\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

const cleanText = (text: string): string => text.replace(UNREADABLE, '\ufffd');

/** The same value, with readable keys and texts all the way down. What has nothing to mend is not copied. */
export const readable = <T>(value: T): T => clean(value) as T;

function clean(value: unknown): unknown {
  if (typeof value === 'string') return cleanText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const items = value.map(clean);
    return items.every((item, index) => item === value[index]) ? value : items;
  }
  const entries = Object.entries(value).map(
    ([key, item]) => [cleanText(key), clean(item)] as const,
  );
  const isSame = Object.entries(value).every(
    ([key, item], index) => entries[index]?.[0] === key && entries[index][1] === item,
  );
  return isSame ? value : Object.fromEntries(entries);
}
