/**
 * Whether a value is what a Swagger 2.0 document promises. Of the specification this knows what moby's document uses.
 * Reference: https://swagger.io/specification/v2/#schema-object
 */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly required?: readonly string[];
  readonly allOf?: readonly Schema[];
  readonly 'x-nullable'?: boolean;
}

interface Operation {
  readonly responses: Readonly<Record<string, { readonly schema?: Schema }>>;
}

export interface Swagger {
  readonly info: { readonly version: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly definitions: Readonly<Record<string, Schema>>;
}

export const readSwagger = (path: string): Swagger => parse(readFileSync(path, 'utf8')) as Swagger;

const METHODS = ['get', 'head', 'post', 'put', 'delete'];

/** `GET /containers/{id}/json`, all of them. */
export const operationsOf = ({ paths }: Swagger): string[] =>
  Object.entries(paths).flatMap(([path, verbs]) =>
    Object.keys(verbs)
      .filter((verb) => METHODS.includes(verb))
      .map((verb) => `${verb.toUpperCase()} ${path}`),
  );

const typeOf = (value: unknown): string =>
  value === null
    ? 'null'
    : Array.isArray(value)
      ? 'array'
      : Number.isInteger(value)
        ? 'integer'
        : typeof value;

const fits = (type: string, wanted: string): boolean =>
  type === wanted ||
  (wanted === 'number' && type === 'integer') ||
  // A list or map of Go's that has nothing in it may be null.
  (type === 'null' && (wanted === 'array' || wanted === 'object'));

/** What is wrong with the value, a sentence each; nothing when it is right. */
export class Checker {
  readonly #swagger: Swagger;

  constructor(swagger: Swagger) {
    this.#swagger = swagger;
  }

  /** The answer of `GET /containers/{id}/json` and its like. */
  answer(operation: string, status: number, value: unknown): string[] {
    const [verb = '', path = ''] = operation.split(' ');
    const known = this.#swagger.paths[path]?.[verb.toLowerCase()];
    if (!known) return [`${operation} is not in the document`];
    const response = known.responses[String(status)];
    if (!response) return [`${operation}: the status ${status} is not in the document`];
    if (!response.schema || value === undefined) return [];
    return this.#check(response.schema, value, '').map(
      (fault) => `${operation} ${status}: ${fault}`,
    );
  }

  #check(given: Schema, value: unknown, at: string): string[] {
    const schema = this.#resolve(given);
    const type = typeOf(value);
    if (type === 'null' && (schema['x-nullable'] ?? given['x-nullable'])) return [];
    const parts = (schema.allOf ?? []).flatMap((part) => this.#check(part, value, at));
    const wanted = schema.type ?? (schema.properties ? 'object' : undefined);
    if (wanted !== undefined && wanted !== 'file' && !fits(type, wanted))
      return [...parts, `${at || 'it'} is ${type} and not ${wanted}`];
    const allowed = schema.enum?.map((each) => JSON.stringify(each));
    if (allowed && !allowed.includes(JSON.stringify(value)))
      return [...parts, `${at} is ${JSON.stringify(value)}, none of ${allowed.join(', ')}`];
    if (Array.isArray(value)) {
      const { items } = schema;
      if (!items) return parts;
      return [
        ...parts,
        ...value.flatMap((item, index) => this.#check(items, item, `${at}[${index}]`)),
      ];
    }
    if (typeof value === 'object' && value !== null)
      return [...parts, ...this.#object(schema, value as Record<string, unknown>, at)];
    return parts;
  }

  #object(schema: Schema, value: Readonly<Record<string, unknown>>, at: string): string[] {
    const missing = (schema.required ?? [])
      .filter((name) => !(name in value))
      .map((name) => `${at}.${name} is missing`);
    const wrong = Object.entries(value).flatMap(([name, each]) => {
      const property = schema.properties?.[name];
      const other =
        typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined;
      const one = property ?? other;
      return one ? this.#check(one, each, `${at}.${name}`) : [];
    });
    return [...missing, ...wrong];
  }

  #resolve(schema: Schema): Schema {
    if (schema.$ref === undefined) return schema;
    const name = schema.$ref.replace('#/definitions/', '');
    const found = this.#swagger.definitions[name];
    if (!found) throw new Error(`the document has no ${name}`);
    return this.#resolve(found);
  }
}
