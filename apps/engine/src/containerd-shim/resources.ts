/**
 * The limits that Task/Update brings: the `linux.resources` part of a config.json. OCI config-linux.md#control-groups
 */
import { EngineError, messageOf } from '../protocol/errdefs.ts';
import { LinuxResources } from '../protocol/oci/runtime-spec.ts';

export const resourcesIn = (json: Uint8Array): LinuxResources => {
  try {
    return LinuxResources.parse(JSON.parse(Buffer.from(json).toString()));
  } catch (error) {
    throw new EngineError('invalid_argument', `resources: ${messageOf(error)}`, { cause: error });
  }
};
