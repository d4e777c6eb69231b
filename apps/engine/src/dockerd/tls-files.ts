/**
 * `--tls`, `--tlsverify`, `--tlscacert`, `--tlscert`, `--tlskey`: who we are, and whether a client must say who it is.
 * Upstream: moby daemon/command/options.go, docker/go-connections tlsconfig.
 */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createSecureContext, type TlsOptions } from 'node:tls';
import { EngineError, messageOf } from '../protocol/errdefs.ts';

export interface TlsFlags {
  /** Undefined where the flag was not given. */
  readonly tls: boolean | undefined;
  readonly tlsverify: boolean | undefined;
  readonly tlscacert: string | undefined;
  readonly tlscert: string | undefined;
  readonly tlskey: string | undefined;
}

export interface TlsSettings {
  readonly options: TlsOptions;
  /** Without a certificate that our authority has signed nobody comes in. */
  readonly verifiesClients: boolean;
}

const { env } = process;

/** `--tlsverify`, even `--no-tlsverify`, means TLS; TLS means to verify, unless it was denied. */
export const wantsTls = ({ tls, tlsverify }: Pick<TlsFlags, 'tls' | 'tlsverify'>): boolean =>
  tlsverify !== undefined || tls === true || (env['DOCKER_TLS_VERIFY'] ?? '') !== '';

const read = (path: string, complain: (error: unknown) => EngineError): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw complain(error);
  }
};

/** Null where TLS is not asked for. The files are read once, at the start. */
export const tlsSettings = (flags: TlsFlags): TlsSettings | null => {
  if (!wantsTls(flags)) return null;
  const folder =
    env['DOCKER_CERT_PATH'] || env['DOCKER_CONFIG'] || join(env['HOME'] || homedir(), '.docker');
  const certFile = flags.tlscert ?? join(folder, 'cert.pem');
  const keyFile = flags.tlskey ?? join(folder, 'key.pem');
  const caFile = flags.tlscacert ?? join(folder, 'ca.pem');
  const verifiesClients = flags.tlsverify ?? true;
  const noPair = (error: unknown): EngineError =>
    new EngineError(
      'invalid_argument',
      `could not load X509 key pair (cert: "${certFile}", key: "${keyFile}"): ${messageOf(error)}`,
      { cause: error },
    );
  const noAuthority = (error: unknown): EngineError =>
    new EngineError(
      'invalid_argument',
      `could not read CA certificate "${caFile}": ${messageOf(error)}`,
      { cause: error },
    );
  const pair = { cert: read(certFile, noPair), key: read(keyFile, noPair) };
  const authority = verifiesClients ? { ca: read(caFile, noAuthority) } : {};
  try {
    // A key that does not fit its certificate is found here and not by the first client.
    createSecureContext({ ...pair, ...authority });
  } catch (error) {
    throw noPair(error);
  }
  return {
    verifiesClients,
    options: {
      ...pair,
      ...authority,
      minVersion: 'TLSv1.2',
      requestCert: verifiesClients,
      rejectUnauthorized: verifiesClients,
    },
  };
};
