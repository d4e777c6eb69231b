/** Version: what dockerd asks first. Upstream: containerd plugins/services/version. */
import type { Version } from '../../protocol/gen/containerd/version_pb.ts';
import type { HandlersOf } from './handlers-of.ts';

/** The containerd whose API we speak; clients choose features by it. */
export const API_VERSION = '1.7.0+engine-room';

export const versionService = (): HandlersOf<typeof Version> => ({
  version: async () => ({ version: API_VERSION, revision: '' }),
});
