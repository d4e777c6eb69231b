/**
 * Fields of a request as Go reads them: clients send `null` for every empty list, map or pointer, so `null` means
 * "not given", and what is not given has Go's zero value. Reference: https://pkg.go.dev/encoding/json#Unmarshal
 */
import * as z from 'zod';

/** A value that may be missing or null, and then is `fallback`. */
export const or = <T extends z.ZodType>(schema: T, fallback: z.output<T>) =>
  schema.nullish().transform((value): z.output<T> => value ?? fallback);

export const text = or(z.string(), '');
export const flag = or(z.boolean(), false);
export const integer = or(z.number().int(), 0);
export const texts = or(z.array(z.string()), []);
export const textMap = or(z.record(z.string(), z.string()), {});
export const set = or(z.record(z.string(), z.unknown()), {});
export const optionalInteger = or(z.number().int().nullable(), null);
/** `Cmd` and `Entrypoint` are a list, or in old clients one string. */
export const command = z
  .union([z.array(z.string()), z.string().transform((word) => [word])])
  .nullish()
  .transform((words) => words ?? null);
/** Height and width of a client's terminal. */
export const consoleSize = or(z.array(z.number().int().min(0)).length(2), [0, 0]);
