/**
 * The messages in which a shim speaks with containerd. protobuf-es makes a function for each kind when it first has one to
 * write or to read; for a shim that would be while somebody waits.
 */
import { create, fromBinary, toBinary, type DescMessage } from '@bufbuild/protobuf';
import {
  TaskCreateSchema,
  TaskDeleteSchema,
  TaskExitSchema,
  TaskStartSchema,
} from '../protocol/gen/containerd/task-events_pb.ts';
import { Events } from '../protocol/gen/task/events-ttrpc_pb.ts';
import { Task } from '../protocol/gen/task/shim-v2_pb.ts';

const EVENTS = [TaskCreateSchema, TaskStartSchema, TaskExitSchema, TaskDeleteSchema];

/** Each once written and once read, whoever does that in the end. */
export const encodeOnce = (): void => {
  const { connect, create: make, start, wait, delete: remove, shutdown } = Task.method;
  const methods = [connect, make, start, wait, remove, shutdown, Events.method.forward];
  for (const { input, output } of methods) for (const schema of [input, output]) useOnce(schema);
  for (const schema of EVENTS) useOnce(schema);
};

const useOnce = (schema: DescMessage): void => {
  fromBinary(schema, toBinary(schema, create(schema, withParts(schema))));
};

/** Messages in it are there, and empty. */
const withParts = ({ fields }: DescMessage): Record<string, unknown> => {
  const parts: Record<string, unknown> = {};
  for (const field of fields) {
    if (field.fieldKind === 'message') parts[field.localName] = {};
    if (field.fieldKind === 'list' && field.listKind === 'message') parts[field.localName] = [{}];
  }
  return parts;
};
