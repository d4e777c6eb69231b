/** What a running task is made of and uses: its processes, its counters, its limits. By the Tasks service. */
import { fromBinary } from '@bufbuild/protobuf';
import {
  MetricsSchema as V1Schema,
  type Metrics as V1,
} from '../../protocol/gen/containerd/cgroup-v1-metrics_pb.ts';
import {
  MetricsSchema as V2Schema,
  type Metrics as V2,
} from '../../protocol/gen/containerd/cgroup-v2-metrics_pb.ts';
import { Tasks } from '../../protocol/gen/containerd/tasks_pb.ts';
import type { LinuxResources } from '../../protocol/oci/runtime-spec.ts';
import type { GrpcChannel } from '../../transport/grpc-client.ts';
import type { Client } from '../../transport/service.ts';
import { TASK_TIMEOUT_MS } from './tasks.ts';

const RESOURCES_TYPE = 'types.containerd.io/opencontainers/runtime-spec/1/LinuxResources';

/** One reading, as the version of the host's cgroups has it. cgroups(7). */
export type Metrics =
  { readonly version: 1; readonly of: V1 } | { readonly version: 2; readonly of: V2 };

export class MeasureClient {
  readonly #tasks: Client<(typeof Tasks)['method']>;

  constructor(channel: GrpcChannel) {
    this.#tasks = channel.client(Tasks);
  }

  async pids(containerId: string): Promise<number[]> {
    const { processes } = await this.#tasks.listPids({ containerId }, { source: __SOURCE__ });
    return processes.map(({ pid }) => pid);
  }

  /** Null when there is nothing to measure any more. */
  async metrics(containerId: string): Promise<Metrics | null> {
    const { metrics } = await this.#tasks.metrics(
      { filters: [`id==${containerId}`] },
      { timeoutMs: TASK_TIMEOUT_MS, source: __SOURCE__ },
    );
    const data = metrics[0]?.data;
    if (!data) return null;
    return data.typeUrl.endsWith(V2Schema.typeName)
      ? { version: 2, of: fromBinary(V2Schema, data.value) }
      : { version: 1, of: fromBinary(V1Schema, data.value) };
  }

  async update(containerId: string, resources: LinuxResources): Promise<void> {
    await this.#tasks.update(
      {
        containerId,
        resources: { typeUrl: RESOURCES_TYPE, value: Buffer.from(JSON.stringify(resources)) },
      },
      { timeoutMs: TASK_TIMEOUT_MS, source: __SOURCE__ },
    );
  }
}
