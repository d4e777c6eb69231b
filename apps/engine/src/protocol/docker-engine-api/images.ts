/**
 * `/images/…`: what is answered.
 * Reference: https://docs.docker.com/reference/api/engine/version/v1.50/#tag/Image
 */

export interface ImageSummary {
  readonly Id: string;
  readonly ParentId: string;
  readonly RepoTags: readonly string[];
  readonly RepoDigests: readonly string[];
  readonly Created: number;
  readonly Size: number;
  readonly SharedSize: number;
  readonly Labels: Readonly<Record<string, string>>;
  readonly Containers: number;
}

export interface ImageInspect {
  readonly Id: string;
  readonly RepoTags: readonly string[];
  readonly RepoDigests: readonly string[];
  readonly Created: string;
  readonly Architecture: string;
  readonly Os: string;
  readonly Size: number;
  readonly GraphDriver: { readonly Name: string; readonly Data: unknown };
  readonly RootFS: { readonly Type: 'layers'; readonly Layers: readonly string[] };
  readonly Config: unknown;
  readonly Metadata: { readonly LastTagTime: string };
}
