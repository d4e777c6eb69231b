/**
 * How a value from elsewhere is read: by a shape, which gives it back or says where it is wrong. Written for trace events,
 * of which the lab reads a hundred for each `docker run`: nothing is copied that needs no change. The page reads with the
 * same shapes; a schema library would weigh more than the page.
 */

/** Gives the value back, or a copy without what the shape does not name. Throws a `Mismatch`. */
export type Shape<T> = (value: unknown) => T;

/** What is wrong, and where: `emitter.pid: is not a whole number`. */
export class Mismatch extends Error {
  /** From the outermost part to the one that is wrong. */
  readonly path: string[];

  constructor(problem: string, path: string[] = []) {
    super(problem);
    this.path = path;
  }

  override toString(): string {
    return this.path.length === 0 ? this.message : `${this.path.join('.')}: ${this.message}`;
  }
}

/** A shape that changes nothing. */
export const only =
  <T>(isRight: (value: unknown) => boolean, problem: string): Shape<T> =>
  (value) => {
    if (!isRight(value)) throw new Mismatch(problem);
    return value as T;
  };

/** No text of the engine is longer, and whoever reads a file of somebody else's need not take more. */
export const TEXT_MAX = 1_000_000;
export const LIST_MAX = 10_000;

export const text = (most = TEXT_MAX, least = 0): Shape<string> =>
  only(
    (value) => typeof value === 'string' && value.length <= most && value.length >= least,
    `is not a text of ${least} to ${most} characters`,
  );

export const textLike = (pattern: RegExp): Shape<string> =>
  only(
    (value) => typeof value === 'string' && pattern.test(value),
    `does not look like ${pattern.source}`,
  );

export const oneOf = <T extends string>(...words: readonly T[]): Shape<T> => {
  const set: ReadonlySet<unknown> = new Set(words);
  return only((value) => set.has(value), `is none of ${words.join(', ')}`);
};

/** From 0. */
export const count = (most = Number.MAX_SAFE_INTEGER): Shape<number> =>
  only(
    (value) => Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= most,
    `is not a whole number from 0 to ${most}`,
  );

export const integer: Shape<number> = only(Number.isSafeInteger, 'is not a whole number');
export const number: Shape<number> = only(Number.isFinite, 'is not a number');
export const flag: Shape<boolean> = only(
  (value) => typeof value === 'boolean',
  'is neither true nor false',
);
export const anything: Shape<unknown> = (value) => value;

export const orNull =
  <T>(shape: Shape<T>): Shape<T | null> =>
  (value) =>
    value === null ? null : shape(value);

export const listOf =
  <T>(item: Shape<T>, most = LIST_MAX): Shape<readonly T[]> =>
  (value) => {
    if (!Array.isArray(value) || value.length > most)
      throw new Mismatch(`is not a list of up to ${most}`);
    let isSame = true;
    const items = value.map((given: unknown, index) => {
      const read = inside(String(index), item, given);
      isSame &&= read === given;
      return read;
    });
    return isSame ? (value as readonly T[]) : items;
  };

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

type OptionalKey<T> = { [K in keyof T]-?: object extends Pick<T, K> ? K : never }[keyof T];
type Fields<T> = { readonly [K in Exclude<keyof T, OptionalKey<T>>]: Shape<T[K]> };
type OptionalFields<T> = { readonly [K in OptionalKey<T>]-?: Shape<Exclude<T[K], undefined>> };

/** An object with these fields, and perhaps those. */
export const object = <T extends object>(
  fields: Fields<T>,
  ...[optional]: OptionalKey<T> extends never ? [] : [OptionalFields<T>]
): Shape<T> => {
  const named = [fields, optional ?? {}].flatMap((some, at) =>
    Object.entries<Shape<unknown>>(some).map(([key, shape]) => ({ key, shape, mayLack: at > 0 })),
  );
  const shapes = new Map(named.map(({ key, shape }) => [key, shape]));
  return (value) => {
    if (!isRecord(value)) throw new Mismatch('is not an object');
    let known = 0;
    let isSame = true;
    for (const { key, shape, mayLack } of named) {
      const item = value[key];
      if (item === undefined && mayLack) continue;
      if (inside(key, shape, item) !== item) isSame = false;
      if (item !== undefined) known++;
    }
    if (isSame && Object.keys(value).length === known) return value as T;
    return Object.fromEntries(
      Object.entries(value).flatMap(([key, item]) => {
        const shape = shapes.get(key);
        return shape ? [[key, shape(item)]] : [];
      }),
    ) as T;
  };
};

const inside = <T>(part: string, shape: Shape<T>, value: unknown): T => {
  try {
    return shape(value);
  } catch (error) {
    if (error instanceof Mismatch) error.path.unshift(part);
    throw error;
  }
};

/** One of several objects, told apart by the word in their `type`. */
export const byType = <T extends { readonly type: string }>(shapes: {
  readonly [K in T['type']]: Shape<Extract<T, { readonly type: K }>>;
}): Shape<T> => {
  const kinds = new Map<unknown, Shape<T>>(Object.entries<Shape<T>>(shapes));
  return (value) => {
    if (!isRecord(value)) throw new Mismatch('is not an object');
    const shape = kinds.get(value['type']);
    if (!shape) throw new Mismatch(`is none of ${[...kinds.keys()].join(', ')}`, ['type']);
    return shape(value);
  };
};
