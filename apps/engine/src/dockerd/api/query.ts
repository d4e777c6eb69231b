/** The query of a request as Docker reads it. Upstream: moby daemon/server/httputils/form.go. */
import { parseFilters, type Filters } from '../../protocol/docker-engine-api/filters.ts';
import { EngineError } from '../../protocol/errdefs.ts';

const FALSE = new Set(['', '0', 'no', 'false', 'none']);

export class Query {
  readonly #values: URLSearchParams;

  constructor(url: string) {
    const mark = url.indexOf('?');
    this.#values = new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1));
  }

  text(name: string): string {
    return this.#values.get(name) ?? '';
  }

  all(name: string): string[] {
    return this.#values.getAll(name);
  }

  /** Anything but nothing, 0, no, false and none is yes. */
  flag(name: string): boolean {
    return !FALSE.has(this.text(name).trim().toLowerCase());
  }

  /** Null when it is not given. */
  integer(name: string): number | null {
    const text = this.text(name);
    if (text === '') return null;
    const value = Number(text);
    if (Number.isSafeInteger(value)) return value;
    throw new EngineError('invalid_argument', `strconv.Atoi: parsing "${text}": invalid syntax`);
  }

  /** Seconds since 1970, with a fraction, or RFC 3339. 0 when it is not given. */
  time(name: string): number {
    const text = this.text(name);
    if (text === '') return 0;
    const seconds = /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : Date.parse(text) / 1000;
    if (Number.isFinite(seconds)) return seconds;
    throw new EngineError('invalid_argument', `invalid value for ${name}: "${text}"`);
  }

  filters(): Filters {
    const filters = parseFilters(this.text('filters'));
    if (filters) return filters;
    throw new EngineError('invalid_argument', 'invalid filter');
  }
}
