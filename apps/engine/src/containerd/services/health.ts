/**
 * grpc.health.v1: after losing the event stream dockerd asks until it hears SERVING, and subscribes again only then.
 * https://github.com/grpc/grpc/blob/master/doc/health-checking.md
 */
import {
  HealthCheckResponse_ServingStatus as ServingStatus,
  type Health,
} from '../../protocol/gen/containerd/health_pb.ts';
import { notFound } from '../errors.ts';
import type { HandlersOf } from './handlers-of.ts';

export const healthService = (): HandlersOf<typeof Health> => ({
  check: async ({ service }) => {
    // Empty: the server as a whole. It takes calls only once everything is up, so it serves whenever it can answer.
    if (service !== '') throw notFound(`unknown service ${service}`);
    return { status: ServingStatus.SERVING };
  },
});
