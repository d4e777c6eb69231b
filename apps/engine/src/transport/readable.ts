/**
 * Protobuf messages as JSON for human eyes: what the page shows in the inspector.
 * Unlike protobuf's own JSON, an Any whose type nobody here knows is no error, and OCI documents inside are opened.
 */
import { fromBinary, type DescField, type DescMessage, type Message } from '@bufbuild/protobuf';
import { createRegistry, type DescEnum } from '@bufbuild/protobuf';
import { reflect, type ReflectMessage } from '@bufbuild/protobuf/reflect';
import { isWrapperDesc, timestampDate, type Any, type Timestamp } from '@bufbuild/protobuf/wkt';
import { file_containerd_container_events } from '../protocol/gen/containerd/container-events_pb.ts';
import { file_containerd_image_events } from '../protocol/gen/containerd/image-events_pb.ts';
import { file_containerd_runc_options } from '../protocol/gen/containerd/runc-options_pb.ts';
import { file_containerd_store_events } from '../protocol/gen/containerd/store-events_pb.ts';
import { file_containerd_task_events } from '../protocol/gen/containerd/task-events_pb.ts';

const BYTES_LIMIT = 1024;

const registry = createRegistry(
  file_containerd_task_events,
  file_containerd_container_events,
  file_containerd_store_events,
  file_containerd_image_events,
  file_containerd_runc_options,
);

const readableBytes = (bytes: Uint8Array): string =>
  bytes.length <= BYTES_LIMIT
    ? Buffer.from(bytes).toString('base64')
    : `${Buffer.from(bytes.subarray(0, BYTES_LIMIT)).toString('base64')}… (${bytes.length} bytes)`;

/** JSON documents (an OCI spec) and the messages of our own .proto files are opened; the rest stays base64. */
const readableAny = ({ typeUrl, value }: Any): unknown => {
  const schema = registry.getMessage(typeUrl.slice(typeUrl.lastIndexOf('/') + 1));
  try {
    if (schema) return { typeUrl, value: readable(schema, fromBinary(schema, value)) };
    if (value[0] === 0x7b) return { typeUrl, value: JSON.parse(Buffer.from(value).toString()) };
  } catch {
    // A hostile or newer sender: its bytes are shown as they are.
  }
  return { typeUrl, value: readableBytes(value) };
};

const nameOfEnumValue = (desc: DescEnum, number: number): string =>
  desc.value[number]?.name ?? String(number);

const readableSingular = (value: unknown, field: DescField): unknown => {
  if (typeof value === 'bigint') {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value.toString();
  }
  if (value instanceof Uint8Array) return readableBytes(value);
  if (field.enum && typeof value === 'number') return nameOfEnumValue(field.enum, value);
  if (field.message && isReflectMessage(value)) return readableReflected(value);
  return value;
};

const isReflectMessage = (value: unknown): value is ReflectMessage =>
  typeof value === 'object' && value !== null && 'desc' in value && 'message' in value;

const readableReflected = (reflected: ReflectMessage): unknown => {
  const { desc, message } = reflected;
  if (desc.typeName === 'google.protobuf.Any') return readableAny(message as Any);
  if (desc.typeName === 'google.protobuf.Timestamp') return readableTime(message as Timestamp);
  if (isWrapperDesc(desc)) return Reflect.get(message, 'value');
  const result: Record<string, unknown> = {};
  for (const field of desc.fields) {
    if (!reflected.isSet(field)) continue;
    result[field.jsonName] = readableField(reflected, field);
  }
  return result;
};

const readableTime = (time: Timestamp): string => {
  const date = timestampDate(time);
  return Number.isNaN(date.getTime()) ? `${time.seconds}.${time.nanos}` : date.toISOString();
};

const readableField = (reflected: ReflectMessage, field: DescField): unknown => {
  if (field.fieldKind === 'list')
    return [...reflected.get(field)].map((item) => readableSingular(item, field));
  if (field.fieldKind === 'map')
    return Object.fromEntries(
      [...reflected.get(field)].map(([key, item]) => [String(key), readableSingular(item, field)]),
    );
  return readableSingular(reflected.get(field), field);
};

/** The fields that are set, with enums by name, times as ISO 8601 and bytes as base64. */
export const readable = (schema: DescMessage, message: Message): unknown =>
  readableReflected(reflect(schema, message));
