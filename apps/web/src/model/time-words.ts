/** Times and sizes as one says them. */
import { t } from '../messages/catalogue.ts';

/** `38.2 ms`, `640 µs`, `2.41 s`: three digits that matter. */
export const durationWords = (ns: number): string => {
  if (ns < 1_000) return `${Math.round(ns)} ns`;
  if (ns < 1_000_000) return `${digits(ns / 1_000)} µs`;
  if (ns < 1_000_000_000) return `${digits(ns / 1_000_000)} ms`;
  return `${digits(ns / 1_000_000_000)} s`;
};

/** Since the first event, always in the same unit so that two of them compare at a glance: `38.214`. */
export const offsetMs = (ns: number): string => (Math.max(0, ns) / 1_000_000).toFixed(1);

export const sizeWords = (bytes: number): string => {
  if (bytes < 1024) return t().units.bytes(bytes);
  if (bytes < 1024 * 1024) return `${digits(bytes / 1024)} KiB`;
  return `${digits(bytes / 1024 / 1024)} MiB`;
};

const digits = (value: number): string =>
  value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : value.toFixed(0);
