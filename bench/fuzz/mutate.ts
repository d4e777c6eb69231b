/** From good input to almost good input: what finds more than noise does, because it gets past the first check. */
import fc from 'fast-check';

/** A place in something whose length is not known yet. */
const somewhere = fc.nat(0xffff);
const at = (place: number, length: number): number => (length === 0 ? 0 : place % length);

type Mutation = (bytes: Buffer) => Buffer;

/** Values at which checks of bounds go wrong. */
const LENGTHS = [0, 1, 0x7f, 0x80, 0xff, 0xffff, 0x400000, 0x400001, 0x7fffffff, 0xffffffff];

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.tuple(somewhere, fc.nat(255)).map(([place, byte]): Mutation => (bytes) => {
    if (bytes.length > 0) bytes[at(place, bytes.length)] = byte;
    return bytes;
  }),
  fc.tuple(somewhere, fc.constantFrom(...LENGTHS)).map(([place, value]): Mutation => (bytes) => {
    if (bytes.length >= 4) bytes.writeUInt32BE(value, at(place, bytes.length - 3));
    return bytes;
  }),
  fc
    .tuple(somewhere, fc.uint8Array({ maxLength: 32 }))
    .map(([place, more]): Mutation => (bytes) => {
      const where = at(place, bytes.length + 1);
      return Buffer.concat([bytes.subarray(0, where), more, bytes.subarray(where)]);
    }),
  somewhere.map(
    (place): Mutation =>
      (bytes) =>
        bytes.subarray(0, at(place, bytes.length + 1)),
  ),
  fc.tuple(somewhere, somewhere).map(([from, length]): Mutation => (bytes) => {
    const begin = at(from, bytes.length);
    const part = bytes.subarray(begin, begin + at(length, 512));
    return Buffer.concat([bytes.subarray(0, begin), part, bytes.subarray(begin)]);
  }),
);

/** Bytes that were one of the samples before something happened to them; sometimes pure noise. */
export const mutatedBytes = (...samples: readonly Uint8Array[]): fc.Arbitrary<Buffer> =>
  fc.oneof(
    {
      weight: 9,
      arbitrary: fc
        .tuple(fc.constantFrom(...samples), fc.array(mutation, { maxLength: 6 }))
        .map(([sample, mutations]) =>
          mutations.reduce<Buffer>((bytes, mutate) => mutate(bytes), Buffer.from(sample)),
        ),
    },
    {
      weight: 1,
      arbitrary: fc.uint8Array({ maxLength: 256 }).map((bytes) => Buffer.from(bytes)),
    },
  );

/** The bytes as a stream brings them: in pieces that know nothing of what is in them. */
export const pieces = (bytes: Buffer, cuts: readonly number[]): readonly Buffer[] => {
  const places = [0, ...cuts.map((cut) => at(cut, bytes.length + 1)), bytes.length];
  places.sort((one, other) => one - other);
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
};
export const cuts: fc.Arbitrary<number[]> = fc.array(somewhere, { maxLength: 5 });

const deep = (depth: number): unknown => {
  let value: unknown = 0;
  for (let level = 0; level < depth; level += 1) value = level % 2 ? [value] : { a: value };
  return value;
};

/** What a JSON document may hold where something else was expected. */
const oddValue: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    ...[null, true, false, 0, -1, 1e308, -1e308, 2 ** 53, 2 ** 31, 0.5, 4294967296],
    ...['', '\0', '/', '..', '../../etc/passwd', '__proto__', 'constructor', '\ud800', '%00'],
    ...['x'.repeat(5000), '9'.repeat(400), '/a'.repeat(500), '${HOME}', '-1', 'NaN', 'all'],
    ...[[], {}, [[]], [null], { length: -1 }, { toString: 1 }, deep(300)],
  ),
  fc.jsonValue({ maxDepth: 3 }),
);

/** Every place in a document, as the way that leads to it. */
const waysIn = (value: unknown, way: readonly string[] = []): (readonly string[])[] =>
  typeof value === 'object' && value !== null
    ? [way, ...Object.entries(value).flatMap(([key, inner]) => waysIn(inner, [...way, key]))]
    : [way];

/** The document with something else at the end of the way; a missing value removes what was there. */
const replaced = (value: unknown, [key, ...rest]: readonly string[], by: unknown): unknown => {
  if (key === undefined) return by;
  if (typeof value !== 'object' || value === null) return by;
  const copy: Record<string, unknown> | unknown[] = Array.isArray(value)
    ? [...value]
    : { ...value };
  const inner = replaced(Reflect.get(value, key), rest, by);
  if (inner === undefined) Reflect.deleteProperty(copy, key);
  else if (Array.isArray(copy)) Reflect.set(copy, /^\d{1,4}$/.test(key) ? key : copy.length, inner);
  // Not by assignment: `__proto__` is a name like any other.
  else
    Object.defineProperty(copy, key, {
      value: inner,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  return copy;
};

/** A JSON document that was one of the samples before some of its values were changed, removed or added. */
export const mutatedJson = (...samples: readonly unknown[]): fc.Arbitrary<unknown> =>
  fc.oneof(
    {
      weight: 9,
      arbitrary: fc
        .tuple(
          fc.constantFrom(...samples),
          fc.array(
            fc.tuple(somewhere, fc.option(oddValue, { nil: undefined }), fc.option(fc.string())),
            { maxLength: 4 },
          ),
        )
        .map(([sample, changes]) =>
          changes.reduce<unknown>((document, [place, by, added]) => {
            const ways = waysIn(document);
            const way = ways[at(place, ways.length)] ?? [];
            return replaced(document, added === null ? way : [...way, added], by) ?? null;
          }, sample),
        ),
    },
    { weight: 1, arbitrary: oddValue },
  );
