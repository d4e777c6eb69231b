/** `--log-opt` of the json-file driver. Upstream: moby daemon/logger/jsonfilelog. */
import { EngineError } from '../../protocol/errdefs.ts';

/** When a log is followed by a new one, and how many there may be. */
export interface Rotation {
  readonly maxBytes: number;
  readonly maxFiles: number;
}

const SIZE = /^(\d+(?:\.\d+)?) ?([kmgtp]?)b?$/i;
const UNITS = 'kmgtp';

const refuse = (sentence: string): never => {
  throw new EngineError('invalid_argument', sentence);
};

/** `10m` is ten million bytes, as Docker counts here. */
const parseSize = (text: string): number => {
  const match = SIZE.exec(text);
  if (!match) return refuse(`invalid size: '${text}'`);
  const unit = (match[2] ?? '').toLowerCase();
  return Number(match[1]) * 1000 ** (unit === '' ? 0 : UNITS.indexOf(unit) + 1);
};

export const parseLogOptions = (options: Readonly<Record<string, string>>): Rotation => {
  for (const [name, value] of Object.entries(options)) {
    const isSaid = ['max-size', 'max-file'].includes(name);
    // What these say is what happens anyway.
    const isDefault =
      (name === 'mode' && value === 'blocking') || (name === 'compress' && value === 'false');
    if (isSaid || isDefault) continue;
    if (
      [
        'mode',
        'max-buffer-size',
        'compress',
        'labels',
        'labels-regex',
        'env',
        'env-regex',
        'tag',
      ].includes(name)
    ) {
      refuse(`the log option ${name}=${value} is not supported by this daemon yet`);
    }
    refuse(`unknown log opt '${name}' for json-file log driver`);
  }
  const { 'max-size': size = '-1', 'max-file': files = '1' } = options;
  const maxBytes = size === '-1' ? Infinity : parseSize(size);
  if (maxBytes <= 0) refuse('max-size must be a positive number');
  if (!/^\d+$/.test(files)) refuse(`strconv.Atoi: parsing "${files}": invalid syntax`);
  const maxFiles = Number(files);
  if (maxFiles < 1) refuse('max-file cannot be less than 1');
  return { maxBytes, maxFiles };
};
