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

/** One step of `docker history`, the youngest first. */
export interface HistoryItem {
  readonly Id: string;
  readonly Created: number;
  readonly CreatedBy: string;
  readonly Tags: readonly string[] | null;
  readonly Size: number;
  readonly Comment: string;
}

/** What a removal did, line by line. */
export type DeletedImage = { readonly Untagged: string } | { readonly Deleted: string };

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
  readonly Author: string;
  readonly Comment: string;
  readonly Parent: string;
  readonly DockerVersion: string;
  readonly Descriptor: {
    readonly mediaType: string;
    readonly digest: string;
    readonly size: number;
  };
  readonly Metadata: { readonly LastTagTime: string };
}
