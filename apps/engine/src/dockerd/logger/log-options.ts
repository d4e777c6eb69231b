/** `--log-opt` of the drivers json-file and local. Upstream: moby daemon/logger/{jsonfilelog,local}. */
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

/** What Docker knows of json-file, and we do not do. */
const UNSUPPORTED = [
  'mode',
  'max-buffer-size',
  'compress',
  'labels',
  'labels-regex',
  'env',
  'env-regex',
  'tag',
];

const checkNames = (driver: string, options: Readonly<Record<string, string>>): void => {
  for (const [name, value] of Object.entries(options)) {
    const isSaid = ['max-size', 'max-file'].includes(name);
    // What these say is what happens anyway.
    const isDefault =
      (name === 'mode' && value === 'blocking') || (name === 'compress' && value === 'false');
    if (isSaid || isDefault) continue;
    const isKnown =
      driver === 'local'
        ? ['mode', 'max-buffer-size', 'compress'].includes(name)
        : UNSUPPORTED.includes(name);
    if (isKnown) refuse(`the log option ${name}=${value} is not supported by this daemon yet`);
    refuse(
      driver === 'local'
        ? `unknown log opt '${name}' for log driver local`
        : `unknown log opt '${name}' for json-file log driver`,
    );
  }
};

/** A log of `local` is never without bounds. */
const DEFAULTS = {
  'json-file': { size: '-1', files: '1' },
  local: { size: '20m', files: '5' },
} as const;

export const parseLogOptions = (
  driver: string,
  options: Readonly<Record<string, string>>,
): Rotation => {
  const defaults = driver === 'local' ? DEFAULTS.local : DEFAULTS['json-file'];
  const { 'max-size': size = defaults.size, 'max-file': files = defaults.files } = options;
  // The client refuses options for no log at all.
  if (driver === 'none') return { maxBytes: Infinity, maxFiles: 1 };
  checkNames(driver, options);
  const maxBytes = size === '-1' && driver !== 'local' ? Infinity : parseSize(size);
  if (maxBytes <= 0) refuse('max-size must be a positive number');
  if (!/^\d+$/.test(files)) refuse(`strconv.Atoi: parsing "${files}": invalid syntax`);
  const maxFiles = Number(files);
  if (maxFiles < 1) refuse('max-file cannot be less than 1');
  return { maxBytes, maxFiles };
};
