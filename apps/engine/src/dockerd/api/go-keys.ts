/**
 * Go reads the keys of JSON without regard to case, so clients write them as they like: `name` for `Name`. The keys that
 * a schema knows are brought into its own spelling before it is asked. Reference: https://pkg.go.dev/encoding/json#Unmarshal
 */
import * as z from 'zod';

/** What is wrapped (nullable, optional, with a default, transformed) is looked through. */
const unwrapped = (schema: z.core.$ZodType): z.core.$ZodType => {
  for (let inner = schema; ;) {
    if (inner instanceof z.ZodPipe) {
      // z.preprocess begins with a function.
      inner = inner.def.in instanceof z.ZodTransform ? inner.def.out : inner.def.in;
    } else if (
      inner instanceof z.ZodNullable ||
      inner instanceof z.ZodOptional ||
      inner instanceof z.ZodDefault
    ) {
      inner = inner.def.innerType;
    } else return inner;
  }
};

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const withKnownKeys = (schema: z.core.$ZodType, value: unknown): unknown => {
  const known = unwrapped(schema);
  if (known instanceof z.ZodIntersection) {
    return withKnownKeys(known.def.right, withKnownKeys(known.def.left, value));
  }
  if (known instanceof z.ZodArray && Array.isArray(value)) {
    return value.map((each) => withKnownKeys(known.def.element, each));
  }
  if (known instanceof z.ZodRecord && isMap(value)) {
    // The keys are data: names of networks, labels.
    return Object.fromEntries(
      Object.entries(value).map(([key, each]) => [key, withKnownKeys(known.def.valueType, each)]),
    );
  }
  if (!(known instanceof z.ZodObject) || !isMap(value)) return value;
  const { shape } = known.def;
  const spelling = new Map(Object.keys(shape).map((key) => [key.toLowerCase(), key]));
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => {
      const name = Object.hasOwn(shape, key) ? key : (spelling.get(key.toLowerCase()) ?? key);
      const part = Object.hasOwn(shape, name) ? shape[name] : undefined;
      return [name, part ? withKnownKeys(part, each) : each];
    }),
  );
};
