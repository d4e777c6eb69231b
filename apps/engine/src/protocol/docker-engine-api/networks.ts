/**
 * `/networks/…`, and a container's networks: what is sent and answered. Names are exactly those of the wire.
 * Reference: https://docs.docker.com/reference/api/engine/version/v1.50/#tag/Network
 */
import * as z from 'zod';
import { flag, integer, or, text, textMap, texts } from './given.ts';

const optionalFlag = or(z.boolean().nullable(), null);

/** What is asked of one network for one container. */
export const EndpointConfig = z.object({
  IPAMConfig: or(
    z.object({ IPv4Address: text, IPv6Address: text, LinkLocalIPs: texts }).nullable(),
    null,
  ),
  Links: texts,
  Aliases: texts,
  DriverOpts: textMap,
  MacAddress: text,
  GwPriority: integer,
});
export type EndpointConfig = z.output<typeof EndpointConfig>;

/** Nothing in particular. */
export const NO_ENDPOINT_CONFIG = EndpointConfig.parse({});

/** `NetworkingConfig` of a new container: by the name of the network. */
export const NetworkingConfig = or(
  z.object({
    EndpointsConfig: or(z.record(z.string(), or(EndpointConfig, NO_ENDPOINT_CONFIG)), {}),
  }),
  { EndpointsConfig: {} },
);
export type NetworkingConfig = z.output<typeof NetworkingConfig>;

const IpamPool = z.object({
  Subnet: text,
  IPRange: text,
  Gateway: text,
  AuxiliaryAddresses: textMap,
});

/** `POST /networks/create`. */
export const NetworkCreateBody = z.object({
  Name: text,
  Driver: text,
  Scope: text,
  Internal: flag,
  Attachable: flag,
  Ingress: flag,
  ConfigOnly: flag,
  EnableIPv4: optionalFlag,
  EnableIPv6: optionalFlag,
  IPAM: or(z.object({ Driver: text, Config: or(z.array(IpamPool), []), Options: textMap }), {
    Driver: '',
    Config: [],
    Options: {},
  }),
  Options: textMap,
  Labels: textMap,
});
export type NetworkCreateBody = z.output<typeof NetworkCreateBody>;

export const NetworkConnectBody = z.object({
  Container: text,
  EndpointConfig: or(EndpointConfig, NO_ENDPOINT_CONFIG),
});
export type NetworkConnectBody = z.output<typeof NetworkConnectBody>;

export const NetworkDisconnectBody = z.object({ Container: text, Force: flag });
export type NetworkDisconnectBody = z.output<typeof NetworkDisconnectBody>;

export interface NetworkAnswer {
  readonly Name: string;
  readonly Id: string;
  readonly Created: string;
  readonly Scope: 'local';
  readonly Driver: string;
  readonly EnableIPv4: boolean;
  readonly EnableIPv6: boolean;
  readonly IPAM: {
    readonly Driver: string;
    readonly Options: Readonly<Record<string, string>> | null;
    readonly Config: readonly Readonly<Record<string, unknown>>[] | null;
  };
  readonly Internal: boolean;
  readonly Attachable: boolean;
  readonly Ingress: boolean;
  readonly ConfigFrom: { readonly Network: string };
  readonly ConfigOnly: boolean;
  readonly Containers: Readonly<Record<string, unknown>>;
  readonly Options: Readonly<Record<string, string>>;
  readonly Labels: Readonly<Record<string, string>>;
}
