/**
 * Every attribute name that may stand in the trace, with a sentence each.
 * OpenTelemetry's semantic conventions where they exist, ours under `engineroom.` otherwise.
 */
export const ATTRIBUTES = {
  'http.request.method': 'The HTTP method of the request.',
  'http.route': 'The matched route, e.g. /containers/{id}/start.',
  'http.response.status_code': 'The HTTP status of the response.',
  'url.path': 'The path of the request as it was sent.',
  'user_agent.original': 'What the client calls itself.',
  'rpc.system': 'grpc or ttrpc.',
  'rpc.service': 'The full name of the service, e.g. containerd.services.tasks.v1.Tasks.',
  'rpc.method': 'The method, e.g. Create.',
  'rpc.grpc.status_code': 'The status code of the answer; 0 is OK.',
  'container.id': 'The 64 hex digits of the container.',
  'container.name': 'The name of the container without the slash.',
  'container.image.name': 'The image as the user named it.',
  'process.pid': 'A process id in the host pid namespace.',
  'process.vpid': 'The process id inside its own pid namespace.',
  'process.parent_pid': 'The parent of the process in the host pid namespace.',
  'process.exit.code': 'The exit code of the process.',
  'process.command_args': 'The argv of the process.',
  'process.executable.path': 'The program that the process runs.',
  'error.type': 'The kind of error, e.g. not_found.',
  'engineroom.namespace.pid': 'Inode number of the pid namespace.',
  'engineroom.namespace.mnt': 'Inode number of the mount namespace.',
  'engineroom.namespace.uts': 'Inode number of the uts namespace.',
  'engineroom.namespace.ipc': 'Inode number of the ipc namespace.',
  'engineroom.namespace.net': 'Inode number of the network namespace.',
  'engineroom.namespace.cgroup': 'Inode number of the cgroup namespace.',
  'engineroom.namespace.user': 'Inode number of the user namespace.',
  'engineroom.cgroup.path': 'The cgroup of the container, below the mount of its hierarchy.',
  'engineroom.cgroup.file': 'The cgroup file that was written.',
  'engineroom.cgroup.value': 'What was written into it.',
  'engineroom.mount.target': 'Where something was mounted, as the container sees it.',
  'engineroom.mount.type': 'The type of the filesystem.',
  'engineroom.overlay.lower': 'The read-only layers of the image, uppermost first.',
  'engineroom.overlay.upper': 'The writable layer of the container.',
  'engineroom.plan.stage':
    'Which process runs the step: parent (runc itself) or init (the future container).',
  'engineroom.plan.index': 'The place of the step in the plan.',
  'engineroom.bundle': 'The OCI bundle directory.',
  'engineroom.topic': 'The topic of a containerd event, e.g. /tasks/exit.',
  'engineroom.topology.component': 'A swapped component that was observed from outside.',
  'engineroom.spare.ready_ms':
    'How long the pre-warmed process had been waiting when it was claimed.',
  'engineroom.client.text': 'What the client itself wrote to stdout or stderr.',
  'engineroom.limit.ms': 'The time limit that ended the run.',
  'engineroom.limit.bytes': 'The output limit that ended the run.',
  'engineroom.signal': 'The name of a signal.',
} as const;

export type AttributeName = keyof typeof ATTRIBUTES;
