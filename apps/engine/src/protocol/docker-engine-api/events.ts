/**
 * `GET /events`: one JSON object a line, for as long as the client stays.
 * Reference: https://docs.docker.com/reference/api/engine/version/v1.50/#tag/System/operation/SystemEvents
 */

export interface EventMessage {
  /** Old clients read the three lower-case fields, new ones the rest. */
  readonly status?: string;
  readonly id?: string;
  readonly from?: string;
  readonly Type: 'container' | 'image' | 'daemon' | 'network' | 'volume';
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
  readonly scope: 'local';
  readonly time: number;
  readonly timeNano: number;
}
