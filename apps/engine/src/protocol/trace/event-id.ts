/**
 * Ids that two processes must agree on without talking to each other.
 *
 * A message is emitted once, by whichever side is ours: by the sender when the sender is a part of the engine,
 * by the receiver when the sender is somebody else's client. Both sides can name it as a cause, because its id
 * follows from the client span, which travels in `traceparent`.
 */

export const requestId = (clientSpanId: string): string => `${clientSpanId}/request`;
export const responseId = (clientSpanId: string): string => `${clientSpanId}/response`;
export const spanStartedId = (spanId: string): string => `${spanId}/start`;
export const spanEndedId = (spanId: string): string => `${spanId}/end`;
/** `step` counts the steps of the plan that the span (`runc create`) executed. */
export const syscallId = (spanId: string, step: number): string => `${spanId}/syscall/${step}`;
/** Birth, exec and exit of a process are told by different processes; pid and change name them. */
export const processId = (pid: number, change: string): string => `process/${pid}/${change}`;
/** A task event rides a stream without metadata; what it says names it: `/tasks/exit` of one process of one container. */
export const taskEventId = (topic: string, containerId: string, id: string, pid: number): string =>
  `event${topic}/${containerId}/${id}/${pid}`;
