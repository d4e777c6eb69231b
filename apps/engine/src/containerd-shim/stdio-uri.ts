/**
 * What may stand in a task's stdin, stdout and stderr: a path or a URI.
 *
 *   /path, fifo:///path                a FIFO that the client has made
 *   file:///path                       output is appended to a file
 *   binary:///path?name=value&flag     output goes to a program that reads it
 *
 * Upstream: containerd cmd/containerd-shim-runc-v2/process/io.go (createIO).
 */
import { EngineError } from '../protocol/errdefs.ts';

export type StdioTarget =
  | { readonly kind: 'fifo'; readonly path: string }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'binary'; readonly path: string; readonly args: readonly string[] };

const URI = /^([a-z][a-z0-9+.-]*):\/\/([^?]*)(?:\?(.*))?$/;

export const parseStdio = (text: string): StdioTarget => {
  if (text.startsWith('/')) return { kind: 'fifo', path: text };
  const [, scheme = '', path = '', query = ''] = URI.exec(text) ?? [];
  if (!['fifo', 'file', 'binary'].includes(scheme))
    throw new EngineError('invalid_argument', `unknown STDIO scheme ${JSON.stringify(scheme)}`);
  if (!path.startsWith('/') || path.includes('\0'))
    throw new EngineError(
      'invalid_argument',
      `stdio ${JSON.stringify(text)}: an absolute path is needed`,
    );
  switch (scheme) {
    case 'file':
      return { kind: 'file', path };
    case 'binary':
      return { kind: 'binary', path, args: argumentsIn(query) };
    default:
      return { kind: 'fifo', path };
  }
};

/** `a=1&b` becomes `a 1 b`. */
const argumentsIn = (query: string): readonly string[] =>
  [...new URLSearchParams(query)].flatMap(([name, value]) =>
    value === '' ? [name] : [name, value],
  );
