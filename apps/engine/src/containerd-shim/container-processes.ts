/** What Task/Pids answers. Upstream: containerd cmd/containerd-shim-runc-v2/task/service.go (Pids). */
import { create, toBinary } from '@bufbuild/protobuf';
import { ProcessDetailsSchema } from '../protocol/gen/containerd/runc-options_pb.ts';
import type { Container } from './container.ts';

/** All pids of the container; of those that an exec has run, its id is said as well. */
export const processesOf = ({ init, execs }: Container) => {
  const execOf = new Map([...execs.values()].map(({ pid, execId }) => [pid, execId]));
  return init.cgroup.pids().map((pid) => {
    const execId = execOf.get(pid);
    if (execId === undefined) return { pid };
    const value = toBinary(ProcessDetailsSchema, create(ProcessDetailsSchema, { execId }));
    return { pid, info: { typeUrl: ProcessDetailsSchema.typeName, value } };
  });
};
